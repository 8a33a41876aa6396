"""Frames and their neighbours: out of worse minima, past the other set of angles of a ball joint."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from odah.osim.ik.continuity import follow, settle
from odah.osim.ik.reference_solver import ReferenceIkSolver
from odah.osim.ik.restarts import restart
from odah.osim.ik.trial import IkTrial


@pytest.fixture(scope="module")
def moving(person, drawn, recorded):
    """A trial of slow motion, its problem's solver and its true free coordinates."""
    (begin,) = drawn(person, 1)
    truth = np.linspace(begin, begin + 0.1, 9)
    recording = recorded(person, truth)
    trial = IkTrial.of(person, recording, dict.fromkeys(person.marker_names, 1.0))
    x = torch.from_numpy(truth[:, trial.problem.free])
    return trial, ReferenceIkSolver(trial.problem), x, np.arange(9)


def other_minimum(trial, solver, x, seed_range=range(40)):
    """A worse minimum of the middle frame than the true one."""
    for seed in seed_range:
        random = torch.manual_seed(seed)
        begin = x[4:5] + 1.5 * torch.randn(x[4:5].shape, dtype=x.dtype, generator=random)
        solution = solver(begin, trial.frames(np.array([4])))
        if solution.costs[0] > 1e-2:
            return solution
    raise AssertionError("no worse minimum found")


def test_worse_minima_are_left_through_either_neighbour(moving):
    trial, solver, truth, index = moving
    worse = other_minimum(trial, solver, truth)
    x, costs = truth.clone(), torch.zeros(9, dtype=torch.float64)
    x[3:6], costs[3:6] = worse.x[0], worse.costs[0]
    settle(solver, trial, index, x, costs)
    assert costs.max() < 1e-9
    assert (x - truth)[:, :6].abs().max() < 1e-5


def test_poor_frames_begin_again(moving):
    trial, solver, truth, index = moving
    worse = other_minimum(trial, solver, truth)
    x, costs = truth.clone(), torch.zeros(9, dtype=torch.float64)
    is_converged = torch.ones(9, dtype=torch.bool)
    x[4], costs[4] = worse.x[0], worse.costs[0]
    restart(solver, trial, index, truth, x, costs, is_converged)
    assert costs[4] < 0.1 * worse.costs[0]
    again, again_costs = truth.clone(), torch.zeros(9, dtype=torch.float64)
    again[4], again_costs[4] = worse.x[0], worse.costs[0]
    restart(solver, trial, index, truth, again, again_costs, is_converged)
    assert (again == x).all()  # the draws do not change from run to run


def test_angles_that_leap_to_an_equal_pose_follow_on(moving):
    trial, solver, truth, index = moving
    problem = trial.problem
    root = [problem.free_names.index(name) for name in problem.model.joints[0].coordinate_names[:3]]
    x, costs = truth.clone(), torch.full((9,), 1e-12, dtype=torch.float64)
    first, middle, last = root
    x[5:, first] += np.pi
    x[5:, middle] = np.pi - x[5:, middle]
    x[5:, last] += np.pi
    is_angle = np.array([c.motion_type != "translational" for c in problem.model.coordinates])[problem.free]
    follow(solver, trial, index, x, costs, is_angle)
    assert (x - truth)[:, root].abs().max() < 1e-5


def test_a_good_leap_stays(moving):
    """Where the person really leaps, the pose near the frame before is worse."""
    trial, solver, truth, index = moving
    shifted = trial.positions.copy()
    problem = trial.problem
    knee = problem.free_names.index("knee_angle_r")
    x = truth.clone()
    x[5:, knee] = 1.4 if truth[4, knee] < 0.5 else 0.1
    full = torch.from_numpy(np.repeat(trial.given, 9, axis=0))
    shifted[:] = solver.jacobian.markers(x, full).numpy()
    leaping = replace(trial, positions=shifted)
    followed = x.clone()
    follow(
        solver,
        leaping,
        index,
        followed,
        torch.zeros(9, dtype=torch.float64),
        np.ones(len(problem.free), bool),
    )
    assert (followed - x).abs().max() < 1e-5
