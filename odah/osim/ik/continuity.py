"""Frames learn from their neighbours: out of worse minima, and over to the angles that do not leap."""

from __future__ import annotations

import numpy as np
import torch

from odah.osim.ik.answers import Answers

_APART = 0.2
"""rad or m between neighbours: less is the same minimum, moved on."""
_POOR = 1.01  # cost relative to the neighbour's
_LEAP, _AS_GOOD = 0.7, 0.05  # rad between frames; cost that may be lost against the leaping answer
_MAX_SWEEPS = 200


def settle(answers: Answers) -> None:
    """Let frames start again from a neighbour's answer that is another and better one, until none gains."""
    x, costs = answers.x, answers.costs
    failed = torch.zeros(2, len(x), dtype=torch.bool)  # tried in vain, with the neighbour as it is
    num_idle = 0
    for sweep in range(_MAX_SWEEPS):
        side = sweep % 2
        shift = 1 if side == 0 else -1
        is_apart = (torch.roll(x, shift, dims=0) - x).abs().amax(-1) > _APART
        poor = torch.nonzero(is_apart & (costs > _POOR * torch.roll(costs, shift)) & ~failed[side])[:, 0]
        num_idle = num_idle + 1 if len(poor) == 0 else 0
        if num_idle == 2:  # neither side has anything to offer
            break
        if len(poor) == 0:
            continue
        is_better = answers.try_again(poor, x[(poor - shift) % len(x)])
        gained = poor[is_better]
        failed[side, poor[~is_better]] = True
        failed[:, (gained + 1) % len(x)] = False
        failed[:, gained - 1] = False


def follow(answers: Answers) -> None:
    """Where angles leap, take the minimum near the frame before if it is about as good.

    Ball joints have two sets of angles for one pose, and lose one near gimbal lock.
    """
    problem, x = answers.trial.problem, answers.x
    is_angle = [problem.model.coordinates[k].motion_type != "translational" for k in problem.free]
    angles = torch.from_numpy(np.flatnonzero(is_angle))
    steps = (x[1:, angles] - x[:-1, angles]).abs().amax(-1)
    waiting = list(reversed((torch.nonzero(steps > _LEAP)[:, 0] + 1).tolist()))
    while waiting:
        k = waiting.pop()
        if (x[k, angles] - x[k - 1, angles]).abs().max() <= _LEAP:
            continue
        is_taken = answers.try_again(torch.tensor([k]), x[k - 1 : k].clone(), loss=_AS_GOOD)
        if is_taken[0] and k + 1 < len(x) and (not waiting or waiting[-1] != k + 1):
            waiting.append(k + 1)
