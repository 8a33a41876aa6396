"""The same work on many clips, in processes where there are many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from odah.dataset.report.facts import Unreadable
from odah.progress import steps
from odah.workers import Failure, in_processes, num_cores

Item = TypeVar("Item")
Result = TypeVar("Result")

_WORTH_PROCESSES = 40
"""Fewer items are done before processes have started."""


def over_clips(
    function: Callable[[Item], Result | Unreadable],
    items: Sequence[Item],
    names: Sequence[str],
    description: str,
) -> tuple[list[Result], list[Unreadable]]:
    """What `function` makes of each item, in order, and what could not be read; names: of their clips."""
    done: dict[int, Result | Unreadable] = {}
    with steps(description) as bar:
        if len(items) < _WORTH_PROCESSES:
            outcomes = ((k, function(item)) for k, item in enumerate(items))
        else:
            outcomes = in_processes(function, items, min(num_cores(), len(items)))
        for k, outcome in outcomes:
            done[k] = Unreadable(names[k], outcome.why) if isinstance(outcome, Failure) else outcome
            bar(len(done), len(items))
    ordered = [done[k] for k in range(len(items))]
    lost = [outcome for outcome in ordered if isinstance(outcome, Unreadable)]
    return [outcome for outcome in ordered if not isinstance(outcome, Unreadable)], lost
