"""Elimination of frames against one dense system of everything."""

import pytest
import torch

from odah.osim.scaling.schur import ArrowSystem

FRAMES, OWN, SHARED = 4, 3, 5


@pytest.fixture
def parts() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    numbers = torch.randn((FRAMES, 7, 1 + OWN + SHARED), generator=generator, dtype=torch.float64)
    residuals, by_frame, by_shared = numbers.split([1, OWN, SHARED], dim=-1)
    return residuals[..., 0], by_frame, by_shared


def _dense(residuals, by_frame, by_shared) -> tuple[torch.Tensor, torch.Tensor]:
    """Normal matrix and gradient of (x_1, ..., x_t, z)."""
    jacobian = torch.cat([torch.block_diag(*by_frame), by_shared.flatten(0, 1)], dim=1)
    return jacobian.T @ jacobian, jacobian.T @ residuals.flatten()


def test_step_is_that_of_the_whole_system(parts):
    system = ArrowSystem.of(*parts)
    matrix, gradient = _dense(*parts)
    expected = -torch.linalg.solve(matrix, gradient)
    frames, shared = system.step()
    torch.testing.assert_close(torch.cat([frames.flatten(), shared]), expected, rtol=1e-6, atol=1e-7)


def test_prior_and_damping_enter_as_in_the_whole_system(parts):
    deviation = torch.linspace(-1, 2, SHARED, dtype=torch.float64)
    matrix, gradient = _dense(*parts)
    matrix[-SHARED:, -SHARED:] += torch.eye(SHARED, dtype=torch.float64)
    gradient[-SHARED:] += deviation
    matrix = matrix + 0.3 * torch.diag(matrix.diagonal())
    frames, shared = ArrowSystem.of(*parts).with_prior(deviation).damped(0.3).step()
    expected = -torch.linalg.solve(matrix, gradient)
    torch.testing.assert_close(torch.cat([frames.flatten(), shared]), expected, rtol=1e-6, atol=1e-7)


def test_reduced_matrix_is_the_inverse_of_the_covariance_of_what_is_shared(parts):
    matrix, gradient = _dense(*parts)
    reduced, reduced_gradient = ArrowSystem.of(*parts).reduced()
    covariance = torch.linalg.inv(matrix)[-SHARED:, -SHARED:]
    torch.testing.assert_close(torch.linalg.inv(reduced), covariance, rtol=1e-6, atol=1e-8)
    shared = -torch.linalg.solve(matrix, gradient)[-SHARED:]
    torch.testing.assert_close(-torch.linalg.solve(reduced, reduced_gradient), shared, rtol=1e-6, atol=1e-7)


def test_held_parameters_stay_and_the_others_ignore_them(parts):
    residuals, by_frame, by_shared = parts
    is_held = torch.zeros(FRAMES, OWN, dtype=torch.bool)
    is_held[1, 2] = is_held[3, 0] = True
    frames, shared = ArrowSystem.of(*parts).held(is_held).step()
    assert (frames[is_held] == 0).all()
    free = torch.cat([~is_held.flatten(), torch.ones(SHARED, dtype=torch.bool)])
    matrix, gradient = _dense(residuals, by_frame, by_shared)
    expected = -torch.linalg.solve(matrix[free][:, free], gradient[free])
    found = torch.cat([frames.flatten(), shared])[free]
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-7)


def test_a_parameter_that_nothing_tells_stays(parts):
    residuals, by_frame, by_shared = parts
    by_frame = by_frame.clone()
    by_frame[2, :, 1] = 0.0
    frames, _ = ArrowSystem.of(residuals, by_frame, by_shared).step()
    assert torch.isfinite(frames).all()
    assert frames[2, 1] == 0.0
