"""Points on a body, collapsed to a super-point a bone."""

from dataclasses import replace

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from odah.body.body_model import BodyModel
from odah.body.fitting.pose_state import PoseState
from odah.body.fitting.skinned_points import NUM_SOLVED_JOINTS, SkinnedPoints
from odah.body.so3 import rotmat_to_rotvec, rotvec_to_rotmat
from odah.names import SMPLX_JOINTS, SMPLX_PARENTS

LEFT_OFFSETS = {
    "hip": (0.09, -0.08, 0.0), "knee": (0.02, -0.4, 0.0), "ankle": (0.0, -0.42, -0.03),
    "foot": (0.02, -0.06, 0.1), "collar": (0.05, 0.2, 0.0), "shoulder": (0.12, 0.03, -0.01),
    "elbow": (0.28, 0.0, -0.02), "wrist": (0.25, 0.0, 0.0),
}  # fmt: skip
MIDDLE_OFFSETS = {"spine1": 0.12, "spine2": 0.13, "spine3": 0.06, "neck": 0.22, "head": 0.1, "jaw": 0.02}


def stick_joints() -> np.ndarray:
    joints = np.zeros((55, 3))
    for index, name in enumerate(SMPLX_JOINTS):
        side, _, part = name.partition("_")
        if side in ("left", "right"):
            sign = np.array([-1.0 if side == "right" else 1.0, 1.0, 1.0])
            offset = sign * np.array(LEFT_OFFSETS.get(part, (0.03, 0.0, 0.0)))
        else:
            offset = np.array([0.0, MIDDLE_OFFSETS.get(name, 0.0), 0.0])
        joints[index] = offset + (joints[SMPLX_PARENTS[index]] if index else 0.0)
    return joints


def stick_body(num_betas: int = 4, correctives: float = 0.0) -> BodyModel:
    """SMPL-X's tree with a cloud of 12 skinned vertices a joint."""
    rng = np.random.default_rng(0)
    joints = stick_joints()
    owner = np.repeat(np.arange(55), 12)
    blend = rng.uniform(0.6, 1.0, len(owner))
    weights = np.zeros((len(owner), 55))
    weights[np.arange(len(owner)), owner] += blend
    weights[np.arange(len(owner)), np.maximum(np.array(SMPLX_PARENTS)[owner], 0)] += 1 - blend
    arrays = (
        joints[owner] + rng.normal(0, 0.05, (len(owner), 3)),
        0.01 * rng.normal(0, 1, (len(owner), 3, num_betas)),
        joints,
        0.01 * rng.normal(0, 1, (55, 3, num_betas)),
        weights,
        correctives * rng.normal(0, 1, (len(owner), 3, 486)),
    )
    no_faces, hands = np.zeros((0, 3), np.int64), np.zeros((30, 3))
    return BodyModel("stick", "neutral", *map(torch.from_numpy, arrays), faces=no_faces, hand_mean=hands)


def random_points(body: BodyModel, count: int = 90) -> np.ndarray:
    """Signed weights of points on the moving parts, rows sum to one."""
    rng = np.random.default_rng(1)
    weights = np.zeros((count, body.num_vertices))
    for row in weights:
        chosen = rng.choice(12 * NUM_SOLVED_JOINTS, 6, replace=False)
        values = rng.normal(1 / 6, 0.3, 6)
        row[chosen] = values + (1 - values.sum()) / 6
    return weights


def random_state(seed: int, frames: int, num_betas: int = 4) -> PoseState:
    rng = np.random.default_rng(seed)
    rotvecs = rng.normal(0, 0.4, (frames, 55, 3))
    rotvecs[:, NUM_SOLVED_JOINTS:] = 0
    betas, transl = rng.normal(0, 1, num_betas), rng.normal(0, 1, (frames, 3))
    return PoseState(
        torch.from_numpy(betas), rotvec_to_rotmat(torch.from_numpy(rotvecs)), torch.from_numpy(transl)
    )


