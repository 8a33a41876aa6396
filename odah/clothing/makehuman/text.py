"""Lines of MakeHuman's text files, and the one way to say what is wrong with one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from odah.errors import InputError
from odah.files import existing_file, read_text

MAX_FILE_SIZE = 64 * 1024 * 1024
"""Bytes; MakeHuman's own garments have less than one million."""


def words_of(path: Path, kind: str) -> Iterator[tuple[str, list[str]]]:
    """The words of each line that is neither blank nor a comment, and where it stands (file: line n).

    Raises:
        InputError: the file is missing, empty, binary, or larger than `MAX_FILE_SIZE`.
    """
    size = existing_file(path, kind).stat().st_size
    if size > MAX_FILE_SIZE:
        raise InputError(path, f"{size} bytes", f"{kind} of at most {MAX_FILE_SIZE} bytes")
    for number, line in enumerate(read_text(path, kind).split("\n"), 1):
        words = line.split()
        if words and not words[0].startswith("#"):
            yield f"{path}: line {number}", words


def floats(where: str, words: Sequence[str], count: int) -> list[float]:
    """Exactly `count` finite numbers.

    Raises:
        InputError: fewer, more, or something else.
    """
    expected = "a finite number" if count == 1 else f"{count} finite numbers"
    if len(words) != count:
        raise InputError(where, f"{len(words)} values", expected)
    try:
        values = [float(word) for word in words]
    except ValueError as error:
        raise InputError(where, repr(" ".join(words)[:60]), expected) from error
    if not all(math.isfinite(value) for value in values):
        raise InputError(where, repr(" ".join(words)[:60]), expected)
    return values


def index(where: str, word: str, limit: int, of_what: str) -> int:
    """A number from 0 to `limit` - 1.

    Raises:
        InputError: anything else.
    """
    expected = f"the number of one of {limit} {of_what}"
    try:
        value = int(word)
    except ValueError as error:
        raise InputError(where, repr(word[:60]), expected) from error
    if not 0 <= value < limit:
        raise InputError(where, word[:60], expected)
    return value


def file_beside(folder: Path, where: str, name: str, kind: str) -> Path:
    """The file `name` in a garment's folder.

    Raises:
        InputError: no such file, or one outside the folder.
    """
    path = folder / name
    try:
        path = path.resolve()
        is_inside, is_file = path.is_relative_to(folder.resolve()), path.is_file()
    except (OSError, ValueError, RuntimeError):  # a name no file system takes, or links in a circle
        is_inside = is_file = False
    if not is_inside:
        raise InputError(where, repr(name[:200]), f"{kind} inside {folder}")
    if not is_file:
        raise InputError(where, f"{name[:200]}, which is missing", f"{kind} inside {folder}")
    return path
