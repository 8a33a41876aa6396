"""The measures against cases worked out by hand and against scipy's Procrustes analysis."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import orthogonal_procrustes
from scipy.spatial import procrustes
from scipy.spatial.transform import Rotation

from odah.estimator.evaluation.metrics import (
    aligned,
    angle_errors,
    position_errors,
    scale_errors,
    velocity_errors,
)
from odah.estimator.skeleton import ANGLES


def test_free_angles_go_the_shorter_way_round_others_as_they_are() -> None:
    predicted, true = torch.zeros(3, 36), torch.zeros(3, 36)
    tilt, knee = ANGLES.index("pelvis_tilt"), ANGLES.index("knee_angle_r")
    predicted[:, tilt] = torch.tensor([3.0, 0.5, 4 * np.pi])
    true[:, tilt] = torch.tensor([-3.0, 0.2, 0.1])
    predicted[:, knee], true[:, knee] = 3.0, -3.0
    errors = angle_errors(predicted, true)
    np.testing.assert_allclose(errors[:, tilt], [2 * np.pi - 6, 0.3, 0.1], atol=1e-5)
    np.testing.assert_allclose(errors[:, knee], 6.0)
    assert errors.count_nonzero() == 6
    assert angle_errors(true, predicted).sum() == pytest.approx(float(errors.sum()), abs=1e-5)


def test_distances() -> None:
    predicted = torch.tensor([[[0.0, 0, 0], [3, 0, 4]]])
    np.testing.assert_allclose(position_errors(predicted, torch.zeros(1, 2, 3)), [[0, 5]])


def test_velocities_are_per_second_and_blind_to_a_constant_shift() -> None:
    true = torch.zeros(4, 1, 3)
    predicted = torch.tensor([[1.0, 0, 0], [1, 0, 0], [1, 0.3, 0.4], [1, 0.3, 0.4]])[:, None]
    np.testing.assert_allclose(velocity_errors(predicted, true, rate=20.0)[:, 0], [0, 10, 0], atol=1e-5)


@given(st.integers(0, 2**31), st.floats(0.2, 5))
def test_a_moved_turned_and_stretched_copy_is_aligned_exactly(seed: int, stretch: float) -> None:
    rng = np.random.default_rng(seed)
    true = rng.normal(size=(3, 22, 3))
    turns = Rotation.random(3, random_state=rng).as_matrix()
    copy = stretch * true @ turns + rng.normal(size=(3, 1, 3))
    found = aligned(torch.tensor(copy), torch.tensor(true))
    np.testing.assert_allclose(found, true, atol=1e-9)


@given(st.integers(0, 2**31))
def test_alignment_is_scipys_where_no_reflection_is_better(seed: int) -> None:
    rng = np.random.default_rng(seed)
    true = rng.normal(size=(22, 3))
    predicted = true @ Rotation.random(random_state=rng).as_matrix() + rng.normal(scale=0.2, size=(22, 3))
    found = aligned(torch.tensor(predicted), torch.tensor(true))
    size = np.linalg.norm(true - true.mean(0))
    _, _, disparity = procrustes(true, predicted)  # of shapes of size 1
    assert float((found - torch.tensor(true)).square().sum()) == pytest.approx(disparity * size**2)
    shape, true_shape = predicted - predicted.mean(0), true - true.mean(0)
    turn, strength = orthogonal_procrustes(shape, true_shape)
    expected = strength / (shape**2).sum() * shape @ turn + true.mean(0)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_a_mirror_image_is_not_aligned_by_reflection() -> None:
    true = torch.tensor(np.random.default_rng(2).normal(size=(22, 3)))
    mirrored = true * torch.tensor([1.0, 1.0, -1.0], dtype=torch.float64)
    found = aligned(mirrored, true)
    errors = position_errors(found, true).mean()
    assert errors > 0.3
    # No other rotation does better.
    rng = np.random.default_rng(3)
    turns = Rotation.random(200, random_state=rng).as_matrix()
    centred = (mirrored - mirrored.mean(0)).numpy()
    target = (true - true.mean(0)).numpy()
    for turn in turns:
        turned = centred @ turn
        stretch = max((turned * target).sum() / (turned**2).sum(), 0)
        best = float((found - true).square().sum())
        assert ((stretch * turned - target) ** 2).sum() >= best - 1e-9


def test_points_that_all_coincide_are_put_on_the_centre() -> None:
    true = torch.tensor(np.random.default_rng(4).normal(size=(5, 3)))
    found = aligned(torch.ones(5, 3, dtype=torch.float64), true)
    np.testing.assert_allclose(found, true.mean(0).expand(5, 3), atol=1e-12)


def test_scale_errors_are_relative() -> None:
    predicted, true = torch.full((2, 22, 3), 1.1), torch.full((1, 22, 3), 0.88)
    np.testing.assert_allclose(scale_errors(predicted, true), 0.25, rtol=1e-5)
