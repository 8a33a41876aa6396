"""The poses of a whole clip at once: stage II of the fit (cf. MoSh++, section 3.3).

Levenberg-Marquardt. Eight frames a second or so are solved first; their corrections, interpolated,
start the others, which then need two or three iterations. A frame that has settled leaves the batch.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from odah.body.fitting.clip_problem import ClipProblem
from odah.body.fitting.clip_terms import ClipTerms
from odah.body.fitting.pose_state import PoseState
from odah.body.fitting.skinned_points import SkinnedPoints
from odah.body.so3 import rotmat_to_rotvec, rotvec_to_rotmat

_INITIAL_DAMPING, _DAMPING_RANGE = 1e-4, (1e-7, 1e7)
_KEYFRAME_SPACING = 8 / 60
"""s."""
_SETTLED = 0.04
"""A frame whose last step could gain no more, in squared sigmas, has settled: it was at most 0.3 sigmas off
before that step, and a step leaves about a third, as the pose correctives follow."""
_ROUNDING = 1e-5
"""Of a frame's cost: by so much it may rise."""
_WIDER = 4.0
"""Robust scales of the keyframes against the clip's: from afar, no good point is taken for an outlier."""


def solve_clip(
    points: SkinnedPoints,
    state: PoseState,
    terms: ClipTerms,
    max_iterations: int = 12,
    frames_at_once: int = 128,
) -> PoseState:
    """Poses and translations of all frames of a clip, the shape held.

    The smoothness couples all frames, so a clip is solved whole: about 30 kB a frame in single precision.
    `frames_at_once` is how many are worked on together, for the sake of the processor's cache.

    Args:
        points: what `terms.targets` are targets of; its dtype is used throughout.
        state: the start; jaw, eyes and fingers keep its pose.
    """
    terms = terms.to(points.dtype)
    state = PoseState(*(tensor.to(points.dtype) for tensor in vars(state).values()))
    stride = round(terms.rate * _KEYFRAME_SPACING)
    if stride > 1 and len(state.transl) > 2 * stride:
        keys = PoseState(state.betas, state.local_rotmats[::stride], state.transl[::stride])
        wide = replace(terms.every(stride), robust_scales=_WIDER * terms.robust_scales)
        solved = _minimize(ClipProblem(points, wide, state.betas, frames_at_once), keys, max_iterations)
        state = _with_corrections(state, solved, stride)
    return _minimize(ClipProblem(points, terms, state.betas, frames_at_once), state, max_iterations)


def _minimize(problem: ClipProblem, state: PoseState, max_iterations: int) -> PoseState:
    num_frames = len(state.transl)
    damping = torch.full_like(state.transl[:, 0], _INITIAL_DAMPING)
    is_moving = torch.ones(num_frames, dtype=torch.bool)
    for _ in range(max_iterations):
        frames = is_moving.nonzero()[:, 0]
        if len(frames) == 0:
            break
        model = problem.linearize(state, frames, damping[frames])
        step, hoped = problem.step(model, num_frames)
        trial = problem.moved(state, frames, step)
        gains = model.costs - problem.costs(trial, model)
        gains = gains + (_windowed(problem.bends(state)) - _windowed(problem.bends(trial)))[frames]
        is_better = gains > -_ROUNDING * model.costs
        state = _merged(state, trial, frames[is_better])
        is_settled = hoped.abs() < _SETTLED
        is_moving[frames] = ~is_settled
        if problem.terms.smoothness.is_on:
            is_moving = _with_neighbours(is_moving)
        factor = torch.where(is_better, 0.1, 10.0).to(damping)
        damping[frames] = (damping[frames] * factor).clamp(*_DAMPING_RANGE)
    return state


def _merged(state: PoseState, trial: PoseState, frames: Tensor) -> PoseState:
    """The trial's poses in some frames."""
    local, transl = state.local_rotmats.clone(), state.transl.clone()
    local[frames], transl[frames] = trial.local_rotmats[frames], trial.transl[frames]
    return PoseState(state.betas, local, transl)


def _windowed(bends: Tensor) -> Tensor:
    """(T,) costs of all the bends that a frame takes part in."""
    padded = torch.nn.functional.pad(bends, (1, 1))
    return padded[:-2] + padded[1:-1] + padded[2:]


def _with_neighbours(chosen: Tensor) -> Tensor:
    """A frame's smoothness depends on one frame to either side of each of its neighbours."""
    return torch.nn.functional.max_pool1d(chosen[None].float(), 5, 1, 2)[0] > 0


def _with_corrections(state: PoseState, solved: PoseState, stride: int) -> PoseState:
    """Every frame's start, corrected as its keyframes were, in between linearly in turns and shifts.

    Frames beyond the last keyframe are corrected as that is.
    """
    place = torch.arange(len(state.transl)) / stride
    before = place.long()
    after = (before + 1).clamp(max=len(solved.transl) - 1)
    amount = (place - before).to(state.transl)
    turns = solved.local_rotmats @ state.local_rotmats[::stride].mT
    shifts = solved.transl - state.transl[::stride]
    between = rotmat_to_rotvec(turns[after] @ turns[before].mT)
    turn = rotvec_to_rotmat(amount[:, None, None] * between) @ turns[before]
    shift = torch.lerp(shifts[before], shifts[after], amount[:, None])
    return PoseState(state.betas, turn @ state.local_rotmats, state.transl + shift)
