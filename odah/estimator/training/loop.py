"""Epochs of one stage: steps, validation, what is kept for going on, and when it ends.

What is drawn for a step depends on the config's seed and the step's place in the training alone, and all else
that decides it is in `last.ckpt`: a stage that was stopped goes on as if it had not been.

The loop is our own and devices, processes and precision are Lightning Fabric's: Lightning's Trainer does not
take up an epoch in its middle with the batches that were left.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.fabric import Fabric
from torch import Tensor, nn

from odah.errors import OdahError
from odah.estimator.config import StageConfig
from odah.estimator.evaluation.metrics import angle_errors
from odah.estimator.training.data import BatchOrder, Samples, Share, all_in_order, loader, seed_of
from odah.estimator.training.module import Answer, Stage
from odah.estimator.training.state import Clock, Row, State, StateFiles

_LAST_RATE = 0.01
"""Of the first learning rate, where the schedule `cosine` ends."""


@dataclass(frozen=True)
class Work:
    """What a stage is. folder: where it keeps its state. val: None without anybody to validate on."""

    name: str
    settings: StageConfig
    module: Stage
    train: Samples
    val: Samples | None
    folder: Path
    seed: int
    workers: int = 0


class Watcher:
    """Is told how a stage goes, in the first process only."""

    def began(self, work: Work, state: State, batches: int) -> None:
        """batches: of an epoch."""

    def batch_done(self, work: Work, state: State, frames_per_s: float) -> None:
        """state.batch is the next one."""

    def epoch_done(self, work: Work, state: State) -> None:
        """The epoch is the last of state.history."""

    def ended(self) -> None:
        """The stage is over, or an error ended it."""


@dataclass(frozen=True)
class Limits:
    """max_steps: of the optimizer, in each stage; None for all epochs. keep_every: s between two times that
    the state is kept within an epoch."""

    max_steps: int | None = None
    keep_every: float = 300.0


class Fit:
    """Trains one stage from where it is to its end."""

    def __init__(self, fabric: Fabric, work: Work, watchers: Sequence[Watcher], limits: Limits) -> None:
        self._fabric, self._work, self._limits = fabric, work, limits
        self._watchers = watchers if fabric.is_global_zero else ()
        self._share = Share(fabric.global_rank, fabric.world_size)
        settings = work.settings
        self._learning = [p for p in work.module.parameters() if p.requires_grad]
        self._optimizer = torch.optim.Adam(
            self._learning, settings.learning_rate, settings.betas, weight_decay=settings.weight_decay
        )
        self._module, self._stepper = fabric.setup(work.module, self._optimizer)
        self._files = StateFiles(work.folder, work.module.network, self._optimizer)
        self._batches = len(self._order(0))
        steps = math.ceil(self._batches / settings.accumulate) * settings.epochs
        self._steps = steps if limits.max_steps is None else min(steps, limits.max_steps)
        self._state = self._files.restored()

    def run(self) -> Row:
        """All epochs that are left; the network then has the weights of the best, whose row is given.

        Without validation that is the last one.

        Raises:
            OdahError: a loss (in validation, too) or gradient that is not finite; what was kept before
                stays.
        """
        state = self._state
        for watcher in self._watchers:
            watcher.began(self._work, state, self._batches)
        try:
            while not self._is_over():
                self._epoch()
        finally:
            for watcher in self._watchers:
                watcher.ended()
        self._fabric.barrier()
        self._files.take_best()
        return min(reversed(state.history), key=lambda row: row.get("val_total", 0.0))

    def _is_over(self) -> bool:
        state, settings = self._state, self._work.settings
        is_stale = settings.patience is not None and state.stale >= settings.patience
        return state.epoch >= settings.epochs or state.step >= self._steps or is_stale

    def _order(self, epoch: int) -> BatchOrder:
        work = self._work
        return BatchOrder(
            len(work.train), work.settings.batch, seed_of(work.seed, work.name, "order", epoch), self._share
        )

    def _epoch(self) -> None:
        state, clock, device = self._state, Clock(), self._fabric.device
        sums = {name: torch.tensor(total, device=device) for name, total in state.sums.items()}
        self._module.train()
        for batch in clock.waited(self._batches_left()):
            is_step = self._learn(batch, sums)
            state.batch += 1
            clock.frames += batch["is_frame"].numel() * self._share.world_size
            for watcher in self._watchers:
                watcher.batch_done(self._work, state, clock.frames_per_s)
            if state.step >= self._steps:
                break
            if is_step and state.batch < self._batches and clock.since_kept >= self._limits.keep_every:
                state.sums = {name: float(total) for name, total in sums.items()}
                self._keep(clock)
        self._end_epoch({name: float(total) / state.batch for name, total in sums.items()}, clock)

    def _batches_left(self) -> Iterator[Any]:
        work, state = self._work, self._state
        batches = list(self._order(state.epoch).batches(state.batch))
        found = loader(work.train, batches, work.workers, self._fabric.device.type == "cuda")
        return (self._fabric.to_device(batch) for batch in found)

    def _learn(self, batch: Mapping[str, Any], sums: dict[str, Tensor]) -> bool:
        """Gradients of a batch and, if it is the last of a step, the step; whether it was."""
        state, work = self._state, self._work
        accumulate = work.settings.accumulate
        is_step = (state.batch + 1) % accumulate == 0 or state.batch + 1 == self._batches
        generator = self._generator(state.epoch, state.batch)
        with self._fabric.no_backward_sync(self._module, enabled=not is_step):
            losses: dict[str, Tensor] = self._module(batch, generator)
            self._fabric.backward(losses["total"] / accumulate)
        _add(sums, losses)
        limit = work.settings.clip_norm if is_step else None
        norm = nn.utils.clip_grad_norm_(self._learning, math.inf if limit is None else limit)
        self._expect_finite(losses["total"].detach() + norm, batch)
        if not is_step:
            return False
        self._set_rate()
        self._stepper.step()
        self._stepper.zero_grad()
        state.step += 1
        return True

    def _generator(self, *place: object) -> torch.Generator:
        """Of all that is drawn for a batch in this process."""
        seed = seed_of(self._work.seed, self._work.name, *place, self._share.rank)
        return torch.Generator(self._fabric.device).manual_seed(seed)

    def _set_rate(self) -> None:
        settings = self._work.settings
        rate = settings.learning_rate
        if settings.schedule == "cosine":
            turn = math.pi * self._state.step / self._steps
            rate *= _LAST_RATE + (1 - _LAST_RATE) * (1 + math.cos(turn)) / 2
        for group in self._optimizer.param_groups:
            group["lr"] = rate

    def _expect_finite(self, value: Tensor, batch: Mapping[str, Any]) -> None:
        """All processes learn of it together, or the others would wait for the one that stops."""
        if math.isfinite(float(self._total(value))):
            return
        state = self._state
        firsts = zip(batch["clip_id"], batch["first_frame"], strict=True)
        clips = ", ".join(f"{clip} from frame {int(first)}" for clip, first in firsts)
        raise self._not_finite(
            f"epoch {state.epoch + 1}, batch {state.batch + 1}: the loss or its gradient",
            f"in the batch: {clips}; ",
        )

    def _not_finite(self, what: str, where: str = "") -> OdahError:
        work = self._work
        return OdahError(
            f"stage {work.name}, {what} is not a finite number; {where}what was kept before stays in "
            f"{work.folder}; a lower {work.name}.learning_rate may help"
        )

    def _end_epoch(self, losses: dict[str, float], clock: Clock) -> None:
        state, work = self._state, self._work
        state.epoch, state.batch, state.sums = state.epoch + 1, 0, {}
        row: Row = {"stage": work.name, "epoch": state.epoch, "step": state.step}
        row["learning_rate"] = self._optimizer.param_groups[0]["lr"]
        row |= {"frames_per_s": round(clock.frames_per_s, 1), "waiting": round(clock.waiting, 4)}
        row |= {f"train_{name}": value for name, value in losses.items()}
        is_best = True
        if work.val is not None:
            found = self._validated(work.val)
            if not math.isfinite(found["total"]):
                raise self._not_finite(f"epoch {state.epoch}: the validation loss")
            row |= {f"val_{name}": value for name, value in found.items()}
            is_best = found["total"] < state.best or not state.history
            state.best, state.stale = (found["total"], 0) if is_best else (state.best, state.stale + 1)
        state.history.append(row)
        if is_best and self._fabric.is_global_zero:
            self._files.keep_best()
        self._keep(clock)
        for watcher in self._watchers:
            watcher.epoch_done(work, state)

    @torch.no_grad()
    def _validated(self, val: Samples) -> dict[str, float]:
        """Losses and the mean angle error, over the samples of all processes."""
        self._module.eval()
        work, sums = self._work, dict[str, Tensor]()
        # Were there fewer samples than processes, those without one would not meet the others at the sums.
        share = self._share if len(val) >= self._share.world_size else Share()
        order = all_in_order(len(val), work.settings.batch, share)
        for number, batch in enumerate(loader(val, order, work.workers)):
            with self._fabric.autocast():
                answer = work.module.answer(self._fabric.to_device(batch), self._generator("val", number))
            count = answer.targets.is_frame.shape[0]
            found = {**work.module.losses(answer), "angle_error_deg": _angle_error_deg(answer)}
            _add(sums, {name: value * count for name, value in found.items()})
            _add(sums, {"": torch.tensor(float(count), device=self._fabric.device)})
        totals = {name: float(self._total(sums[name])) for name in sorted(sums)}
        count = totals.pop("")
        return {name: total / count for name, total in totals.items()}

    def _total(self, value: Tensor) -> Tensor:
        total = self._fabric.all_reduce(value, reduce_op="sum")
        assert isinstance(total, Tensor)
        return total

    def _keep(self, clock: Clock) -> None:
        if self._fabric.is_global_zero:
            self._files.keep(self._state)
        clock.kept()


def _add(sums: dict[str, Tensor], values: Mapping[str, Tensor]) -> None:
    for name, value in values.items():
        sums[name] = sums[name] + value.detach() if name in sums else value.detach()


def _angle_error_deg(answer: Answer) -> Tensor:
    errors = angle_errors(answer.prediction.angles, answer.targets.angles)
    return torch.rad2deg(errors[answer.targets.is_frame].mean())
