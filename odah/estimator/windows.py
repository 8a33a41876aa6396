"""Long sequences in overlapping windows: where these begin, and one answer out of those of all.

Letters: W windows of T frames each, F frames of the whole sequence.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from odah.estimator.batch import Prediction
from odah.estimator.inputs.reference import pelvis_angles, pelvis_rotmats
from odah.estimator.skeleton import ANGLES, FREE_PLACES

_PELVIS = [ANGLES.index(name) for name in ("pelvis_tilt", "pelvis_list", "pelvis_rotation")]


def window_starts(num_frames: int, length: int, hop: int) -> list[int]:
    """First frames of windows of `length` frames, `hop` frames apart; the last one ends with the sequence, so
    that each frame is in a window. A single one, at 0, where the sequence is shorter than a window.

    Raises:
        ValueError: nothing to cover, or a hop that leaves frames out.
    """
    if num_frames < 1 or not 1 <= hop <= length:
        raise ValueError(f"{num_frames} frames, windows of {length} every {hop}")
    last = max(num_frames - length, 0)
    starts = list(range(0, last + 1, hop))
    return starts if starts[-1] == last else [*starts, last]


def raised_cosine(length: int) -> Float[Tensor, " T"]:
    """Weights of a window's frames, positive, largest in its middle where most neighbours are known."""
    phase = (torch.arange(length, dtype=torch.float64) + 0.5) / length
    return (0.5 - 0.5 * torch.cos(2 * torch.pi * phase)).to(torch.float32)


def frames_there(num_frames: int, starts: Sequence[int], length: int) -> Bool[Tensor, "W T"]:
    """False where a window reaches beyond the end of the sequence."""
    return torch.tensor(starts)[:, None] + torch.arange(length) < num_frames


def overlap_add(
    parts: Float[Tensor, "W T *D"], starts: Sequence[int], num_frames: int, weights: Float[Tensor, " T"]
) -> Float[Tensor, " F *D"]:
    """The weighted mean of all windows' values of each frame.

    weights: of a window's frames, positive. What a window says beyond the end does not count.

    Raises:
        ValueError: a frame that is in no window.
    """
    length = parts.shape[1]
    inside = frames_there(num_frames, starts, length).to(parts.device)
    places = _frames_of(num_frames, starts, length, parts.device)[inside]
    shares = weights.to(parts).expand(len(starts), length)[inside]
    total = parts.new_zeros(num_frames).index_add(0, places, shares)
    if not bool((total > 0).all()):
        raise ValueError(f"windows at {list(starts)} do not cover {num_frames} frames")
    broadcast = (-1, *(1,) * (parts.ndim - 2))
    added = parts.new_zeros(num_frames, *parts.shape[2:])
    added = added.index_add(0, places, parts[inside] * shares.view(broadcast))
    return added / total.view(broadcast)


def join_windows(windows: Prediction, starts: Sequence[int], num_frames: int) -> Prediction:
    """One answer for the whole sequence (B = 1) from those of its windows (B = W).

    The windows must tell the pelvis in the same axes. Its three angles are averaged as a rotation, the others
    that no range bounds on the circle. There is one set of scales, the mean of those of the windows (or
    frames), in which more frames and smaller expected errors count more.
    """
    weights = raised_cosine(windows.angles.shape[1])
    free = windows.angles[..., FREE_PLACES]

    def add(parts: Tensor) -> Tensor:
        return overlap_add(parts, starts, num_frames, weights)

    def joined(parts: Tensor | None) -> Tensor | None:
        return None if parts is None else add(parts)[None]

    angles = add(windows.angles)
    angles[:, FREE_PLACES] = torch.atan2(add(free.sin()), add(free.cos()))
    angles[:, _PELVIS] = pelvis_angles(mean_rotmats(add(pelvis_rotmats(windows.angles[..., _PELVIS]))))
    return Prediction(
        angles=angles[None],
        scales=_mean_scales(windows, starts, num_frames)[None, None],
        pelvis=joined(windows.pelvis),
        errors=joined(windows.errors),
        located=joined(windows.located),
    )


def mean_rotmats(sums: Float[Tensor, "*B 3 3"]) -> Float[Tensor, "*B 3 3"]:
    """The rotations nearest to (weighted) sums or means of rotation matrices."""
    u, _, vt = torch.linalg.svd(sums)
    u = torch.cat([u[..., :2], u[..., 2:] * torch.linalg.det(u @ vt)[..., None, None]], dim=-1)
    return u @ vt


def _frames_of(num_frames: int, starts: Sequence[int], length: int, device: torch.device) -> Tensor:
    places = torch.tensor(starts, device=device)[:, None] + torch.arange(length, device=device)
    return places.clamp(max=num_frames - 1)


def _mean_scales(windows: Prediction, starts: Sequence[int], num_frames: int) -> Float[Tensor, "K 3"]:
    is_frame = frames_there(num_frames, starts, windows.angles.shape[1]).to(windows.angles)
    if windows.errors is not None:
        is_frame = is_frame / windows.errors.mean(-1).square().clamp(min=1e-6)
    if windows.scales.shape[1] == 1:
        is_frame = is_frame.sum(1, keepdim=True)
    return (windows.scales * is_frame[..., None, None]).sum((0, 1)) / is_frame.sum()
