"""Slots: how many processes make clips side by side, what each is given, and when one counts as broken."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from odah.errors import OdahError
from odah.workers import Death, Failure, attempt, in_processes, num_cores

if TYPE_CHECKING:  # so that a slot need not load what it does not use
    from odah.render import EngineChoice, RenderSettings

Item = TypeVar("Item")

GIVE_UP_AFTER = 5
"""Clips in a row that Blender fails to render, each tried again, before a slot counts as broken."""


@dataclass(frozen=True)
class SlotPlan:
    """How many slots, threads of each one's renderer, and the variables that tell their processes apart."""

    count: int
    threads: int
    environments: tuple[Mapping[str, str], ...] = ()


def plan_slots(
    workers: int,
    workers_per_gpu: int,
    settings: RenderSettings,
    choice: EngineChoice,
    num_clips: int,
    lent: tuple[int, Sequence[str]] | None = None,
) -> SlotPlan:
    """As many slots as wanted; for `workers` 0 what suits the machine, but never more than clips.

    On graphics processors each slot gets one of them. On the CPU two cores a slot: one for Blender's own
    threads, one for what cannot be done by many. lent: the cores and graphics processors of the machine that
    may be used, if not all.
    """
    cores, gpus = lent or (num_cores(), visible_gpus() if choice.is_on_gpu else [])
    if not choice.is_on_gpu:
        gpus = []
    suitable = workers_per_gpu * max(1, len(gpus)) if choice.is_on_gpu else max(1, cores // 2)
    count = max(1, min(workers or suitable, num_clips))
    threads = settings.threads or (0 if count == 1 and lent is None else max(1, cores // count))
    environments = tuple({"CUDA_VISIBLE_DEVICES": gpu} for gpu in gpus) if len(gpus) > 1 else ()
    return SlotPlan(count, threads, environments)


def visible_gpus() -> list[str]:
    """The NVIDIA devices that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is not None:
        return [name for name in allowed.split(",") if name]
    try:
        listed = subprocess.run(
            ["nvidia-smi", "-L"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [str(index) for index, line in enumerate(listed.stdout.splitlines()) if line.startswith("GPU ")]


@dataclass(frozen=True)
class Outcome:
    """What came of a clip. why: it failed, one sentence. streak: of failures of its slot's Blender.

    stops_run: every further clip would fail as well.
    """

    why: str | None = None
    streak: int = 0
    stops_run: bool = False


def in_slots(
    work: Callable[[Item], Outcome],
    items: Sequence[Item],
    slots: SlotPlan,
    on_death: Callable[[Item, Death], None] = lambda item, death: None,
) -> Generator[tuple[Item, Outcome], None, None]:
    """Every item as it is finished or has failed; whoever stops iterating stops all slots.

    A single slot works in this process; otherwise `work` and items must pickle. An exception is its item's
    failure. An item whose slot dies is told to `on_death` and given once more to another one, at the end.

    Raises:
        OdahError: one slot's Blender fails item after item.
    """
    in_here = ((item, outcome_of(attempt(work, item))) for item in items)
    with closing(in_here if slots.count == 1 else _side_by_side(work, items, slots, on_death)) as outcomes:
        yield from unless_broken(outcomes)


def unless_broken(
    outcomes: Iterable[tuple[Item, Outcome]],
) -> Generator[tuple[Item, Outcome], None, None]:
    """The outcomes, until one slot's Blender has failed item after item.

    Raises:
        OdahError: so it is.
    """
    for item, outcome in outcomes:
        yield item, outcome
        if outcome.streak >= GIVE_UP_AFTER:
            raise OdahError(
                f"{outcome.streak} clips in a row could not be rendered, so the run stops and finished clips "
                f"stay; the last one: {outcome.why}"
            )


def _side_by_side(
    work: Callable[[Item], Outcome],
    items: Sequence[Item],
    slots: SlotPlan,
    on_death: Callable[[Item, Death], None],
) -> Generator[tuple[Item, Outcome], None, None]:
    orphans = []
    for k, result in in_processes(work, items, slots.count, slots.environments):
        if isinstance(result, Death):
            orphans.append(items[k])
            on_death(items[k], result)
        else:
            yield items[k], outcome_of(result)
    for k, result in in_processes(work, orphans, slots.count, slots.environments):
        yield orphans[k], outcome_of(result)


def outcome_of(result: Outcome | Failure) -> Outcome:
    """What `attempt` made of an item's work."""
    return Outcome(result.why) if isinstance(result, Failure) else result
