"""Batched Levenberg-Marquardt against scipy, frame by frame, and what it says of itself."""

import numpy as np
import pytest
import torch
from scipy.optimize import least_squares

from odah.osim.ik.problem import IkFrames, IkProblem, root_joints
from odah.osim.ik.reference_solver import ReferenceIkSolver


@pytest.fixture(scope="module")
def leg(coupled_leg, drawn):
    """The problem, its true coordinates, and frames with 5 mm of noise and gaps."""
    problem = IkProblem.of(coupled_leg)
    truth = torch.from_numpy(drawn(coupled_leg, 6))
    random = torch.manual_seed(1)
    markers = ReferenceIkSolver(problem).normal_equations.kinematics.markers(truth[:, problem.free], truth)
    noise = 5e-3 * torch.randn(markers.shape, dtype=torch.float64, generator=random)
    weights = 0.5 + torch.rand(markers.shape[:2], dtype=torch.float64, generator=random)
    weights[2, :2] = 0.0
    return problem, truth, IkFrames(markers + noise, weights, truth)


def scipy_costs(problem: IkProblem, start: torch.Tensor, frames: IkFrames) -> np.ndarray:
    jacobian = ReferenceIkSolver(problem).normal_equations.kinematics

    def residuals(x: np.ndarray, k: int) -> np.ndarray:
        markers = jacobian.markers(torch.from_numpy(x)[None], frames.given[k : k + 1])[0]
        parts = [((markers - frames.measured[k]) * frames.weights[k, :, None].sqrt()).flatten()]
        if frames.targets is not None and frames.target_weights is not None:
            parts.append((torch.from_numpy(x) - frames.targets[k]) * frames.target_weights[k].sqrt())
        return torch.cat(parts).numpy()

    tight = {"xtol": 1e-13, "ftol": 1e-13, "gtol": 1e-13, "bounds": (problem.lower, problem.upper)}
    solved = [least_squares(residuals, start[k].numpy(), args=(k,), **tight) for k in range(len(start))]
    return np.array([2 * result.cost for result in solved])


def test_costs_are_scipys(leg):
    problem, truth, frames = leg
    start = truth[:, problem.free] + 0.05
    start = torch.maximum(torch.minimum(start, torch.from_numpy(problem.upper) - 1e-3),
                          torch.from_numpy(problem.lower) + 1e-3)  # fmt: skip
    solution = ReferenceIkSolver(problem)(start, frames)
    assert solution.is_converged.all()
    np.testing.assert_allclose(solution.costs, scipy_costs(problem, start, frames), rtol=1e-7)


def test_targets_pull_as_much_as_they_weigh(leg):
    problem, truth, frames = leg
    targets = torch.full((len(truth), len(problem.free)), 0.3, dtype=torch.float64)
    pulled = IkFrames(frames.measured, frames.weights, frames.given, targets, torch.full_like(targets, 0.2))
    start = truth[:, problem.free].clone()
    solution = ReferenceIkSolver(problem)(start, pulled)
    np.testing.assert_allclose(solution.costs, scipy_costs(problem, start, pulled), rtol=1e-7)


def test_bounds_hold_where_the_markers_lie_beyond(coupled_leg, drawn):
    problem = IkProblem.of(coupled_leg)
    beyond = torch.from_numpy(drawn(coupled_leg, 3))
    knee = coupled_leg.coordinate_names.index("knee_angle_r")
    beyond[:, knee] = coupled_leg.coordinate_ranges[knee, 1] + 0.3
    solver = ReferenceIkSolver(problem)
    measured = solver.normal_equations.kinematics.markers(beyond[:, problem.free], beyond)
    weights = torch.ones(measured.shape[:2], dtype=torch.float64)
    frames = IkFrames(measured, weights, beyond)
    solution = solver(beyond[:, problem.free] - 0.4, frames)
    p = problem.free_names.index("knee_angle_r")
    np.testing.assert_array_equal(solution.x[:, p], problem.upper[p])
    start = solution.x.clamp(torch.from_numpy(problem.lower) + 1e-6, torch.from_numpy(problem.upper) - 1e-6)
    np.testing.assert_allclose(solution.costs, scipy_costs(problem, start, frames), rtol=1e-6)


def test_the_root_is_not_bounded(person):
    problem = IkProblem.of(person)
    names = [name for joint in root_joints(person) for name in joint.coordinate_names]
    bounds = [problem.upper[problem.free_names.index(name)] for name in names]
    assert bounds == [np.inf] * 6


def test_too_few_iterations_are_said(leg):
    problem, truth, frames = leg
    start = truth[:, problem.free] - 0.2
    hurried = ReferenceIkSolver(problem, max_iterations=1)(start, frames)
    assert not hurried.is_converged.any()
    assert (hurried.num_iterations == 1).all()


def test_frames_do_not_know_of_each_other(leg):
    problem, truth, frames = leg
    start = truth[:, problem.free] - 0.1
    solver = ReferenceIkSolver(problem)
    together = solver(start, frames)
    for k in range(len(start)):
        alone = solver(start[k : k + 1], frames[k : k + 1])
        np.testing.assert_allclose(alone.x[0], together.x[k], atol=1e-7)


def test_distances_are_those_of_the_solution(leg):
    problem, truth, frames = leg
    solver = ReferenceIkSolver(problem)
    solution = solver(truth[:, problem.free].clone(), frames)
    squares = (solution.distances.square() * frames.weights).sum(-1)
    np.testing.assert_allclose(squares, solution.costs, rtol=1e-12)


def test_no_frames(leg):
    problem, truth, frames = leg
    solution = ReferenceIkSolver(problem)(truth[:0, problem.free], frames[:0])
    assert solution.x.shape == (0, len(problem.free))
