"""Frames that ended badly begin again from other poses: far from rest, descent can end in a worse minimum."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from odah.osim.ik.problem import IkProblem, IkSolver
from odah.osim.ik.trial import IkTrial

_NUM_RESTARTS = 12
_POOR = 4.0  # times the median cost of the trial: twice the usual distance
_GOOD_ENOUGH = 1e-4  # m; weighted RMS distance below which nothing is gained
_BETTER = 1e-6  # relative


def restart(
    solver: IkSolver,
    trial: IkTrial,
    index: Int[np.ndarray, " t"],
    start: Float[Tensor, "t P"],
    x: Float[Tensor, "t P"],
    costs: Float[Tensor, " t"],
    is_converged: Bool[Tensor, " t"],
) -> None:
    """Solve poor frames again from poses drawn within the bounds, and keep the best.

    index: the frames of x, costs and is_converged, which are changed in place. start: where they began;
    unbounded coordinates begin there again. The draws are the same in every run.
    """
    total = torch.from_numpy((trial.weights * trial.is_seen[index]).sum(1))
    means = costs / total
    limit = max(_POOR * float(means.median()), _GOOD_ENOUGH**2)
    random = np.random.default_rng(0)
    for _ in range(_NUM_RESTARTS):
        poor = torch.nonzero((costs / total > limit) | ~is_converged)[:, 0]
        if len(poor) == 0:
            break
        begin = _drawn(trial.problem, start[poor], random)
        solution = solver(begin, trial.frames(index[poor.numpy()]))
        better = solution.costs < costs[poor] * (1.0 - _BETTER)
        gained = poor[better]
        x[gained], costs[gained] = solution.x[better], solution.costs[better]
        is_converged[gained] = solution.is_converged[better]


def _drawn(
    problem: IkProblem, start: Float[Tensor, "t P"], random: np.random.Generator
) -> Float[Tensor, "t P"]:
    is_bounded = np.isfinite(problem.upper - problem.lower)
    low, high = np.where(is_bounded, problem.lower, 0.0), np.where(is_bounded, problem.upper, 0.0)
    drawn = torch.from_numpy(random.uniform(low, high, tuple(start.shape)))
    return torch.where(torch.from_numpy(is_bounded), drawn, start)
