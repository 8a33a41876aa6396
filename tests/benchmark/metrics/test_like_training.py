"""The benchmark's measures are those by which networks are judged in training."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from odah.benchmark.metrics import angles, positions
from odah.estimator.evaluation import metrics as training
from odah.estimator.skeleton import ANGLES, FREE_ANGLES


@given(st.integers(0, 2**31))
def test_angle_errors(seed: int) -> None:
    rng = np.random.default_rng(seed)
    estimated, true = rng.uniform(-7, 7, size=(2, 5, 36))
    is_free = np.array([name in FREE_ANGLES for name in ANGLES])
    found = angles.angle_errors(estimated, true, is_free)
    expected = training.angle_errors(torch.tensor(estimated), torch.tensor(true))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def _of_joints(
    measure: Callable[..., torch.Tensor], estimated: np.ndarray, true: np.ndarray, *others: float
) -> np.ndarray:
    return measure(torch.tensor(estimated), torch.tensor(true), *others).mean(dim=0).numpy()


@pytest.mark.parametrize("mirror", [1.0, -1.0])
def test_position_and_velocity_errors(mirror: float) -> None:
    rng = np.random.default_rng(5)
    true = rng.normal(size=(6, 22, 3))
    estimated = (true + 0.1 * rng.normal(size=true.shape)) * [1.0, 1.0, mirror]
    on_true = training.aligned(torch.tensor(estimated), torch.tensor(true)).numpy()
    from_root, true_from_root = estimated - estimated[:, :1], true - true[:, :1]
    for found, expected in (
        (
            positions.mpjpe(estimated, true, 0),
            _of_joints(training.position_errors, from_root, true_from_root),
        ),
        (positions.pa_mpjpe(estimated, true), _of_joints(training.position_errors, on_true, true)),
        (
            positions.mpjve(estimated, true, 20.0, 0),
            _of_joints(training.velocity_errors, from_root, true_from_root, 20.0),
        ),
        (
            positions.pa_mpjve(estimated, true, 20.0),
            _of_joints(training.velocity_errors, on_true, true, 20.0),
        ),
    ):
        np.testing.assert_allclose(found.values, expected, atol=1e-6)
