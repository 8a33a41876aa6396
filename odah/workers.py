"""Work on many items in processes of one thread each; what one item does, crash included, stays its own."""

from __future__ import annotations

import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from odah.failures import sentence
from odah.scratch import scratch_folder

Item = TypeVar("Item")
Result = TypeVar("Result")

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Variables under which numerics keep to one thread."""


@dataclass(frozen=True)
class Failure:
    """Why an item came to nothing, in one sentence."""

    why: str


class Death(Failure):
    """The process that worked on the item is gone; the item itself may be sound."""


def num_cores() -> int:
    """Those that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return (os.cpu_count() or 1) if affinity is None else len(affinity(0))


def in_processes(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    jobs: int,
    environments: Sequence[Mapping[str, str]] = (),
) -> Iterator[tuple[int, Result | Failure]]:
    """(index, function(item)) as they come, from at most `jobs` spawned processes.

    function, items and results must pickle. An exception is that item's `Failure`, the death of the process
    its `Death`; another process takes the dead one's place. Whoever stops iterating stops the processes;
    their temporary files go with them.

    environments: variables for each process, one after the other; the first ones again if there are fewer.
    """
    with scratch_folder("odah-workers-") as scratch:
        yield from _shared_out(
            function, items, jobs, [{**own, "TMPDIR": str(scratch)} for own in environments or [{}]]
        )


def _shared_out(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    jobs: int,
    environments: Sequence[Mapping[str, str]],
) -> Iterator[tuple[int, Result | Failure]]:
    waiting = iter(enumerate(items))
    busy: dict[Connection, _Worker[Item, Result]] = {}

    def assign(worker: _Worker[Item, Result] | None, place: int) -> None:
        task = next(waiting, None)
        if task is None:
            if worker is not None:
                worker.dismiss()
            return
        worker = worker or _Worker(function, place, environments[place % len(environments)])
        busy[worker.connection] = worker
        worker.give(*task)

    try:
        for place in range(min(jobs, len(items))):
            assign(None, place)
        while busy:
            for connection in wait(list(busy)):
                worker = busy.pop(cast(Connection, connection))
                index, (result, is_alive) = worker.index, worker.take()
                assign(worker if is_alive else None, worker.place)
                yield index, result
    finally:
        for worker in busy.values():
            worker.stop()


class _Worker(Generic[Item, Result]):
    """A process that takes one item after the other. place: its number among those at work."""

    def __init__(
        self, function: Callable[[Item], Result], place: int, environment: Mapping[str, str]
    ) -> None:
        self.place = place
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, function), daemon=True)
        with _environment(environment), _deaf_to_interrupts():
            self._process.start()
        theirs.close()
        self.index = -1

    def give(self, index: int, item: Item) -> None:
        self.index = index
        with suppress(BrokenPipeError):  # it died meanwhile: `take` finds out
            self.connection.send(item)

    def take(self) -> tuple[Result | Failure, bool]:
        """What came of the item, and whether the process lives on."""
        try:
            return self.connection.recv(), True
        except (EOFError, OSError):  # the latter where it died before it had read the item
            self._process.join()
            return Death(f"the process that worked on it died ({_cause(self._process.exitcode)})"), False

    def dismiss(self) -> None:
        self.connection.close()
        self._process.join()

    def stop(self) -> None:
        self._process.kill()
        self._process.join()


def _work(connection: Connection, function: Callable[[Any], Any]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            item = connection.recv()
        except EOFError:
            return
        connection.send(attempt(function, item))


def _end_with_parent() -> None:
    """Whoever gave the items may be killed while one is being worked on."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def attempt(function: Callable[[Item], Result], item: Item) -> Result | Failure:
    """function(item), or why that came to nothing, which is told but stops nobody."""
    try:
        return function(item)
    except Exception as error:  # noqa: BLE001  a mistake of ours in one item must not cost the others
        return Failure(sentence(error) or _unexpected(error))


def _unexpected(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return f"a mistake of odah, {text} ({Path(frame.filename).name}, line {frame.lineno})"


def _cause(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        name = signal.Signals(-exitcode).name
        return f"{name}, perhaps out of memory" if name == "SIGKILL" else name
    return f"status {exitcode}"


@contextmanager
def _environment(own: Mapping[str, str]) -> Iterator[None]:
    """What a process started here inherits: one thread for its numerics, and what is its `own`."""
    wanted = {**ONE_THREAD, **own}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes started here leave Ctrl-C, which the terminal sends to all of them, to this one."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C back until the end of the block."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[object] = []
    before = signal.signal(signal.SIGINT, lambda *_: held.append(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if held:
            signal.raise_signal(signal.SIGINT)