def turned(state: PoseState, rotmats: torch.Tensor, step: torch.Tensor) -> PoseState:
    """Moved by step (T, 69): translation, then world-axis turns of the joints."""
    local = state.local_rotmats.clone()
    for joint in range(NUM_SOLVED_JOINTS):
        turn = rotvec_to_rotmat(step[:, 3 + 3 * joint : 6 + 3 * joint])
        if joint:
            parent = rotmats[:, SMPLX_PARENTS[joint]]
            turn = parent.mT @ turn @ parent
        local[:, joint] = turn @ local[:, joint]
    return PoseState(state.betas, local, state.transl + step[:, :3])


def test_collapsed_points_equal_the_posed_mesh():
    body = stick_body(correctives=0.002)
    weights, state = random_points(body), random_state(3, 5)
    points = SkinnedPoints(body, weights).pose(state.betas, state.local_rotmats, state.transl).points
    posed = body(state.betas, rotmat_to_rotvec(state.local_rotmats), state.transl)
    torch.testing.assert_close(points, torch.from_numpy(weights) @ posed.vertices, atol=1e-9, rtol=0)


@given(seed=st.integers(0, 1000))
@settings(max_examples=5, deadline=None)
def test_pose_jacobian_agrees_with_finite_differences(seed):
    body = stick_body()
    points, state = SkinnedPoints(body, random_points(body, 20)), random_state(seed, 2)
    posed = points.pose(state.betas, state.local_rotmats, state.transl)
    jacobian = points.pose_jacobian(posed)
    for k in range(jacobian.shape[-1]):
        step = torch.zeros(2, jacobian.shape[-1], dtype=torch.float64)
        step[:, k] = 1e-6
        ahead, behind = (turned(state, posed.rotmats, sign * step) for sign in (1, -1))
        moved = [points.pose(s.betas, s.local_rotmats, s.transl).points for s in (ahead, behind)]
        torch.testing.assert_close((moved[0] - moved[1]) / 2e-6, jacobian[..., k], atol=1e-6, rtol=1e-6)


def test_shape_jacobian_agrees_with_finite_differences():
    body = stick_body()
    points, state = SkinnedPoints(body, random_points(body, 20)), random_state(7, 3)
    jacobian = points.shape_jacobian(points.pose(state.betas, state.local_rotmats, state.transl))
    for k in range(4):
        step = 1e-6 * torch.eye(4, dtype=torch.float64)[k]
        moved = [
            points.pose(state.betas + s * step, state.local_rotmats, state.transl).points for s in (1, -1)
        ]
        torch.testing.assert_close((moved[0] - moved[1]) / 2e-6, jacobian[..., k], atol=1e-7, rtol=1e-6)


def test_offset_points_are_vertices_of_a_body_that_is_moved_at_rest():
    body, offset = stick_body(correctives=0.002), torch.tensor([0.01, -0.02, 0.03], dtype=torch.float64)
    chosen, state = np.arange(0, 250, 7), random_state(3, 4)
    points = SkinnedPoints(body, np.eye(body.num_vertices)[chosen])
    offsets = offset.expand(len(chosen), 3)
    posed = points.pose(state.betas, state.local_rotmats, state.transl, offsets)
    moved = replace(body, v_template=body.v_template + offset)
    expected = moved(state.betas, rotmat_to_rotvec(state.local_rotmats), state.transl).vertices[:, chosen]
    torch.testing.assert_close(posed.points, expected, atol=1e-9, rtol=0)
    start = points.pose(state.betas, state.local_rotmats, state.transl)
    carried = (points.offset_jacobian(start) @ offset[:, None])[..., 0]
    torch.testing.assert_close(posed.points - start.points, carried, atol=1e-12, rtol=0)


def test_arms_of_carried_points_end_in_them():
    body = stick_body()
    points, state = SkinnedPoints(body, np.eye(body.num_vertices)[:40]), random_state(5, 2)
    posed = points.pose(state.betas, state.local_rotmats, state.transl)
    root = (posed.points - posed.positions[:, :1]).mT
    torch.testing.assert_close(points.arms(posed)[:, :, 0], root, atol=1e-12, rtol=0)
