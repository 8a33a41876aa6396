"""Whole-or-nothing writing, and reading that fails in one sentence."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import tempfile
import tokenize
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from odah.errors import InputError

DAMAGED_ARRAYS = (
    *(OSError, EOFError, zipfile.BadZipFile, zlib.error, tokenize.TokenError, ValueError, SyntaxError),
    *(NotImplementedError, RuntimeError, TypeError, KeyError, OverflowError, MemoryError),
)
"""What zipfile and numpy raise on arrays whose bytes or whose header, a Python literal, were changed."""


def cache_folder() -> Path:
    """ODAH_CACHE, or odah's folder in the user's cache."""
    if "ODAH_CACHE" in os.environ:
        return Path(os.environ["ODAH_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "odah"


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it is renamed into place, on error it is removed.

    What is in place is on the disk and outlasts a loss of power.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        _to_disk(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; on success it replaces `path`, on error it is removed.

    Nobody sees a part of the new folder, or of the old one that it replaces; between the two there is none.
    What is in place is on the disk and outlasts a loss of power.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield temporary
        temporary.chmod(0o755)
        for inner in (*temporary.rglob("*"), temporary):
            _to_disk(inner)
        with _out_of_sight(path):
            temporary.replace(path)
        _to_disk(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


_UNFINISHED = re.compile(r"\.(?P<name>.+)\.[a-z0-9_]{8}(?:\.[A-Za-z0-9]+)?")
"""What `mkdtemp` and `mkstemp` call the temporary things of `atomic_folder` and `atomic_path`."""


@contextmanager
def _out_of_sight(folder: Path) -> Iterator[None]:
    """Have a folder, if there is one, hidden whole in the block and removed after it; put back on error."""
    match = _UNFINISHED.fullmatch(folder.name)
    hidden = folder.with_name(f".{match['name'] if match else folder.name}.{secrets.token_hex(4)}")
    if not folder.exists():
        yield
        return
    folder.replace(hidden)
    try:
        yield
    except BaseException:
        hidden.replace(folder)
        raise
    shutil.rmtree(hidden, ignore_errors=True)


def _to_disk(path: Path) -> None:
    """Have the system write a file, or a folder's list of names, now.

    Raises:
        OSError: it cannot, because the disk is full or gone.
    """
    if os.name == "nt" and path.is_dir():  # which Windows does by itself
        return
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # of file systems that know no such thing
            raise
    finally:
        os.close(descriptor)


def drop_unfinished(folder: str | Path, names: Collection[str] | None = None) -> None:
    """Remove from a folder what `atomic_folder` and `atomic_path` left there in a process that was killed.

    names: of the things that were being made; None for all.
    """
    folder = Path(folder)
    if not folder.is_dir():
        return
    for entry in list(os.scandir(folder)):
        match = _UNFINISHED.fullmatch(entry.name)
        if match is None or not (names is None or match["name"] in names):
            continue
        with suppress(FileNotFoundError):  # another process clears up as well
            if entry.is_dir(follow_symlinks=False):
                with _out_of_sight(Path(entry.path)):  # whoever may still write into it, finds it gone whole
                    pass
            else:
                Path(entry.path).unlink()


@contextmanager
def staged_files(folder: str | Path) -> Iterator[Path]:
    """Yield a temporary folder whose files move into `folder` on success; what else is there stays."""
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as temporary:
        yield Path(temporary)
        folder.mkdir(exist_ok=True)
        for path in sorted(Path(temporary).iterdir()):
            path.replace(folder / path.name)


def check_output_folder(path: str | Path) -> None:
    """Refuse, before any work, a place where no folder can be written.

    Raises:
        InputError: it or what it would be made in is a file, or may not be written.
    """
    path = Path(path)
    nearest = next(place for place in (path, *path.absolute().parents) if place.exists())
    if not nearest.is_dir():
        raise InputError(path, "a file" if nearest == path else f"the file {nearest} above it", "a folder")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise InputError(path, f"{nearest}, which may not be written", "a folder that may be written")


def existing_file(path: str | Path, kind: str) -> Path:
    """`path` if it is a non-empty file.

    Raises:
        InputError: it is missing, a folder, or empty.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(path, "no such file", kind)
    if not path.is_file():
        raise InputError(path, "not a file", kind)
    if path.stat().st_size == 0:
        raise InputError(path, "an empty file", kind)
    return path


def read_text(path: str | Path, kind: str) -> str:
    """The text of a non-empty UTF-8 (or Latin-1) file.

    Raises:
        InputError: missing, empty, or binary.
    """
    data = existing_file(path, kind).read_bytes()
    if b"\0" in data:
        raise InputError(path, "binary data", kind)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")
