"""Shape and marker placement of a subject from a few frames: stage I of the fit (cf. MoSh++, section 3.2).

Levenberg-Marquardt on everything at once. Each frame's pose is eliminated by a Schur complement; the step
of the betas is the exact minimum of what is left of the quadratic model within their bounds.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from scipy.optimize import lsq_linear
from torch import Tensor

from odah.body.fitting.hand_clearance import HandClearance
from odah.body.fitting.skinned_points import SkinnedPoints
from odah.body.fitting.subject_problem import (
    Blocks,
    ShapeKnowledge,
    SubjectProblem,
    SubjectState,
    SubjectTerms,
)

_INITIAL_DAMPING, _DAMPING_RANGE = 1e-3, (1e-7, 1e7)
_RELATIVE_TOLERANCE = 1e-4
_ANNEALING = (4.0, 1.0)
"""Robust scales start this many times wider, so that a poor start takes no good marker for an outlier."""


def solve_subject(
    points: SkinnedPoints,
    state: SubjectState,
    terms: SubjectTerms,
    shape: ShapeKnowledge,
    clearance: HandClearance | None = None,
    max_iterations: int = 25,
) -> SubjectState:
    """Betas, marker offsets and the poses of a few frames that satisfy `terms` best.

    Joint centres, surface markers or both: a point is what `points` says. Nothing is random. Betas stay
    within `shape.lower` and `shape.upper`, exactly, also where the start does not.
    """
    fixed = (terms.offset_sigmas <= 0)[:, None]
    state = replace(
        state,
        betas=state.betas.clamp(shape.lower, shape.upper),
        offsets=torch.where(fixed, terms.offset_means, state.offsets),
    )
    stages = _ANNEALING if torch.isfinite(terms.robust_scales).any() else _ANNEALING[-1:]
    for factor in stages:
        annealed = replace(terms, robust_scales=factor * terms.robust_scales)
        state = _minimize(SubjectProblem(points, annealed, shape, clearance), state, max_iterations)
    return state


def _minimize(problem: SubjectProblem, state: SubjectState, max_iterations: int) -> SubjectState:
    damping, posed = _INITIAL_DAMPING, problem.pose(state)
    cost, blocks = problem.cost(state, posed), problem.blocks(state, posed)
    lower, upper = problem.shape.lower, problem.shape.upper
    for _ in range(max_iterations):
        steps = _step(blocks, damping, lower - state.betas, upper - state.betas)
        trial = problem.moved(state, posed, *steps)
        trial = replace(trial, betas=trial.betas.clamp(lower, upper))
        trial_posed = problem.pose(trial)
        trial_cost = problem.cost(trial, trial_posed)
        gain = cost - trial_cost
        damping = float(np.clip(damping * (0.1 if gain > 0 else 10), *_DAMPING_RANGE))
        if gain > 0:
            state, posed, cost = trial, trial_posed, trial_cost
        if abs(gain) < _RELATIVE_TOLERANCE * cost:
            break
        if gain > 0:
            blocks = problem.blocks(state, posed)
    return state


def _step(blocks: Blocks, damping: float, lowest: Tensor, highest: Tensor) -> tuple[Tensor, Tensor]:
    """Pose step (K, 69) and shared step (S,), the last B of which lie within `lowest` and `highest` (B,)."""
    factor = _damped_factor(blocks.pose_hessian, damping)
    by_shared = torch.cholesky_solve(blocks.cross, factor)
    by_gradient = torch.cholesky_solve(blocks.pose_gradient[..., None], factor)
    reduced = blocks.hessian - torch.einsum("kpa,kpb->ab", blocks.cross, by_shared)
    gradient = blocks.gradient - (blocks.cross.mT @ by_gradient)[..., 0].sum(0)
    shared = _bounded_minimum(_damped_factor(reduced, damping), gradient, lowest, highest)
    return -(by_gradient[..., 0] + by_shared @ shared), shared


def _damped_factor(hessian: Tensor, damping: float) -> Tensor:
    diagonal = hessian.diagonal(dim1=-2, dim2=-1)
    extra = damping * diagonal + 1e-9 * diagonal.amax(-1, keepdim=True)
    return torch.linalg.cholesky(hessian + torch.diag_embed(extra))


def _bounded_minimum(factor: Tensor, gradient: Tensor, lowest: Tensor, highest: Tensor) -> Tensor:
    """The x that minimizes x.T L L.T x / 2 + g.T x with its last entries within bounds; the rest is free.

    The trailing block of the Cholesky factor L is that of the Schur complement of the free entries, so
    the bounded ones come first, as a small least-squares problem within bounds (Stark and Parker 1995).
    """
    free = len(gradient) - len(lowest)
    whitened = -torch.linalg.solve_triangular(factor, gradient[:, None], upper=False)[:, 0]
    lower_right = factor[free:, free:]
    bounded = torch.linalg.solve_triangular(lower_right.T, whitened[free:, None], upper=True)[:, 0]
    if bool(((bounded < lowest) | (bounded > highest)).any()):
        room = torch.stack([lowest.clamp(max=-1e-12), highest.clamp(min=1e-12)]).numpy()
        found = lsq_linear(lower_right.T.numpy(), whitened[free:].numpy(), tuple(room), method="bvls")
        bounded = torch.from_numpy(found.x)
    rest = whitened[:free] - factor[free:, :free].T @ bounded
    leading = torch.linalg.solve_triangular(factor[:free, :free].T, rest[:, None], upper=True)[:, 0]
    return torch.cat([leading, bounded])
