"""Accelerations of joints and pelvis as a cost of a clip."""

import numpy as np
import pytest
import torch

from odah.body.fitting import smoothness
from odah.body.fitting.skinned_points import NUM_SOLVED_JOINTS
from odah.body.fitting.smoothness import Smoothness
from odah.body.so3 import rotvec_to_rotmat


def wavering(rate: float, seconds: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Local rotations and translations of a motion that is the same at any frame rate."""
    rng = np.random.default_rng(4)
    time = np.arange(round(seconds * rate) + 1) / rate
    phases, sizes = rng.uniform(0, 6, (2, 1 + NUM_SOLVED_JOINTS, 3))
    curves = torch.from_numpy(0.1 * sizes * np.sin(2 * np.pi * 1.5 * time[:, None, None] + phases))
    return rotvec_to_rotmat(curves[:, 1:]), curves[:, 0]


def total(local: torch.Tensor, transl: torch.Tensor, weights: torch.Tensor) -> float:
    return float(smoothness.frame_costs(smoothness.velocities(local, transl), weights).sum())


def test_gradient_agrees_with_finite_differences():
    local, transl = wavering(10.0)
    sigmas = torch.linspace(20.0, 60.0, NUM_SOLVED_JOINTS, dtype=torch.float64)
    weights = Smoothness(sigmas, 7.0).weights(10.0, transl)
    found = smoothness.gradient(smoothness.velocities(local, transl), weights)
    rng = np.random.default_rng(0)
    for frame, row, axis in zip(
        rng.integers(0, len(transl), 25), rng.integers(0, 23, 25), rng.integers(0, 3, 25), strict=True
    ):
        step = 1e-6 * torch.eye(3, dtype=torch.float64)[axis]
        values = []
        for sign in (1, -1):
            turned, shifted = local.clone(), transl.clone()
            if row == 0:
                shifted[frame] += sign * step
            else:
                turned[frame, row - 1] = rotvec_to_rotmat(sign * step) @ turned[frame, row - 1]
            values.append(total(turned, shifted, weights))
        assert found[frame, row, axis] == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-5, abs=1e-6)


def test_curvature_is_that_of_second_differences():
    second = torch.from_numpy(np.diff(np.eye(9), n=2, axis=0))
    expected = second.T @ second
    moves = torch.from_numpy(np.random.default_rng(1).normal(size=(9, 2)))
    torch.testing.assert_close(smoothness.curvature(moves), expected @ moves)
    torch.testing.assert_close(smoothness.curvature_diagonal(9, moves), expected.diagonal())


def test_cost_per_second_does_not_depend_on_the_frame_rate():
    smooth = Smoothness.uniform(50.0, 5.0)
    costs = [total(*wavering(r), smooth.weights(r, torch.zeros(1))) / r for r in (60.0, 120.0, 240.0)]
    np.testing.assert_allclose(costs[:2], costs[2], rtol=0.05)


def test_constant_velocity_costs_nothing_and_off_is_off():
    turn = torch.tensor([0.02, -0.05, 0.03], dtype=torch.float64)
    local = rotvec_to_rotmat(torch.arange(6.0).double()[:, None, None] * turn).expand(6, 22, 3, 3)
    transl = torch.arange(6.0).double()[:, None] * turn
    assert total(local, transl, Smoothness.uniform().weights(60.0, transl)) == pytest.approx(0, abs=1e-12)
    assert not Smoothness.off().is_on
    assert total(*wavering(60.0), Smoothness.off().weights(60.0, transl)) == 0
