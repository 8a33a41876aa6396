"""Frames learn from their neighbours: out of worse minima, and over to the angles that do not leap."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from odah.osim.ik.problem import IkSolver
from odah.osim.ik.trial import IkTrial

_APART = 0.2
"""rad or m between neighbours: less is the same minimum, moved on."""
_POOR = 1.05  # cost relative to the neighbour's
_BETTER = 1e-6  # relative: what a neighbour's answer must gain to be taken
_LEAP, _AS_GOOD = 0.7, 1.05  # rad between frames; cost relative to the leaping answer's
_MAX_SWEEPS = 200


def settle(
    solver: IkSolver,
    trial: IkTrial,
    index: Int[np.ndarray, " t"],
    x: Float[Tensor, "t P"],
    costs: Float[Tensor, " t"],
) -> None:
    """Let frames start again from a neighbour's answer that is another and better one, until none gains.

    index: the frames of x and costs, which are changed in place.
    """
    failed = torch.zeros(2, len(x), dtype=torch.bool)  # tried in vain, with the neighbour as it is
    num_idle = 0
    for sweep in range(_MAX_SWEEPS):
        side = sweep % 2
        shift = 1 if side == 0 else -1
        near, near_costs = torch.roll(x, shift, dims=0), torch.roll(costs, shift)
        is_poor = ((near - x).abs().amax(-1) > _APART) & (costs > _POOR * near_costs) & ~failed[side]
        poor = torch.nonzero(is_poor)[:, 0]
        num_idle = num_idle + 1 if len(poor) == 0 else 0
        if num_idle == 2:  # neither side has anything to offer
            break
        if len(poor) == 0:
            continue
        solution = solver(near[poor], trial.frames(index[poor.numpy()]))
        is_better = solution.costs < costs[poor] * (1.0 - _BETTER)
        gained = poor[is_better]
        x[gained], costs[gained] = solution.x[is_better], solution.costs[is_better]
        failed[side, poor[~is_better]] = True
        failed[:, (gained + 1) % len(x)] = False
        failed[:, gained - 1] = False


def follow(
    solver: IkSolver,
    trial: IkTrial,
    index: Int[np.ndarray, " t"],
    x: Float[Tensor, "t P"],
    costs: Float[Tensor, " t"],
    is_angle: np.ndarray,
) -> None:
    """Where angles leap, take the minimum near the frame before if it is about as good.

    Ball joints have two sets of angles for one pose, and lose one near gimbal lock.
    """
    angles = torch.from_numpy(np.flatnonzero(is_angle))

    def leaps(k: int) -> bool:
        return bool((x[k, angles] - x[k - 1, angles]).abs().max() > _LEAP)

    steps = (x[1:, angles] - x[:-1, angles]).abs().amax(-1)
    waiting = list(reversed((torch.nonzero(steps > _LEAP)[:, 0] + 1).tolist()))
    while waiting:
        k = waiting.pop()
        if not leaps(k):
            continue
        solution = solver(x[k - 1 : k].clone(), trial.frames(index[k : k + 1]))
        if solution.costs[0] <= _AS_GOOD * costs[k]:
            x[k], costs[k] = solution.x[0], solution.costs[0]
            if k + 1 < len(x) and (not waiting or waiting[-1] != k + 1):
                waiting.append(k + 1)
