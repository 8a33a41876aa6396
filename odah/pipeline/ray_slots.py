"""Slots on the machines of a Ray cluster: an actor each, which outlives its clips but not its process."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, Generic, TypeVar

from odah.errors import OdahError
from odah.pipeline.ray_cluster import is_alive
from odah.pipeline.ray_hosts import Host
from odah.pipeline.slots import Outcome, outcome_of
from odah.progress import say
from odah.workers import ONE_THREAD, Death, Failure, attempt

Item = TypeVar("Item")
MakeWork = Callable[[Any, Path, Callable[[str], None]], Callable[[Any], Outcome]]
"""What a slot works with, made on its own machine; takes the machine's equipment and scratch folder, and what
takes lines for the user."""


def in_actors(
    hosts: Sequence[Host],
    make_work: MakeWork,
    items: Sequence[Item],
    on_death: Callable[[Item, Death], None] = lambda item, death: None,
) -> Generator[tuple[Item, Outcome], None, None]:
    """Every item as it is finished or has failed, from as many actors as the hosts have slots.

    make_work and items must pickle. An exception is its item's failure. An item whose process dies is told to
    `on_death` and given once more to another one, at the end. Whoever stops iterating stops all actors.

    Raises:
        OdahError: no machine is left.
    """
    crew: _Crew[Item] = _Crew(make_work, on_death)
    try:
        for host in _in_turn(hosts)[: len(items)]:
            crew.hire(host)
        yield from crew.outcomes(items)
    finally:
        crew.dismiss()


def _in_turn(hosts: Sequence[Host]) -> list[Host]:
    """A host for each slot; first one slot of each, then the second ones."""
    rounds = zip_longest(*([host] * host.equipment.slots.count for host in hosts))
    return [host for one in rounds for host in one if host is not None]


class _SlotWork:
    """The actor: its process makes one item after the other."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._work: Callable[[Any], Outcome] | None = None

    def start(self, pickled: bytes, equipment: Any, scratch: Path) -> Failure | None:
        def make(pickled: bytes) -> Callable[[Any], Outcome]:
            return cloudpickle.loads(pickled)(equipment, scratch, self._lines.append)

        from ray import cloudpickle

        work = attempt(make, pickled)
        if isinstance(work, Failure):
            return work
        self._work = work
        return None

    def make(self, item: Any) -> tuple[Outcome | Failure, list[str]]:
        assert self._work is not None
        result, lines = attempt(self._work, item), list(self._lines)
        self._lines.clear()
        return result, lines


@dataclass(frozen=True)
class _Seat:
    """An actor at work. task: number of its item; None while it starts."""

    actor: Any
    host: Host
    task: int | None = None


class _Crew(Generic[Item]):
    """All actors of a run."""

    def __init__(self, make_work: MakeWork, on_death: Callable[[Item, Death], None]) -> None:
        import ray
        from ray import cloudpickle

        pickled = cloudpickle.dumps(make_work)  # pyright: ignore[reportPrivateImportUsage]
        # as bytes, so that what fails as it is unpickled fails in the actor's hands, not in Ray's
        self._make_work, self._on_death = ray.put(pickled), on_death
        self._busy: dict[Any, _Seat] = {}
        self._idle: list[_Seat] = []
        self._told: set[str] = set()

    def hire(self, host: Host) -> None:
        """Start an actor on a machine; it counts once it has answered."""
        actor = _actor(host)
        ref = actor.start.remote(self._make_work, host.equipment, host.scratch)
        self._busy[ref] = _Seat(actor, host)

    def outcomes(self, items: Sequence[Item]) -> Generator[tuple[Item, Outcome], None, None]:
        waiting, orphans, left = deque(range(len(items))), set[int](), len(items)
        while left:
            seat, answer = self._next_answer()
            if seat.task is None:
                self._begun(seat, answer)
            elif isinstance(answer, Death):
                if is_alive(seat.host.machine):
                    self.hire(seat.host)
            else:
                self._idle.append(seat)
            task, result = seat.task, answer
            if task is not None and isinstance(answer, Death) and task not in orphans:
                orphans.add(task)
                waiting.append(task)
                self._on_death(items[task], answer)
                task = None
            while self._idle and waiting:
                self._give(self._idle.pop(), waiting.popleft(), items)
            if task is not None:
                left -= 1
                yield items[task], outcome_of(result)

    def dismiss(self) -> None:
        """End all actors, whatever they do."""
        import ray

        for seat in (*self._busy.values(), *self._idle):
            ray.kill(seat.actor)
        if self._busy:  # their last calls end when they do
            ray.wait(list(self._busy), num_returns=len(self._busy), timeout=10)
        self._busy.clear()
        self._idle.clear()

    def _give(self, seat: _Seat, task: int, items: Sequence[Item]) -> None:
        self._busy[seat.actor.make.remote(items[task])] = _Seat(seat.actor, seat.host, task)

    def _begun(self, seat: _Seat, failure: Failure | None) -> None:
        """An actor can take items, or never will."""
        if failure is None:
            self._idle.append(seat)
            return
        line = f"a slot on {seat.host.machine.name} does not start: {failure.why}"
        if not self._busy and not self._idle:
            raise OdahError(f"no machine of the cluster is left to make clips; {line}; finished clips stay")
        if line not in self._told:
            self._told.add(line)
            say(line)

    def _next_answer(self) -> tuple[_Seat, Any]:
        """Who is done, and what came of it: of a start None or a Failure, else an Outcome or a Failure."""
        import ray
        from ray.exceptions import RayError

        if not self._busy:
            raise OdahError("no machine of the cluster is left to make clips; finished clips stay")
        ref = ray.wait(list(self._busy))[0][0]
        seat = self._busy.pop(ref)
        try:
            answer = ray.get(ref)
        except RayError as error:
            return seat, Death(_cause(error, seat.host))
        if seat.task is None:
            return seat, answer
        for line in answer[1]:
            say(f"{seat.host.machine.name}: {line}")
        return seat, answer[0]


def _cause(error: Exception, host: Host) -> str:
    name = host.machine.name
    if not is_alive(host.machine):
        return f"the machine {name} left the cluster"
    if "low on memory" in str(error) or "memory monitor" in str(error).lower():
        return f"its process on {name} was ended because the machine ran out of memory"
    return f"its process on {name} died (perhaps out of memory)"


def _actor(host: Host) -> Any:
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    count, machine = host.equipment.slots.count, host.machine
    return (
        ray.remote(_SlotWork)
        .options(
            num_cpus=_share(machine.cores, count),
            num_gpus=_share(machine.gpus, count) if machine.gpus else 0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(machine.node_id, soft=False),
            runtime_env={"env_vars": {**ONE_THREAD, "TMPDIR": str(host.temporary)}},
        )
        .remote()
    )


def _share(units: int, slots: int) -> float:
    """Of cores or graphics processors for each slot, as Ray has it: whole ones, or a part of one, to 1e-4."""
    if units >= slots:
        return units // slots
    return math.floor(1e4 / math.ceil(slots / units)) / 1e4
