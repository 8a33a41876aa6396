"""Frames and their neighbours: out of worse minima, past the other set of angles of a ball joint."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from odah.osim.ik.answers import Answers
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
    return trial, ReferenceIkSolver(trial.problem), x


def answered(trial, solver, x, costs=0.0) -> Answers:
    values = torch.as_tensor(costs, dtype=torch.float64).expand(9).clone()
    distances = torch.zeros(trial.is_seen.shape, dtype=torch.float64)
    return Answers(solver, trial, np.arange(9), x.clone(), values, distances, torch.ones(9, dtype=torch.bool))


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
    trial, solver, truth = moving
    worse = other_minimum(trial, solver, truth)
    answers = answered(trial, solver, truth)
    answers.x[3:6], answers.costs[3:6] = worse.x[0], worse.costs[0]
    settle(answers)
    assert answers.costs.max() < 1e-9
    assert (answers.x - truth)[:, :6].abs().max() < 1e-5


def test_poor_frames_begin_again(moving):
    trial, solver, truth = moving
    worse = other_minimum(trial, solver, truth)
    found = []
    for _ in range(2):
        answers = answered(trial, solver, truth)
        answers.x[4], answers.costs[4] = worse.x[0], worse.costs[0]
        restart(answers, truth)
        assert answers.costs[4] < 0.1 * worse.costs[0]
        found.append(answers.x)
    assert (found[0] == found[1]).all()  # the draws do not change from run to run


def test_frames_that_cost_what_is_expected_stay(moving):
    trial, solver, truth = moving
    worse = other_minimum(trial, solver, truth)
    answers = answered(trial, solver, truth)
    answers.x[4], answers.costs[4] = worse.x[0], worse.costs[0]
    restart(answers, truth, answers.mean_squares.clone())
    assert answers.costs[4] == worse.costs[0]


def test_angles_that_leap_to_an_equal_pose_follow_on(moving):
    trial, solver, truth = moving
    problem = trial.problem
    root = [problem.free_names.index(name) for name in problem.model.joints[0].coordinate_names[:3]]
    first, middle, last = root
    x = truth.clone()
    x[5:, first] += np.pi
    x[5:, middle] = np.pi - x[5:, middle]
    x[5:, last] += np.pi
    answers = answered(trial, solver, x, 1e-12)
    follow(answers)
    assert (answers.x - truth)[:, root].abs().max() < 1e-5


def test_a_good_leap_stays(moving):
    """Where the person really leaps, the pose near the frame before is worse."""
    trial, solver, truth = moving
    knee = trial.problem.free_names.index("knee_angle_r")
    x = truth.clone()
    x[5:, knee] = 1.4 if truth[4, knee] < 0.5 else 0.1
    full = torch.from_numpy(np.repeat(trial.given, 9, axis=0))
    leaping = replace(trial, positions=solver.normal_equations.kinematics.markers(x, full).numpy())
    answers = answered(leaping, solver, x)
    follow(answers)
    assert (answers.x - x).abs().max() < 1e-5


def test_the_same_minimum_found_to_convergence_takes_the_flag_away(moving):
    trial, solver, truth = moving
    one_step = ReferenceIkSolver(trial.problem, max_iterations=1)
    noise = 0.01 * np.sin(np.arange(trial.positions.size)).reshape(trial.positions.shape)
    noisy = replace(trial, positions=trial.positions + noise)
    best = solver(truth, noisy.frames(slice(0, 9)))
    answers = Answers.of(one_step, noisy, np.arange(9), best.x + 1e-5)
    assert not answers.is_converged.any()
    answers.costs = best.costs.clone()
    answers.solver = solver
    assert answers.try_again(torch.arange(9), best.x).all()
    assert answers.is_converged.all()
    assert not answers.try_again(torch.arange(9), best.x).any()


def test_what_has_not_converged_is_no_better_for_being_near(moving):
    trial, _, truth = moving
    answers = answered(trial, ReferenceIkSolver(trial.problem, max_iterations=1), truth, costs=1.0)
    answers.costs[:] = answers.solver(truth + 0.02, trial.frames(slice(0, 9))).costs / 1.01
    assert not answers.try_again(torch.arange(9), truth + 0.02, loss=0.05).any()
    assert answers.is_converged.all()
