"""Foot sliding of points whose motion is known."""

from __future__ import annotations

import numpy as np
import pytest

from odah.body.checks import foot_sliding, skeleton_soles
from odah.body.checks.sliding import nearest_vertices, stance
from odah.motion.types import Source
from odah.osim import full_body_model
from odah.osim.kinematics import Kinematics


def moving(speed: float, rate: float, height: float = 0.0) -> np.ndarray:
    """(1 s, 1, 3) one point that moves along x."""
    steps = np.arange(round(rate) + 1) / rate
    return np.stack([speed * steps, 0 * steps, height + 0 * steps], axis=-1)[:, None]


@pytest.mark.parametrize("rate", [30.0, 60.0, 120.0, 250.0])
def test_sliding_is_the_same_at_every_rate(rate: float) -> None:
    sliding = foot_sliding(moving(0.24, rate), moving(0.06, rate), rate, floor=0.0)
    assert sliding.mesh_mm == pytest.approx(4.0)
    assert sliding.skeleton_mm == pytest.approx(1.0)
    assert [sliding.excess_mm, sliding.excess_p95_mm] == pytest.approx([3.0, 3.0])
    assert sliding.stance_share == 1.0


def test_swinging_and_lifted_feet_do_not_slide() -> None:
    mesh = moving(1.0, 60.0)
    for skeleton in (moving(0.5, 60.0), moving(0.0, 60.0, height=0.05), moving(0.0, 60.0)[:, :0]):
        assert foot_sliding(mesh[:, : skeleton.shape[1]], skeleton, 60.0, floor=0.0).stance_share == 0.0
    assert foot_sliding(mesh, moving(0.0, 60.0, height=0.05), 60.0, floor=0.03).mesh_mm > 16


def test_stance_counts_from_the_floor() -> None:
    points = np.concatenate([moving(0.0, 60.0, height) for height in (1.0, 1.03, 1.2)], axis=1)
    assert stance(points, 60.0, floor=1.0).all(axis=0).tolist() == [True, True, False]


def test_the_nearest_vertex_stays_the_same_one() -> None:
    vertices = np.random.default_rng(0).normal(size=(20, 1, 3)) + np.eye(3)
    points = vertices[:, [2, 0]] + 0.01
    np.testing.assert_array_equal(nearest_vertices(vertices, points), vertices[:, [2, 0]])


def test_skeleton_soles_are_in_world_right_first() -> None:
    model = full_body_model()
    values = np.tile(model.default_coordinates, (2, 1))
    values[1, model.coordinate_names.index("knee_angle_r")] = 1.0
    soles = skeleton_soles(Kinematics(model, values, 60.0, Source("made", "test"), 0.0, np.ones((22, 3))))
    assert soles.shape == (2, 10, 3)
    raised = soles[1, :, 2] - soles[0, :, 2]
    assert raised[:5].min() > 0.04
    np.testing.assert_allclose(raised[5:], 0, atol=1e-9)
    assert soles[0, 0, 1] < soles[0, 5, 1], "facing world X, left is +Y"
