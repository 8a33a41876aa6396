"""Locks between processes; each ends with its holder, however that ends."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_NO_LOCKS = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOLCK, errno.EINVAL}
"""What file systems without locks answer: some network file systems, some of containers."""
_HELD = {errno.EAGAIN, errno.EACCES, errno.EDEADLK}
_FAR = 1 << 30
"""The byte that is locked on Windows, where a locked one cannot be read."""


class NoLocks(OSError):
    """The file system has no locks."""


def take_lock(path: Path, wait: bool = False) -> IO[str] | None:
    """The open file at `path`, locked until it is closed; None if another process has it.

    wait: until the other lets go.

    Raises:
        NoLocks: the file system has none.
    """
    file = path.open("a+", encoding="utf-8")
    try:
        _lock(file, wait)
    except OSError as error:
        file.close()
        if error.errno in _HELD:
            return None
        if error.errno in _NO_LOCKS:
            raise NoLocks(error.errno, error.strerror, str(path)) from error
        raise
    except BaseException:
        file.close()
        raise
    return file


def _lock(file: IO[str], wait: bool) -> None:
    if os.name == "nt":
        import msvcrt

        file.seek(_FAR)
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


@contextmanager
def locked(path: str | Path) -> Iterator[bool]:
    """Only one process at a time between here and the end of the block; False where there are no locks."""
    try:
        file = take_lock(Path(path), wait=True)
    except NoLocks:
        file = None
    try:
        yield file is not None
    finally:
        if file is not None:
            file.close()
