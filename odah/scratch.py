"""Folders for what is needed for a while: they go with their process, even one that was killed."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from odah.locks import NoLocks, take_lock

MEMORY = Path("/dev/shm")
"""The file system in memory, where there is one."""
_PREFIXES = ("odah-clips-", "odah-workers-", "odah-render-", "odah-probe-")
"""Of the folders of all kinds of work."""
_OWNER = "owner.lock"
_NOBODYS_AFTER = 24 * 3600.0
"""s; a folder without a sign of its owner, killed as it made the folder, counts as left behind after that."""


@contextmanager
def scratch_folder(prefix: str, base: Path | None = None) -> Iterator[Path]:
    """A new folder in `base`, or else where temporary files go, that is removed at the end of the block.

    What processes that are gone left behind under the same prefix is removed first.
    """
    base = Path(tempfile.gettempdir()) if base is None else base
    _sweep(base, prefix)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=base))
    owner: IO[str] | None = None
    try:
        owner = _owned(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if owner is not None:
            owner.close()


def sweep_scratch() -> None:
    """Remove what processes that are gone left behind, in memory and where temporary files go."""
    for base in (MEMORY, Path(tempfile.gettempdir())):
        for prefix in _PREFIXES:
            _sweep(base, prefix)


def _owned(folder: Path) -> IO[str] | None:
    """The lock that says that the folder is in use; it has its name only once it is held."""
    early = folder / (_OWNER if os.name == "nt" else f".{_OWNER}")  # Windows renames no open file
    try:
        return take_lock(early)
    except NoLocks:
        return None
    finally:
        early.rename(folder / _OWNER)


def _sweep(base: Path, prefix: str) -> None:
    """Remove the folders of processes of this user that are gone."""
    for folder in base.glob(f"{prefix}*"):
        if _is_ours(folder) and _is_left_behind(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_ours(folder: Path) -> bool:
    try:
        about = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(about.st_mode) and (os.name == "nt" or about.st_uid == os.getuid())


def _is_left_behind(folder: Path) -> bool:
    try:
        if not (folder / _OWNER).is_file():
            return time.time() - folder.stat().st_mtime > _NOBODYS_AFTER
        file = take_lock(folder / _OWNER)
    except OSError:
        return False
    if file is None:
        return False
    file.close()
    return True
