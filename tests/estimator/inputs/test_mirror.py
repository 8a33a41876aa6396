"""The mirrored coordinates put the full-body model where a mirror shows it."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from odah.estimator.inputs.mirror import (
    mirrored_coordinates,
    mirrored_name,
    mirrored_points,
    mirrored_scales,
)
from odah.names import OPENSIM_BODIES, OPENSIM_COORDINATES, OPENSIM_JOINTS
from odah.osim.fk import ForwardKinematics
from odah.osim.full_body import full_body_model

KINEMATICS = ForwardKinematics(full_body_model())


@given(st.integers(0, 2**31))
def test_forward_kinematics_of_the_mirrored_is_the_mirror_image(seed: int) -> None:
    rng = np.random.default_rng(seed)
    coordinates = torch.tensor(rng.uniform(-1.5, 1.5, (2, 39)))
    scales = torch.tensor(rng.uniform(0.7, 1.4, (2, 22, 3)))
    pose = KINEMATICS(coordinates, scales)
    mirrored = KINEMATICS(mirrored_coordinates(coordinates), mirrored_scales(scales))
    torch.testing.assert_close(mirrored.joints, mirrored_points(pose.joints, OPENSIM_JOINTS))
    torch.testing.assert_close(mirrored.body_coms, mirrored_points(pose.body_coms, OPENSIM_BODIES))
    flip = torch.diag(torch.tensor([1.0, 1.0, -1.0], dtype=torch.float64))
    places = [OPENSIM_BODIES.index(mirrored_name(name)) for name in OPENSIM_BODIES]
    torch.testing.assert_close(mirrored.body_rotmats, (flip @ pose.body_rotmats @ flip)[:, places])


@pytest.mark.parametrize("name", OPENSIM_COORDINATES)
def test_each_coordinate_alone_shows_in_the_mirror(name: str) -> None:
    """So that no sign is right only because another one makes good for it."""
    coordinates = torch.zeros(39, dtype=torch.float64)
    coordinates[OPENSIM_COORDINATES.index(name)] = 0.3
    pose, mirrored = KINEMATICS(coordinates), KINEMATICS(mirrored_coordinates(coordinates))
    torch.testing.assert_close(mirrored.joints, mirrored_points(pose.joints, OPENSIM_JOINTS))
    torch.testing.assert_close(mirrored.body_coms, mirrored_points(pose.body_coms, OPENSIM_BODIES))


def test_twice_is_the_original() -> None:
    coordinates = torch.linspace(-1, 1, 5 * 39).reshape(5, 39)
    assert torch.equal(mirrored_coordinates(mirrored_coordinates(coordinates)), coordinates)
    scales = torch.linspace(0.5, 1.5, 66).reshape(22, 3)
    assert torch.equal(mirrored_scales(mirrored_scales(scales)), scales)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("knee_angle_r_beta", "knee_angle_l_beta"),
        ("femur_l_com", "femur_r_com"),
        ("arm_rot_r", "arm_rot_l"),
        ("pelvis_list", "pelvis_list"),
        ("lumbar_rotation", "lumbar_rotation"),
        ("radius_hand_l", "radius_hand_r"),
    ],
)
def test_names(name: str, other: str) -> None:
    assert mirrored_name(name) == other
