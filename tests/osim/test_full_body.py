"""The project's own model: names, ranges, symmetry, and the published figures it is built from."""

from pathlib import Path

import numpy as np
import pytest
import torch

from odah.names import OPENSIM_BODIES, OPENSIM_COORDINATES, OPENSIM_JOINTS
from odah.osim import ForwardKinematics, full_body_model, read_model

RAJAGOPAL = (
    Path(__file__).parents[2].parent / "shared/data/opensim_models/Models/Rajagopal/Rajagopal2016.osim"
)
MIRROR = torch.tensor([1.0, 1.0, -1.0], dtype=torch.float64)
TURNED_ROUND = ("pelvis_list", "pelvis_rotation", "pelvis_tz", "lumbar_bending", "lumbar_rotation")
"""Coordinates of the middle that change sign in a mirror."""


def other_side(name: str) -> str:
    for right, left in (("_r", "_l"), ("_r_beta", "_l_beta")):
        if name.endswith(right):
            return name.removesuffix(right) + left
        if name.endswith(left):
            return name.removesuffix(left) + right
    return name


def other_marker(name: str) -> str:
    return {"R": "L", "L": "R"}.get(name[0], name[0]) + name[1:]


def test_names_and_order_are_those_of_the_vocabulary():
    model = full_body_model()
    assert model.body_names == OPENSIM_BODIES
    assert model.joint_names == OPENSIM_JOINTS
    assert model.coordinate_names == OPENSIM_COORDINATES
    assert sum((joint.coordinate_names for joint in model.joints), ()) == OPENSIM_COORDINATES


def test_nothing_is_locked_and_only_the_patellae_are_coupled():
    model = full_body_model()
    assert not any(coordinate.locked for coordinate in model.coordinates)
    assert [(c.dependent, c.independent) for c in model.couplers] == [
        ("knee_angle_r_beta", ("knee_angle_r",)),
        ("knee_angle_l_beta", ("knee_angle_l",)),
    ]
    kinds = {c.name: c.motion_type for c in model.coordinates}
    assert [name for name, kind in kinds.items() if kind == "translational"] == [
        "pelvis_tx",
        "pelvis_ty",
        "pelvis_tz",
    ]
    assert [name for name, kind in kinds.items() if kind == "coupled"] == [
        "knee_angle_r_beta",
        "knee_angle_l_beta",
    ]


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("pelvis_rotation", -180, 180),
        ("hip_flexion_l", -30, 120),
        ("hip_adduction_r", -50, 30),
        ("knee_angle_r", 0, 120),
        ("ankle_angle_l", -50, 50),
        ("subtalar_angle_r", -35, 35),
        ("mtp_angle_l", -45, 30),
        ("arm_add_r", -120, 90),
        ("elbow_flex_l", 0, 150),
        ("pro_sup_r", 0, 119.7),
        ("wrist_dev_l", -25, 35),
    ],
)
def test_ranges_in_degrees(name, low, high):
    model = full_body_model()
    ranges = np.rad2deg(model.coordinate_ranges[model.coordinate_names.index(name)])
    np.testing.assert_allclose(ranges, [low, high])


def test_left_is_the_mirror_image_of_right(random_coordinates):
    model = full_body_model()
    fk = ForwardKinematics(model)
    q = torch.tensor(random_coordinates(model, 50))
    swap = [model.coordinate_names.index(other_side(name)) for name in model.coordinate_names]
    sign = torch.tensor([-1.0 if name in TURNED_ROUND else 1.0 for name in model.coordinate_names])
    pose, mirrored = fk(q), fk(q[:, swap] * sign)
    for field, names, other in (
        ("joints", model.joint_names, other_side),
        ("body_positions", model.body_names, other_side),
        ("body_coms", model.body_names, other_side),
    ):
        partner = [names.index(other(name)) for name in names]
        torch.testing.assert_close(
            getattr(mirrored, field), getattr(pose, field)[:, partner] * MIRROR, rtol=0, atol=1e-12
        )
    pairs = [k for k, name in enumerate(model.marker_names) if name[0] in "RL"]
    partner = [model.marker_names.index(other_marker(model.marker_names[k])) for k in pairs]
    torch.testing.assert_close(
        mirrored.markers[:, pairs], pose.markers[:, partner] * MIRROR, rtol=0, atol=1e-12
    )
    masses = {body.name: body.mass for body in model.bodies}
    assert all(masses[name] == masses[other_side(name)] for name in masses)


def test_standing_person_is_upright_and_of_human_size():
    model = full_body_model()
    pose = ForwardKinematics(model)(torch.tensor(model.default_coordinates))
    height = dict(zip(model.marker_names, pose.markers[:, 1].tolist(), strict=True))
    order = ["RTOE", "RLMAL", "RLFC", "RASI", "CLAV", "RACR"]
    assert [height[name] for name in order] == sorted(height[name] for name in order)
    assert 1.3 < height["C7"] - height["RTOE"] < 1.6
    assert model.mass == pytest.approx(75.337)


@pytest.mark.shared
@pytest.mark.skipif(not RAJAGOPAL.exists(), reason="the published model is not beside the project")
def test_geometry_is_that_of_the_published_model(random_coordinates):
    """The published left side deviates from its own right side by rounding, and in one marker."""
    ours, published = full_body_model(), read_model(RAJAGOPAL)
    q = torch.tensor(random_coordinates(ours, 100))
    pose, expected = ForwardKinematics(ours)(q), ForwardKinematics(published)(q)
    torch.testing.assert_close(pose.joints, expected.joints, rtol=0, atol=1e-12)
    torch.testing.assert_close(pose.body_positions, expected.body_positions, rtol=0, atol=1e-12)
    torch.testing.assert_close(pose.body_coms, expected.body_coms, rtol=0, atol=1e-6)
    torch.testing.assert_close(pose.body_rotmats, expected.body_rotmats, rtol=0, atol=1e-5)
    theirs = [published.marker_names.index(name) for name in ours.marker_names]
    distance = (pose.markers - expected.markers[:, theirs]).norm(dim=-1).amax(0)
    far = {name for name, d in zip(ours.marker_names, distance.tolist(), strict=True) if d > 2e-6}
    assert far == {"LPSH"}
    for body, reference in zip(ours.bodies, published.bodies, strict=True):
        assert (body.name, body.mass) == (reference.name, reference.mass)
        np.testing.assert_array_equal(body.inertia, reference.inertia)
