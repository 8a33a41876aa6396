"""Where a stage of a training is, and the files that it goes on from."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from odah.errors import InputError
from odah.estimator.checkpoint import UNREADABLE
from odah.files import atomic_path

Item = TypeVar("Item")
Row = dict[str, float | int | str]
"""What an epoch came to, by the names of the columns of curves.csv."""


@dataclass
class State:
    """epoch, batch: the next ones. step: of the optimizer, done. best: validation loss; stale: epochs since.
    sums: of this epoch's losses so far. history: of the epochs before."""

    epoch: int = 0
    batch: int = 0
    step: int = 0
    best: float = math.inf
    stale: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    history: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class StateFiles:
    """`last.ckpt`, from which a stage goes on, and `best.ckpt`, the weights of its best epoch."""

    folder: Path
    network: nn.Module
    optimizer: torch.optim.Optimizer

    def keep(self, state: State) -> None:
        """Write all that going on needs, whole or not at all."""
        whole = {
            "weights": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "state": asdict(state),
        }
        with atomic_path(self.folder / "last.ckpt") as temporary:
            torch.save(whole, temporary)

    def keep_best(self) -> None:
        """Write the weights."""
        with atomic_path(self.folder / "best.ckpt") as temporary:
            torch.save({"weights": self.network.state_dict()}, temporary)

    def restored(self) -> State:
        """The state that was kept last, after giving network and optimizer theirs; else a new one.

        Raises:
            InputError: the file is damaged.
        """
        if not (self.folder / "last.ckpt").is_file():
            return State()
        whole = self._loaded("last.ckpt")
        try:
            self.optimizer.load_state_dict(whole["optimizer"])
            return State(**whole["state"])
        except UNREADABLE:
            raise _damaged(self.folder / "last.ckpt") from None

    def take_best(self) -> None:
        """Give the network the weights of the best epoch.

        Raises:
            InputError: the file is damaged.
        """
        self._loaded("best.ckpt")

    def _loaded(self, name: str) -> dict[str, Any]:
        try:
            whole = torch.load(self.folder / name, map_location="cpu", weights_only=True)
            self.network.load_state_dict(whole["weights"])
        except UNREADABLE:
            raise _damaged(self.folder / name) from None
        return whole


def _damaged(path: Path) -> InputError:
    return InputError(path, "damaged data", "what odah train kept; --restart begins the run anew")


class Clock:
    """How quick an epoch is, and which share of it passes in waiting for data."""

    def __init__(self) -> None:
        self._began = self._kept = time.monotonic()
        self._waited = 0.0
        self.frames = 0

    def waited(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items, while the time is taken that each is waited for."""
        began = time.monotonic()
        for item in items:
            self._waited += time.monotonic() - began
            yield item
            began = time.monotonic()

    def kept(self) -> None:
        """The state is on the disk now."""
        self._kept = time.monotonic()

    @property
    def since_kept(self) -> float:
        """s."""
        return time.monotonic() - self._kept

    @property
    def frames_per_s(self) -> float:
        """Frames in two views."""
        return self.frames / max(time.monotonic() - self._began, 1e-9)

    @property
    def waiting(self) -> float:
        """Share."""
        return self._waited / max(time.monotonic() - self._began, 1e-9)
