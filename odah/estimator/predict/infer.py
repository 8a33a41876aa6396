"""Frames of the person, as they come, through the network in overlapping windows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import torch

from odah.estimator.batch import Prediction
from odah.estimator.config import DataConfig
from odah.estimator.inputs.prepare import prepare
from odah.estimator.network.two_view import TwoViewNetwork
from odah.estimator.predict.crops import PersonCrop, sample_of
from odah.estimator.predict.motion import in_ground
from odah.estimator.skeleton import Skeleton
from odah.estimator.windows import join_windows, window_starts
from odah.scene.camera import Camera

Frame = tuple[PersonCrop, ...]
"""One time in all views."""


def infer(
    network: TwoViewNetwork,
    data: DataConfig,
    frames: Iterator[Frame],
    num_frames: int,
    cameras: Sequence[Camera],
    T_world_ground: np.ndarray,
    *,
    draws: int = 1,
    hop: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Prediction:
    """One answer in ground (`odah.estimator.predict.motion.in_ground`) about all frames (B = 1).

    Each window is seen from its own `ref`, as in training, and told in ground before they
    are joined. Only the frames of one window are kept.

    Args:
        draws: of points in each window; the answers are averaged. hop: frames from window to window; half of
            their length if None. seed: of the draws.
    """
    length = data.length
    starts = window_starts(num_frames, length, hop or max(length // 2, 1))
    device = next(network.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    skeleton = Skeleton().to(device)
    # Crops are made at the network's own size, so that nothing is resampled twice.
    data = data.model_copy(update={"recrop": False})
    answers = []
    for start, window in zip(starts, _windows(frames, starts, length), strict=True):
        sample = {
            name: torch.from_numpy(np.ascontiguousarray(array))[None].to(device)
            for name, array in sample_of(window, cameras, T_world_ground, length).items()
        }
        for _ in range(draws):
            with torch.inference_mode():
                prepared = prepare(sample, data, generator=generator)
                answer = network(prepared.pictures, sample["is_frame"])
                answers.append(in_ground(answer, prepared.reference, skeleton))
        if progress is not None:
            progress(min(start + length, num_frames), num_frames)
    return join_windows(_stacked(answers), [start for start in starts for _ in range(draws)], num_frames)


def _windows(frames: Iterator[Frame], starts: Sequence[int], length: int) -> Iterator[list[Frame]]:
    """The frames of each window; what no later one needs is let go."""
    held: list[Frame] = []
    first = 0
    for start in starts:
        held, first = held[start - first :], start
        held += islice(frames, length - len(held))
        yield _without_gaps(held)


def _without_gaps(frames: list[Frame]) -> list[Frame]:
    """Times at which no view shows anybody show what the nearest other time does."""
    seen = [t for t, frame in enumerate(frames) if any(crop.is_person for crop in frame)]
    if not seen:
        return frames
    return [frames[min(seen, key=lambda other: abs(other - t))] for t in range(len(frames))]


def _stacked(answers: Sequence[Prediction]) -> Prediction:
    fields = {name: [getattr(answer, name) for answer in answers] for name in vars(answers[0])}
    whole: dict[str, Any] = {name: torch.cat(parts) for name, parts in fields.items() if parts[0] is not None}
    return Prediction(**whole)
