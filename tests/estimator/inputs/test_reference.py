"""The pelvis' angles told in other axes are the same pose, also near a list of 90 degrees."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from torch import Tensor

from odah.estimator.inputs.reference import (
    angles_in_ground,
    angles_in_reference,
    camera_reference,
    ground_reference,
    pelvis_angles,
    pelvis_rotmats,
)
from odah.estimator.skeleton import ANGLE_PLACES
from odah.names import OPENSIM_COORDINATES
from odah.osim.fk import ForwardKinematics
from odah.osim.full_body import full_body_model

MODEL = full_body_model()
KINEMATICS = ForwardKinematics(MODEL, torch.float32)
ANGLES_RAD = st.tuples(*[st.floats(-7.0, 7.0)] * 3)
QUARTER = np.pi / 2


def upright(yaw: float) -> Tensor:
    """(1, 3, 3) a turn about y."""
    return torch.tensor(Rotation.from_euler("y", yaw).as_matrix(), dtype=torch.float32)[None]


@given(ANGLES_RAD)
def test_the_order_is_that_of_the_models_first_joint(angles: tuple[float, float, float]) -> None:
    coordinates = torch.tensor([*angles, *[0.0] * 36])
    turn = pelvis_rotmats(coordinates[:3])
    torch.testing.assert_close(turn, KINEMATICS(coordinates).body_rotmats[0], atol=1e-6, rtol=0)


@given(ANGLES_RAD, st.floats(-4, 4))
def test_a_turned_skeleton_is_where_the_told_angles_put_it(angles: tuple[float, ...], yaw: float) -> None:
    coordinates = torch.tensor(MODEL.default_coordinates, dtype=torch.float32)
    coordinates[:3], coordinates[3:6] = torch.tensor(angles), 0.0
    turn = upright(yaw)
    told = coordinates.clone()
    told[ANGLE_PLACES] = angles_in_reference(coordinates[None, None], turn)[0, 0]
    expected = KINEMATICS(coordinates).joints @ turn[0]  # the inverse turn, of rows
    torch.testing.assert_close(KINEMATICS(told).joints, expected, atol=2e-5, rtol=0)


@given(st.floats(-QUARTER, QUARTER), st.floats(-4, 4), st.sampled_from((0.0, 1e-8, 1e-5, 1e-3, 0.1)))
def test_float32_is_exact_at_and_near_gimbal_lock(tilt: float, yaw: float, off: float) -> None:
    """On hands and knees, looking across: a tilt of -90 degrees turned by 90 is a list of -90."""
    crawling = torch.tensor([-QUARTER + off, 0.0, tilt])
    turned = upright(QUARTER)[0] @ pelvis_rotmats(crawling)
    told = pelvis_angles(turned)
    torch.testing.assert_close(pelvis_rotmats(told), turned, atol=2e-6, rtol=0)
    assert abs(float(told[1]) + QUARTER) < off + 1e-3
    back = upright(yaw)[0] @ pelvis_rotmats(pelvis_angles(upright(yaw)[0].T @ turned))
    torch.testing.assert_close(back, turned, atol=2e-6, rtol=0)


def test_exactly_at_gimbal_lock_the_tilt_is_zero() -> None:
    told = pelvis_angles(torch.tensor([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]]).mT)
    assert torch.isfinite(told).all()
    exact = torch.tensor([[0.6, 0.0, 0.8], [0.8, 0.0, -0.6], [0.0, 1.0, 0.0]], dtype=torch.float64)
    told = pelvis_angles(exact)
    assert told[:2].tolist() == pytest.approx([0.0, QUARTER])
    torch.testing.assert_close(pelvis_rotmats(told), exact)


@given(st.tuples(st.floats(-3, 3), st.floats(-1.5, 1.5), st.floats(-3, 3)), st.floats(-4, 4))
def test_there_and_back_are_the_same_angles(angles: tuple[float, ...], yaw: float) -> None:
    coordinates = torch.linspace(-1, 1, 39)[None, None].repeat(1, 2, 1)
    coordinates[..., :3] = torch.tensor(angles)
    turn = upright(yaw)
    back = angles_in_ground(angles_in_reference(coordinates, turn), turn)
    expected = coordinates[..., ANGLE_PLACES]
    torch.testing.assert_close(back[..., 3:], expected[..., 3:])
    apart = torch.remainder(back[..., :3] - expected[..., :3] + torch.pi, 2 * torch.pi) - torch.pi
    tolerance = 3e-6 / abs(np.cos(angles[1]))  # tilt and rotation are worth less, the nearer to 90 degrees
    assert apart.abs().max() < tolerance


def test_a_list_beyond_a_quarter_turn_is_told_as_the_same_pose_within() -> None:
    beyond = torch.tensor([0.3, 2.0, -0.4])
    told = pelvis_angles(pelvis_rotmats(beyond))
    torch.testing.assert_close(told, torch.tensor([0.3 - np.pi, np.pi - 2.0, np.pi - 0.4]).float())


def camera_at(place: tuple[float, float, float], down: float) -> Tensor:
    """(4, 4) ground to camera: level and looking along -x, then bent down by `down`, rad."""
    axes = np.array([[0.0, 0.0, -1.0], [0.0, -1.0, 0.0], [-1.0, 0.0, 0.0]])  # rows: right, down, ahead
    turn = Rotation.from_euler("x", down).as_matrix() @ axes
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = turn, -turn @ np.array(place)
    return torch.tensor(T, dtype=torch.float32)


def world_of(ground: Tensor) -> Tensor:
    """(4, 4) ground to a world with z up and another origin."""
    T = torch.eye(4)
    T[:3, :3] = torch.tensor([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    T[:3, 3] = torch.tensor([0.4, -2.0, 0.1])
    return T.to(ground)


def test_x_points_horizontally_from_the_person_to_the_first_camera() -> None:
    centres = torch.tensor([[[1.0, 0.9, 2.0], [1.2, 1.1, 2.4]], [[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]])
    first = camera_at((4.1, 2.0, 6.2), 0.2)
    T_world_ground = world_of(first).repeat(2, 1, 1)
    views = torch.stack([first, camera_at((-3.0, 1.0, 0.0), 0.0)]) @ torch.linalg.inv(T_world_ground[0])
    rotmats = camera_reference(views.repeat(2, 1, 1, 1), T_world_ground, centres)
    towards = np.array([3.0, 0.0, 4.0]) / 5  # from the mean (1.1, 1.0, 2.2)
    np.testing.assert_allclose(rotmats[0, :, 0], towards, atol=1e-6)
    np.testing.assert_allclose(rotmats[:, :, 1], [[0, 1, 0]] * 2, atol=1e-6)
    np.testing.assert_allclose(rotmats[0].T @ rotmats[0], np.eye(3), atol=1e-6)
    assert torch.linalg.det(rotmats).tolist() == pytest.approx([1, 1])


def test_who_faces_the_first_camera_is_not_turned_wherever_the_world_points() -> None:
    coordinates = torch.zeros(1, 3, 39)
    coordinates[..., OPENSIM_COORDINATES.index("pelvis_rotation")] = -0.5  # x turns towards z
    place = 5 * np.array([np.cos(0.5), 0.3, np.sin(0.5)])
    camera = camera_at(tuple(place), 0.0)[None, None]
    rotmats = camera_reference(camera, torch.eye(4)[None], torch.zeros(1, 3, 3))
    torch.testing.assert_close(
        angles_in_reference(coordinates, rotmats)[..., :3], torch.zeros(1, 3, 3), atol=1e-6, rtol=0
    )


def test_a_camera_right_above_has_x_at_the_top_of_its_picture() -> None:
    camera = camera_at((0.0, 5.0, 0.0), QUARTER)
    assert float(camera[2, 3]) == pytest.approx(5.0)  # the origin is 5 m ahead, so it looks down
    rotmats = camera_reference(camera[None, None], torch.eye(4)[None], torch.zeros(1, 1, 3))
    np.testing.assert_allclose(rotmats[0, :, 0], [-1.0, 0.0, 0.0], atol=1e-5)


def test_ground_reference_changes_nothing() -> None:
    coordinates = torch.linspace(-1.4, 1.4, 2 * 4 * 39).reshape(2, 4, 39)
    rotmats = ground_reference(torch.zeros(2, 4, 3))
    torch.testing.assert_close(
        angles_in_reference(coordinates, rotmats), coordinates[..., ANGLE_PLACES], atol=2e-6, rtol=0
    )
