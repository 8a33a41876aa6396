"""Whole-or-nothing writing, and reading that fails in one sentence."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path

from odah.errors import InputError


def cache_folder() -> Path:
    """ODAH_CACHE, or odah's folder in the user's cache."""
    if "ODAH_CACHE" in os.environ:
        return Path(os.environ["ODAH_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "odah"


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it is renamed into place, on error it is removed."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; on success it replaces `path`, on error it is removed."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield temporary
        temporary.chmod(0o755)
        if path.exists():
            shutil.rmtree(path)
        temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def drop_unfinished(path: str | Path) -> None:
    """Remove what `atomic_folder(path)` left behind in a process that was killed."""
    path = Path(path)
    for folder in path.parent.glob(f".{escape(path.name)}.*"):
        shutil.rmtree(folder, ignore_errors=True)


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


@contextmanager
def locked(path: str | Path) -> Iterator[None]:
    """Only one process at a time between here and the end of the block; the lock ends with its holder."""
    with Path(path).open("w") as file:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield
