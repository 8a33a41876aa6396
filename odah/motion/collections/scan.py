"""Walking a folder of many files without opening one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from odah.errors import InputError


def folder_files(root: Path, layout: str) -> Iterator[tuple[str, list[str]]]:
    """Each folder below `root`, itself included, and the sorted names of its files, in a fixed order.

    Hidden folders are left out; linked ones are followed, once each. layout: what was to be in `root`.

    Raises:
        InputError: no such folder.
    """
    if not root.is_dir():
        raise InputError(root, "a file" if root.exists() else "no such folder", layout)
    seen: set[str] = set()
    for folder, inside, names in os.walk(root, followlinks=True):
        inside[:] = sorted(name for name in inside if not name.startswith("."))
        real = os.path.realpath(folder)
        if real in seen:
            inside.clear()
            continue
        seen.add(real)
        yield folder, sorted(names)


def natural_key(text: str) -> tuple[tuple[int, int | str], ...]:
    """Sorts "2" before "10", and numbers before letters."""
    parts = re.findall(r"\d+|\D+", text)
    return tuple((0, int(part)) if part.isdigit() else (1, part) for part in parts)
