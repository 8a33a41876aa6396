"""Who makes clips in a dataset folder: one whole run, or different shards I/N of one N side by side."""

from __future__ import annotations

import json
import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from odah.dataset.schema import DatasetPaths
from odah.errors import OdahError
from odah.locks import NoLocks, locked, take_lock

_GUARD = "guard"
"""The lock that is held for the moment in which the others are looked at or taken."""
_LOCK = re.compile(r"(?:run|shard-(?P<part>\d+)-of-(?P<whole>.+))\.lock")


@contextmanager
def run_lock(
    paths: DatasetPaths,
    shard: str | None,
    subset: str | None,
    say: Callable[[str], None],
    is_alone: bool = False,
) -> Iterator[None]:
    """Hold a dataset for a run, or for a shard "I/N" of all its clips or of a subset, until the block ends.

    The lock ends with its process, even one that is killed, and reaches as far as the file system's locks do.
    is_alone: other shards are refused as well. say: is told where the file system has none.

    Raises:
        OdahError: another run holds it; the sentence says which.
    """
    paths.state.mkdir(parents=True, exist_ok=True)
    own = paths.lock(_name(shard, subset))
    try:
        with locked(paths.lock(_GUARD)):
            _refuse_others(paths, own, is_alone)
            file = take_lock(own)
            if file is not None:
                _introduce(file)
    except NoLocks:
        say(f"{paths.root}: this file system has no locks, so nothing stops a second run in the same folder")
        yield
        return
    try:
        yield
    finally:
        if file is not None:
            with (
                locked(paths.lock(_GUARD)),
                suppress(OSError),
            ):  # before the file is closed, or another may have it
                own.unlink(missing_ok=True)
            file.close()


def _name(shard: str | None, subset: str | None) -> str:
    if shard is None:
        return "run"
    part, count = map(int, shard.split("/"))
    return f"shard-{part}-of-{count}" + (f" of {subset}" if subset else "")


def _refuse_others(paths: DatasetPaths, own: Path, is_alone: bool) -> None:
    mine = _LOCK.fullmatch(own.name)
    for path in sorted(paths.state.glob("*.lock")):
        other = _LOCK.fullmatch(path.name)
        if mine is None or other is None or not (is_alone or _are_rivals(mine, other)):
            continue
        file = take_lock(path)
        if file is None:
            raise OdahError(f"{paths.root}: {_holder(path, other)}; {_advice(other, is_alone)}")
        file.close()
        path.unlink(missing_ok=True)  # of a run that is gone


def _are_rivals(mine: re.Match[str], other: re.Match[str]) -> bool:
    """Whether two runs may not be side by side: all but different shards of the same clips and number."""
    is_whole = mine["part"] is None or other["part"] is None
    return is_whole or mine["whole"] != other["whole"] or mine["part"] == other["part"]


def _holder(path: Path, lock: re.Match[str]) -> str:
    what = "a whole run" if lock["part"] is None else f"the shard {lock['part']}/{lock['whole']}"
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return (
            f"{what} is making clips here ({told['host']}, process {told['process']}, since {told['since']})"
        )
    except (OSError, ValueError, KeyError, TypeError):
        return f"{what} is making clips here"


def _advice(lock: re.Match[str], is_alone: bool) -> str:
    if lock["part"] is None or is_alone:
        return "wait for its end, or stop it"
    return f"wait for its end, or start another shard of {lock['whole']}"


def _introduce(file: IO[str]) -> None:
    since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    file.truncate(0)
    json.dump({"host": socket.gethostname(), "process": os.getpid(), "since": since}, file)
    file.flush()
