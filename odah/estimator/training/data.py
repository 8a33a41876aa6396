"""What a training reads: runs of frames of datasets, in an order that depends on seeds alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Protocol, cast

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, default_collate

from odah.dataset.reader import Dataset as OdahDataset
from odah.dataset.sequences import SequenceDataset
from odah.estimator.config import DataConfig
from odah.estimator.rates import rate_steps

Place = tuple[int, int]
"""A run, and a number that chooses which of its views are seen."""

_KEYS = (
    *("images", "masks", "K", "T_cam_world", "T_world_ground", "is_frame", "is_person"),
    *("coordinates", "joints", "body_coms", "scale_factors"),
)


class Samples(Protocol):
    """What batches are collated from."""

    def __len__(self) -> int: ...
    def __getitem__(self, place: Place, /) -> dict[str, Any]: ...


def seed_of(*parts: object) -> int:
    """A seed for a generator from all that tells a draw from others, such as stage, epoch and batch."""
    return int.from_bytes(hashlib.sha256("/".join(map(str, parts)).encode()).digest()[:7], "big")


class Runs:
    """Runs of `length` frames of one dataset at the wanted rate, each seen by two views or the only one.

    A run is asked for as a `Place`; of more than two views any two are seen if `any_pair`, else the first.

    Args:
        stride: frames at the wanted rate between the beginnings of runs.
    """

    def __init__(
        self,
        dataset: OdahDataset,
        data: DataConfig,
        *,
        length: int,
        stride: int,
        any_pair: bool = False,
        packed: bool = False,
    ) -> None:
        frames = rate_steps(dataset.rate, data.rate, length)
        every = max(1, round(stride * (1.0 if data.rate is None else dataset.rate / data.rate)))
        self._frames = None if len(frames) == frames[-1] + 1 else torch.from_numpy(frames)
        self._runs = SequenceDataset(dataset, int(frames[-1]) + 1, every, size=data.size, packed=packed)
        views = dataset.views
        pairs = list(combinations(views, 2)) if any_pair and len(views) > 2 else [views[:2]]
        self._pairs = [self._runs.seen_by(pair) for pair in pairs]

    def __len__(self) -> int:
        return len(self._runs)

    def __getitem__(self, place: Place) -> dict[str, Any]:
        index, pair = place
        sample = self._pairs[pair % len(self._pairs)][index]
        kept = {name: sample[name] for name in _KEYS}
        if self._frames is not None:
            kept = {name: _at(name, tensor, self._frames) for name, tensor in kept.items()}
        return {**kept, "clip_id": sample["clip_id"], "first_frame": sample["first_frame"]}


def _at(name: str, tensor: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
    if name in ("T_cam_world", "T_world_ground", "scale_factors"):
        return tensor
    by_view = name in ("images", "masks", "K", "is_person")
    return tensor.index_select(1 if by_view else 0, frames)


class Mixture:
    """The runs of several datasets, one after the other."""

    def __init__(self, parts: Sequence[Runs]) -> None:
        self._parts = list(parts)
        self._ends = np.cumsum([len(part) for part in parts])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, place: Place) -> dict[str, Any]:
        part = int(np.searchsorted(self._ends, place[0], side="right"))
        before = int(self._ends[part - 1]) if part else 0
        return self._parts[part][place[0] - before, place[1]]


@dataclass(frozen=True)
class Share:
    """Which of several equal processes this is."""

    rank: int = 0
    world_size: int = 1


@dataclass(frozen=True)
class BatchOrder:
    """The batches of an epoch, in the order that its seed gives; every process has as many, all of them full.

    What is left over after the last full batch waits for the next epoch, which has another order.
    """

    num_items: int
    batch: int
    seed: int
    share: Share = Share()

    def __len__(self) -> int:
        return max(1, self.num_items // (self.batch * self.share.world_size))

    def batches(self, start: int = 0) -> Iterator[list[Place]]:
        """From the batch `start` on."""
        rng = np.random.default_rng(self.seed)
        wanted = len(self) * self.batch * self.share.world_size
        order = np.resize(rng.permutation(self.num_items), wanted)
        pairs = rng.integers(1 << 30, size=wanted)
        places = [(int(index), int(pair)) for index, pair in zip(order, pairs, strict=True)]
        mine = places[self.share.rank :: self.share.world_size]
        for number in range(start, len(self)):
            yield mine[number * self.batch : (number + 1) * self.batch]


def all_in_order(num_items: int, batch: int, share: Share = Share()) -> list[list[Place]]:
    """Every item once over all processes, for validation."""
    mine = [(index, index) for index in range(share.rank, num_items, share.world_size)]
    return [mine[start : start + batch] for start in range(0, len(mine), batch)]


def loader(
    samples: Samples, batches: Sequence[list[Place]], workers: int, pin: bool = False
) -> DataLoader[Any]:
    """Reads batches in that order. workers: processes; 0: this one."""
    return DataLoader(
        cast(Dataset[Any], samples),
        batch_sampler=batches,
        num_workers=min(workers, len(batches)),
        collate_fn=default_collate,
        pin_memory=pin,
    )
