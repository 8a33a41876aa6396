"""What a training shows of itself: a bar or lines, curves as CSV and in TensorBoard, pictures."""

from __future__ import annotations

import csv
import io
from typing import Any

import torch
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from torch.utils.data import default_collate

from odah.estimator.training.data import Mixture
from odah.estimator.training.loop import Watcher, Work
from odah.estimator.training.module import Answer, Stage
from odah.estimator.training.panels import panels
from odah.estimator.training.run_folder import RunFolder
from odah.estimator.training.state import Row, State
from odah.files import atomic_path
from odah.progress import console, say

_PANELS = 4
"""Samples of which pictures are shown."""


def watchers(run: RunFolder, pictures: Mixture) -> list[Watcher]:
    """All of them. pictures: that panels are made of."""
    return [Bar() if console.is_terminal else Lines(), CurvesFile(run), Board(run, pictures)]


class Lines(Watcher):
    """A line an epoch."""

    def began(self, work: Work, state: State, batches: int) -> None:
        epochs = work.settings.epochs
        say(f"stage {work.name}: {len(work.train)} samples, {batches} batches an epoch, {epochs} epochs")

    def epoch_done(self, work: Work, state: State) -> None:
        say(epoch_line(state.history[-1], work.settings.epochs))


def epoch_line(row: Row, epochs: int) -> str:
    """An epoch in one line."""
    told = f"{row['stage']} epoch {row['epoch']}/{epochs}: train {row['train_total']:.4f}"
    if "val_total" in row:
        told += f", val {row['val_total']:.4f}, angles {row['val_angle_error_deg']:.2f} deg"
    waiting = 100 * float(row["waiting"])
    return f"{told}, {row['frames_per_s']:.0f} frames/s, {waiting:.1f} % of the time waiting for data"


class Bar(Watcher):
    """A bar an epoch on a terminal, and the epoch's line above it."""

    def __init__(self) -> None:
        self._progress: Progress | None = None

    def began(self, work: Work, state: State, batches: int) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"), TimeElapsedColumn(), TimeRemainingColumn(),
            console=console, transient=True,
        )  # fmt: skip
        self._task = self._progress.add_task(work.name, total=batches * work.settings.epochs, rate="")
        self._batches = batches

    def batch_done(self, work: Work, state: State, frames_per_s: float) -> None:
        assert self._progress is not None
        self._progress.start()
        self._progress.update(
            self._task,
            completed=state.epoch * self._batches + state.batch,
            description=f"{work.name} epoch {state.epoch + 1}/{work.settings.epochs}",
            rate=f"{frames_per_s:.0f} frames/s",
        )

    def epoch_done(self, work: Work, state: State) -> None:
        self.ended()
        say(epoch_line(state.history[-1], work.settings.epochs))

    def ended(self) -> None:
        assert self._progress is not None
        self._progress.stop()


class CurvesFile(Watcher):
    """curves.csv: a row an epoch of either stage."""

    def __init__(self, run: RunFolder) -> None:
        self._run = run

    def began(self, work: Work, state: State, batches: int) -> None:
        """Rows that a process kept in the state, but did not live to write."""
        if state.history:
            self.epoch_done(work, state)

    def epoch_done(self, work: Work, state: State) -> None:
        others = [row for row in read_curves(self._run) if row["stage"] != work.name]
        write_curves(self._run, [*others, *state.history])


def read_curves(run: RunFolder) -> list[dict[str, Any]]:
    """Rows of curves.csv as text; none without the file."""
    if not run.curves.is_file():
        return []
    with run.curves.open(newline="") as stream:
        return list(csv.DictReader(stream))


def write_curves(run: RunFolder, rows: list[dict[str, Any]]) -> None:
    """Write curves.csv anew."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(
        text, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n"
    )
    writer.writeheader()
    writer.writerows(rows)
    with atomic_path(run.curves) as temporary:
        temporary.write_text(text.getvalue())


class Board(Watcher):
    """The same rows as curves in TensorBoard, and the network's answers to a few samples as pictures."""

    def __init__(self, run: RunFolder, pictures: Mixture) -> None:
        self._run = run
        count = min(_PANELS, len(pictures))
        places = [(number * len(pictures) // count, 0) for number in range(count)]
        self._batch = default_collate([pictures[place] for place in places])

    def began(self, work: Work, state: State, batches: int) -> None:
        from torch.utils.tensorboard.writer import SummaryWriter

        # What comes at this step or later is of a process that was stopped, and will be told again.
        begin = state.step + 1
        self._writer = SummaryWriter(str(self._run.tensorboard / work.name), purge_step=begin)

    def epoch_done(self, work: Work, state: State) -> None:
        for name, value in state.history[-1].items():
            if not isinstance(value, str):
                self._writer.add_scalar(name.replace("_", "/", 1), value, state.step)
        picture = panels(answer_to(work.module, self._batch), work.module.skeleton)
        self._writer.add_image("answers", picture, state.step, dataformats="HWC")
        self._writer.flush()

    def ended(self) -> None:
        self._writer.close()


@torch.no_grad()
def answer_to(module: Stage, batch: dict[str, Any]) -> Answer:
    """What a module says to pictures that are not changed; always from the same points."""
    device = next(module.network.parameters()).device
    tensors = {n: v.to(device) for n, v in batch.items() if isinstance(v, torch.Tensor)}
    module.eval()
    return module.answer(tensors, torch.Generator(device).manual_seed(0))
