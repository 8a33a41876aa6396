"""Progress bars on a terminal, silence elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

Item = TypeVar("Item")

console = Console(stderr=True, highlight=False)
"""Everything meant for eyes; standard output stays free for results."""


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


def track(items: Sequence[Item], description: str) -> Iterator[Item]:
    """Iterate with a bar and an estimate of the time left."""
    with _progress() as progress:
        yield from progress.track(items, description=description)


class Steps:
    """A bar that is told how far the work is."""

    def __init__(self, progress: Progress, description: str) -> None:
        self._progress = progress
        self._task = progress.add_task(description, total=None)

    def __call__(self, done: int, total: int) -> None:
        self._progress.update(self._task, completed=done, total=total)


@contextmanager
def steps(description: str) -> Iterator[Steps]:
    """A bar for work that reports (done, total) itself."""
    with _progress() as progress:
        yield Steps(progress, description)


def say(line: str | Text) -> None:
    """One line for the user, as it stands: brackets are no markup, and a pipe gets it in one piece."""
    console.print(line, markup=False, emoji=False, soft_wrap=True)
