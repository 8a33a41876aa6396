"""Frames that ended badly begin again from other poses: far from rest, descent can end in a worse minimum."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from odah.osim.ik.answers import Answers
from odah.osim.ik.problem import IkProblem

_NUM_RESTARTS, _NUM_PROBES = 12, 6
_POOR = 4.0  # times the expected cost: twice the usual distance
_GOOD_ENOUGH = 1e-4  # m; weighted RMS distance below which nothing is gained


def restart(
    answers: Answers, start: Float[Tensor, "t P"], expected: Float[Tensor, " t"] | None = None
) -> None:
    """Solve poor frames again from poses drawn within the bounds, and keep the best.

    start: where they began; unbounded coordinates begin there again. expected: what frames should cost a
    unit of weight, m^2; None takes the median of all, and also solves some frames again that look well: all
    of a person who stands still may have ended in one and the same minimum. The draws are the same in every
    run.
    """
    is_probe = torch.zeros(len(start), dtype=torch.bool)
    if expected is None:
        expected = answers.mean_squares.median()
        is_probe[np.linspace(0, len(start) - 1, min(len(start), _NUM_PROBES)).astype(int)] = True
    limit = (_POOR * expected).clamp(min=_GOOD_ENOUGH**2)
    random = np.random.default_rng(0)
    for _ in range(_NUM_RESTARTS):
        squares = answers.mean_squares
        is_poor = (squares > limit) | ~answers.is_converged | (is_probe & (squares > _GOOD_ENOUGH**2))
        poor = torch.nonzero(is_poor)[:, 0]
        if len(poor) == 0:
            break
        answers.try_again(poor, _drawn(answers.trial.problem, start[poor], random))


def _drawn(
    problem: IkProblem, start: Float[Tensor, "t P"], random: np.random.Generator
) -> Float[Tensor, "t P"]:
    is_bounded = np.isfinite(problem.upper - problem.lower)
    low, high = np.where(is_bounded, problem.lower, 0.0), np.where(is_bounded, problem.upper, 0.0)
    drawn = torch.from_numpy(random.uniform(low, high, tuple(start.shape)))
    return torch.where(torch.from_numpy(is_bounded), drawn, start)
