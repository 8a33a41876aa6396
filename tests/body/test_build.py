"""The parts of the open body's build that need no MakeHuman data."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from odah.body.build.eyes import affine_combinations, make_eyeball
from odah.body.build.fine_rig import DeltaMush, twist_angles
from odah.body.build.makehuman import joint_of_bone, joint_recipe
from odah.body.build.phenotypes import BODY_DENSITY, measure, sample_phenotypes
from odah.body.build.poses import random_poses
from odah.body.build.rerest import t_pose_rotmats
from odah.body.build.shape_space import age_years
from odah.body.build.vertex_order import LANDMARK_IDS, landmark_order, mirror_indices
from odah.body.mesh import enclosed_volume, vertex_normals
from odah.body.model import load_body
from odah.names import SIDES, SMPLX_INDEX, SMPLX_JOINTS


@pytest.mark.parametrize(
    ("bone", "joint"),
    [
        ("spine04", "pelvis"), ("spine03", "spine1"), ("shoulder01.L", "left_collar"),
        ("upperleg02.R", "right_hip"), ("finger5-2.R", "right_pinky2"), ("finger1-1.L", "left_thumb1"),
        ("metacarpal3.L", "left_wrist"), ("toe4-2.R", "right_foot"), ("eye.L", "left_eye"),
        ("tongue03", "jaw"), ("levator02.L", "head"), ("breast.R", "spine3"),
    ],
)  # fmt: skip
def test_bones_are_carried_by_their_joint(bone: str, joint: str) -> None:
    assert joint_of_bone(bone) == joint


def test_every_joint_is_an_affine_mean_of_bone_heads() -> None:
    recipe = joint_recipe()
    assert set(recipe) == set(SMPLX_JOINTS)
    for heads in recipe.values():
        assert sum(heads.values()) == pytest.approx(1)


def test_re_resting_leaves_a_t_pose_alone() -> None:
    joints = load_body().joint_template.numpy().astype(float)
    turned = Rotation.from_matrix(t_pose_rotmats(joints[None])[0]).magnitude()
    # The collar turns by a fixed angle from MakeHuman's rest, the arm about itself by its elbow's plane.
    collars = [SMPLX_INDEX[f"{side}_collar"] for side in SIDES]
    arms = [SMPLX_INDEX[f"{side}_{name}"] for side in SIDES for name in ("shoulder", "elbow")]
    assert np.delete(turned, collars + arms).max() < 1e-6
    np.testing.assert_allclose(turned[collars], np.deg2rad(15), atol=1e-6)


def test_measure_of_a_box() -> None:
    box = trimesh.creation.box((0.3, 1.8, 0.2))
    measured = measure(np.asarray(box.vertices)[None], np.asarray(box.faces))
    assert measured.height[0] == pytest.approx(1.8)
    assert measured.bmi[0] == pytest.approx(0.3 * 1.8 * 0.2 * BODY_DENSITY / 1.8**2)


def test_phenotypes_are_adult_and_in_range() -> None:
    phenotypes = sample_phenotypes(np.random.default_rng(0), 200)
    assert all(0 <= v.min() <= v.max() <= 1 for v in phenotypes.values())
    years = age_years(phenotypes["age"])
    assert 18 <= years.min() < 30 < 70 < years.max() <= 90
    ancestry = phenotypes["african"] + phenotypes["asian"] + phenotypes["caucasian"]
    np.testing.assert_allclose(ancestry, 1)


def test_random_poses_bend_knees_and_elbows_one_way() -> None:
    poses = random_poses(np.random.default_rng(0), 50)
    assert poses.shape == (50, 55, 3)
    assert (poses[:, SMPLX_INDEX["left_knee"], 0] >= 0).all()
    elbow = Rotation.from_rotvec(poses[:, SMPLX_INDEX["right_elbow"]]).as_euler("YXZ")[:, 0]
    assert (elbow >= -1e-6).all()
    assert (poses[:, 0] == 0).all()


def test_eyeball_follows_any_affine_change() -> None:
    ball = make_eyeball()
    old = trimesh.creation.icosphere(subdivisions=2).vertices * 0.016 + [0.03, 0.27, 0.17]
    weights = affine_combinations(old, ball.directions)
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-9)
    change = np.array([[1.1, 0.1, 0], [0, 0.9, 0.2], [0.1, 0, 1.0]])
    plain = weights @ old
    np.testing.assert_allclose(
        weights @ (old @ change.T + [1, 2, 3]), plain @ change.T + [1, 2, 3], atol=1e-9
    )
    radii = np.linalg.norm(plain - (old.max(0) + old.min(0)) / 2, axis=1)
    np.testing.assert_allclose(radii, 0.016, rtol=0.02)
    surface = trimesh.Trimesh(ball.directions, ball.faces, process=False)
    assert surface.is_watertight
    assert surface.volume > 0


def test_delta_mush_keeps_rest_and_follows_rigid_motion() -> None:
    mesh = trimesh.creation.icosphere(subdivisions=3)
    vertices, faces = np.asarray(mesh.vertices) * [1, 2, 1], np.asarray(mesh.faces)
    mush = DeltaMush(vertices, faces, np.ones(len(vertices)))
    np.testing.assert_allclose(mush(vertices), vertices, atol=1e-9)
    turn = Rotation.from_rotvec([0.4, -0.7, 0.2]).as_matrix()
    np.testing.assert_allclose(mush(vertices @ turn.T + 1), vertices @ turn.T + 1, atol=1e-9)
    spike = vertices.copy()
    spike[7] *= 1.5
    assert np.linalg.norm(mush(spike)[7] - vertices[7]) < 0.2 * np.linalg.norm(spike[7] - vertices[7])


def test_twist_is_the_turn_about_the_axis() -> None:
    axis = np.array([0.6, 0.8, 0])
    swing = Rotation.from_rotvec([0, 0, 0.5])  # perpendicular to the axis
    angles = np.array([-2.5, -0.3, 0.0, 1.2])
    rotmats = (swing * Rotation.from_rotvec(angles[:, None] * axis)).as_matrix()
    np.testing.assert_allclose(twist_angles(rotmats, axis), angles, atol=1e-9)


def test_normals_and_volume_are_those_of_a_sphere() -> None:
    mesh = trimesh.creation.icosphere(subdivisions=3)
    vertices, faces = np.asarray(mesh.vertices) + np.array([1.0, 2.0, 3.0]), np.asarray(mesh.faces)
    np.testing.assert_allclose(vertex_normals(vertices, faces), mesh.vertices, atol=0.02)
    assert enclosed_volume(vertices, faces) == pytest.approx(mesh.volume)
    assert mesh.volume == pytest.approx(4 / 3 * np.pi, rel=0.02)


def test_landmark_order_is_a_permutation_that_puts_landmarks_in_place() -> None:
    size = max(LANDMARK_IDS.values()) + 10
    landmarks = {name: k for k, name in enumerate(LANDMARK_IDS)}  # some already at another's place
    order = landmark_order(size, landmarks)
    assert np.array_equal(np.sort(order), np.arange(size))
    assert all(order[LANDMARK_IDS[name]] == old for name, old in landmarks.items())


def test_asymmetric_mesh_has_no_mirror() -> None:
    points = np.array([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0]])
    assert mirror_indices(points).tolist() == [1, 0, 2]
    with pytest.raises(ValueError, match="not symmetric"):
        mirror_indices(points + np.array([0.01, 0, 0]))
