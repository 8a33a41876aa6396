"""Linear blend skinning against slow, literal versions of its equations."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.transform import Rotation

from odah.body.lbs import compose_rotations, place_joints, pose_features, skin
from odah.body.so3 import rotvec_to_rotmat
from odah.names import SMPLX_PARENTS

finite_rotvecs = arrays(np.float64, (4, 3), elements=st.floats(-6, 6))


@given(finite_rotvecs)
def test_rodrigues_agrees_with_scipy(rotvec: np.ndarray) -> None:
    expected = Rotation.from_rotvec(rotvec).as_matrix()
    np.testing.assert_allclose(rotvec_to_rotmat(torch.as_tensor(rotvec)).numpy(), expected, atol=1e-9)


@pytest.mark.parametrize("scale", [0.0, 1e-8, 9e-4, 1.1e-3, 1.0])
def test_rodrigues_gradient_is_right_at_any_angle(scale: float) -> None:
    rotvec = (scale * torch.tensor([0.6, -0.3, 0.2], dtype=torch.float64)).requires_grad_()
    assert torch.autograd.gradcheck(rotvec_to_rotmat, rotvec, eps=1e-7, atol=1e-6)


def test_tree_agrees_with_joint_by_joint_loop() -> None:
    rng = np.random.default_rng(0)
    local = Rotation.random(2 * 55, random_state=rng).as_matrix().reshape(2, 55, 3, 3)
    joints = rng.normal(size=(2, 55, 3))
    rotmats, placed = local.copy(), joints.copy()
    for j, parent in enumerate(SMPLX_PARENTS):
        if parent >= 0:
            rotmats[:, j] = rotmats[:, parent] @ local[:, j]
            bone = (joints[:, j] - joints[:, parent])[..., None]
            placed[:, j] = placed[:, parent] + (rotmats[:, parent] @ bone)[..., 0]
    composed = compose_rotations(torch.as_tensor(local), SMPLX_PARENTS)
    np.testing.assert_allclose(composed.numpy(), rotmats, atol=1e-12)
    moved = place_joints(torch.as_tensor(joints), composed, SMPLX_PARENTS)
    np.testing.assert_allclose(moved.numpy(), placed, atol=1e-12)


def test_skin_is_the_weighted_mean_of_rigid_motions() -> None:
    rng = np.random.default_rng(1)
    vertices, joints, posed = rng.normal(size=(7, 3)), rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    weights = rng.dirichlet(np.ones(5), 7)
    rotmats = Rotation.random(5, random_state=rng).as_matrix()
    expected = sum(
        weights[:, j : j + 1] * ((vertices - joints[j]) @ rotmats[j].T + posed[j]) for j in range(5)
    )
    result = skin(*(torch.as_tensor(a) for a in (vertices, weights, joints, rotmats, posed)))
    np.testing.assert_allclose(result.numpy(), expected, atol=1e-12)


def test_pose_features_are_zero_at_rest_and_leave_out_the_root() -> None:
    rotmats = torch.eye(3).repeat(55, 1, 1)
    rotmats[0] = rotvec_to_rotmat(torch.tensor([0.3, 0.2, 0.1]))
    assert torch.equal(pose_features(rotmats), torch.zeros(54 * 9))
