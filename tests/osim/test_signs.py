"""The signs that docs/conventions.md states: a small positive angle moves a known part the stated way."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from odah.osim import ForwardKinematics, SkeletonPose, full_body_model

ANGLE = 0.2
MODEL = full_body_model()
FORWARD, UP, RIGHT = np.eye(3)
BACK, DOWN, LEFT = -FORWARD, -UP, -RIGHT
INWARD = {"r": LEFT, "l": RIGHT}
OUTWARD = {"r": RIGHT, "l": LEFT}

MIDDLE = [
    ("pelvis_tilt", "pelvis", UP, BACK),
    ("pelvis_list", "pelvis", UP, RIGHT),
    ("pelvis_rotation", "pelvis", FORWARD, LEFT),
    ("lumbar_extension", "torso", UP, BACK),
    ("lumbar_bending", "torso", UP, RIGHT),
    ("lumbar_rotation", "torso", FORWARD, LEFT),
]
"""Coordinate, body, a direction on the body while it stands, where that direction turns to."""

SIDED = [
    ("hip_flexion", "femur", DOWN, FORWARD),
    ("hip_adduction", "femur", DOWN, INWARD),
    ("hip_rotation", "femur", FORWARD, INWARD),
    ("knee_angle", "tibia", DOWN, BACK),
    ("ankle_angle", "calcn", FORWARD, UP),
    ("subtalar_angle", "calcn", DOWN, INWARD),
    ("mtp_angle", "toes", FORWARD, DOWN),
    ("arm_flex", "humerus", DOWN, FORWARD),
    ("arm_add", "humerus", DOWN, INWARD),
    ("arm_rot", "humerus", FORWARD, INWARD),
    ("elbow_flex", "ulna", DOWN, FORWARD),
    ("pro_sup", "hand", OUTWARD, FORWARD),
    ("wrist_flex", "hand", DOWN, FORWARD),
    ("wrist_dev", "hand", DOWN, INWARD),
]


def posed(coordinate: str, change: float) -> SkeletonPose:
    q = torch.as_tensor(np.asarray(MODEL.default_coordinates), dtype=torch.float64).clone()
    q[MODEL.coordinate_names.index(coordinate)] += change
    return ForwardKinematics(MODEL)(q)


def turn(coordinate: str, body: str, direction: np.ndarray) -> np.ndarray:
    """How a direction on a standing body changes with the coordinate."""
    k = MODEL.body_names.index(body)
    before, after = (posed(coordinate, change).body_rotmats[k].numpy() for change in (0.0, ANGLE))
    return after @ before.T @ direction - direction


@pytest.mark.parametrize(("coordinate", "body", "direction", "towards"), MIDDLE, ids=[r[0] for r in MIDDLE])
def test_signs_of_pelvis_and_trunk(coordinate, body, direction, towards) -> None:
    assert turn(coordinate, body, direction) @ towards > 0.5 * ANGLE


@pytest.mark.parametrize("side", ["r", "l"])
@pytest.mark.parametrize(("coordinate", "body", "direction", "towards"), SIDED, ids=[r[0] for r in SIDED])
def test_signs_of_limbs_are_the_same_on_both_sides(side, coordinate, body, direction, towards) -> None:
    direction, towards = (v[side] if isinstance(v, dict) else v for v in (direction, towards))
    assert turn(f"{coordinate}_{side}", f"{body}_{side}", direction) @ towards > 0.5 * ANGLE


@pytest.mark.parametrize(
    ("coordinate", "towards"), [("pelvis_tx", FORWARD), ("pelvis_ty", UP), ("pelvis_tz", RIGHT)]
)
def test_the_pelvis_moves_along_grounds_axes(coordinate: str, towards: np.ndarray) -> None:
    before, after = (posed(coordinate, change).joints.numpy() for change in (0.0, 0.1))
    np.testing.assert_allclose(after - before, np.tile(0.1 * towards, (len(before), 1)), atol=1e-12)


def test_every_independent_coordinate_has_a_tested_sign() -> None:
    tested = {row[0] for row in MIDDLE} | {f"{row[0]}_{side}" for row in SIDED for side in "rl"}
    tested |= {"pelvis_tx", "pelvis_ty", "pelvis_tz"}
    dependent = {coupler.dependent for coupler in MODEL.couplers}
    assert tested == set(MODEL.coordinate_names) - dependent
