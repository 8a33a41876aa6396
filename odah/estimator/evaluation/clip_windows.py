"""A dataset's clip as the windows that a network sees of it, at its rate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from odah.dataset.packed import is_packed
from odah.dataset.reader import Clip, Dataset
from odah.dataset.sequences import SequenceDataset
from odah.estimator.config import DataConfig
from odah.estimator.rates import frames_at_rate
from odah.estimator.windows import window_starts

Sample = dict[str, Tensor]

_PICTURES = ("images", "masks", "K", "is_person")
_OF_CLIP = ("T_cam_world", "T_world_ground")


class ClipWindows:
    """Overlapping by half, so that every frame is well inside of one; iterating reads one after the other.

    Attributes:
        frames: of the clip, that are seen; the nearest ones at the network's rate.
        starts: of the windows, among those frames.
    """

    def __init__(self, dataset: Dataset, clip: Clip, data: DataConfig, views: Sequence[str]) -> None:
        self.frames = frames_at_rate(clip.num_frames, clip.rate, data.rate)
        self.starts = window_starts(len(self.frames), data.length, max(data.length // 2, 1))
        self._length = data.length
        spans = [self.frames[start : start + data.length] for start in self.starts]
        alone = replace(dataset, chosen=(clip.clip_id,))
        self._runs = SequenceDataset(
            alone,
            length=max(int(span[-1] - span[0]) + 1 for span in spans),
            stride=1,
            size=data.size,
            views=views,
            packed=is_packed(alone, data.size),
        )
        self._spans = spans

    def __iter__(self) -> Iterator[Sample]:
        """Batches of one window, without labels."""
        return map(self._window, self._spans)

    def _window(self, span: Int[np.ndarray, " F"]) -> Sample:
        first = min(int(span[0]), len(self._runs) - 1)
        sample = self._runs[first]
        count = len(span)
        places = torch.from_numpy(span[np.minimum(np.arange(self._length), count - 1)] - first)
        taken = {name: sample[name].index_select(1, places)[None] for name in _PICTURES}
        taken |= {name: sample[name][None] for name in _OF_CLIP}
        return {**taken, "is_frame": (torch.arange(self._length) < count)[None]}
