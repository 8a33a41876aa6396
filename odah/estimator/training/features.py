"""Frames' features of whole sequences, computed once and kept: the temporal part learns without pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from odah.estimator.checkpoint import UNREADABLE
from odah.estimator.config import TrainConfig
from odah.estimator.network.two_view import TwoViewNetwork
from odah.estimator.training.data import BatchOrder, Mixture, Place, all_in_order, loader, seed_of
from odah.estimator.training.module import KeptBatch, precise_prepare
from odah.files import atomic_path

_FRAMES_AT_ONCE = 64
"""Whose pictures are in memory together."""


class KeptFeatures:
    """Sequences' features and targets from the files of one or several draws, one draw after the other."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._draws = [torch.load(file, mmap=True, weights_only=True) for file in files]
        self._count = len(self._draws[0]["clip_id"])

    def __len__(self) -> int:
        return self._count * len(self._draws)

    def __getitem__(self, place: Place) -> dict[str, Any]:
        number, index = divmod(place[0], self._count)
        draw = self._draws[number]
        tensors = {name: tensor[index] for name, tensor in draw["tensors"].items()}
        return {**tensors, "clip_id": draw["clip_id"][index], "first_frame": draw["first_frame"][index]}


@dataclass(frozen=True)
class Drawing:
    """Computes features. digest: of all that they depend on. autocast: the precision's context."""

    network: TwoViewNetwork
    config: TrainConfig
    device: torch.device
    digest: str
    autocast: Callable[[], AbstractContextManager[Any]]
    tell: Callable[[int, int], None] = lambda done, total: None

    def keep(self, file: Path, data: Mixture, draw: int, augment: bool) -> None:
        """Write the features of every sequence, unless the file has them.

        draw: which of several; each draws other points, pictures' changes and pairs of views.
        """
        digest = f"{self.digest}/{draw}/{augment}"
        if not _has(file, digest):
            with atomic_path(file) as temporary:
                torch.save({"digest": digest, **self._compute(data, draw, augment)}, temporary)

    def _compute(self, data: Mixture, draw: int, augment: bool) -> dict[str, Any]:
        size = max(1, _FRAMES_AT_ONCE // self.config.data.length)
        order = all_in_order(len(data), size)
        if augment:  # with pairs of views that are drawn
            seed = seed_of(self.config.seed, "pairs", draw)
            pairs = {i: p for batch in BatchOrder(len(data), 1, seed).batches() for i, p in batch}
            order = [[(index, pairs[index]) for index, _ in batch] for batch in order]
        parts: list[dict[str, Tensor]] = []
        clips: list[str] = []
        firsts: list[int] = []
        for number, batch in enumerate(loader(data, order, self.config.workers)):
            seed = seed_of(self.config.seed, "features", draw, augment, number)
            parts.append(self._features(batch, torch.Generator(self.device).manual_seed(seed), augment))
            clips += batch["clip_id"]
            firsts += batch["first_frame"].tolist()
            self.tell(number + 1, len(order))
        tensors = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
        return {"tensors": tensors, "clip_id": clips, "first_frame": firsts}

    @torch.no_grad()
    def _features(self, batch: Any, generator: torch.Generator, augment: bool) -> dict[str, Tensor]:
        tensors = {n: v.to(self.device) if isinstance(v, Tensor) else v for n, v in batch.items()}
        prepared = precise_prepare(tensors, self.config, generator, augment)
        assert prepared.targets is not None
        with self.autocast():
            features = self.network.features(prepared.pictures)
        kept = KeptBatch(features, prepared.targets).tensors()
        return {n: t.float().cpu() if t.is_floating_point() else t.cpu() for n, t in kept.items()}


def _has(file: Path, digest: str) -> bool:
    if not file.is_file():
        return False
    try:
        return torch.load(file, mmap=True, weights_only=True)["digest"] == digest
    except (*UNREADABLE, KeyError):
        return False
