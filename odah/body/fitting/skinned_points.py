"""Points that are weighted sums of a skinned mesh's vertices, collapsed to one super-point a bone.

Linear blend skinning is linear in the rest vertices, so a point x_p = sum_i c_pi v_i (a marker, or a
joint regressed from 200 vertices) poses exactly as

    x_p = sum_j  R_j (m_pj + Q_pj f) + a_pj P_j
    m_pj = sum_i c_pi w_ij (v_i(betas) - J_j(betas)),   a_pj = sum_i c_pi w_ij,

with few bones j a point; R_j, P_j are the posed joint frames, f = vec(R_local - I) the pose feature
and Q the pose correctives. Vertices that no point uses are never posed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from odah.body.body_model import BodyModel
from odah.body.lbs import compose_rotations, place_joints
from odah.names import SMPLX_PARENTS

NUM_SOLVED_JOINTS = 22
"""Pelvis to wrists move; jaw, eyes and fingers keep the pose they are given."""

_NEGLIGIBLE = 1e-5


@dataclass(frozen=True)
class PosedPoints:
    """points (T, P, 3); rotmats (T, 55, 3, 3) and positions (T, 55, 3) of joints; parts (Q, T, 3), whose
    sums are the points."""

    points: Tensor
    rotmats: Tensor
    positions: Tensor
    parts: Tensor


class SkinnedPoints:
    """P points on a body, posed for many frames at once.

    Args:
        body: rest shape and weights.
        weights: (P, N), a scipy sparse matrix or a numpy array; rows sum to one.
    """

    def __init__(self, body: BodyModel, weights: Any, dtype: torch.dtype = torch.float64) -> None:
        rows: Any = sparse.csr_matrix(weights)
        used = np.unique(rows.indices)
        weights = rows[:, used]
        body = body.restricted_to(used).to(dtype=torch.float64)
        self.dtype = dtype
        self.num_points, self.num_betas = weights.shape[0], body.num_betas
        lbs_weights = body.lbs_weights.numpy()
        self.pair_point, self.pair_joint = (
            torch.from_numpy(x) for x in np.nonzero(np.asarray(abs(weights) @ lbs_weights) > _NEGLIGIBLE)
        )
        point, joint = self.pair_point.numpy(), self.pair_joint.numpy()
        pairs: Any = sparse.csr_matrix(weights[point].multiply(lbs_weights[:, joint].T))
        share = np.asarray(weights @ lbs_weights)[point, joint]
        self._share = self._tensor(share)
        self._rest = self._tensor(_about_joint(pairs, share, body.v_template, body.joint_template[joint]))
        self._rest_dirs = self._tensor(
            _about_joint(pairs, share, body.shapedirs, body.joint_shapedirs[joint])
        )
        self._joints, self._joint_dirs = body.joint_template.to(dtype), body.joint_shapedirs.to(dtype)
        self._correctives = None
        if body.posedirs is not None:
            flat = pairs @ body.posedirs.numpy().reshape(len(used), -1)
            self._correctives = self._tensor(flat.reshape(-1, body.posedirs.shape[-1]))
        self._shares_below = self._accumulate(self._dense(self._share[:, None, None]))[..., 0]

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.as_tensor(np.ascontiguousarray(array), dtype=self.dtype)

    def _dense(self, parts: Tensor) -> Tensor:
        """Pairs (Q, T, D) -> (55, T, P, D)."""
        dense = parts.new_zeros(len(SMPLX_PARENTS), self.num_points, *parts.shape[1:])
        dense[self.pair_joint, self.pair_point] = parts
        return dense.transpose(1, 2)

    def _accumulate(self, dense: Tensor) -> Tensor:
        """Sums over each joint's subtree, (55, ...) -> (22, ...)."""
        for joint in range(len(SMPLX_PARENTS) - 1, 0, -1):
            dense[SMPLX_PARENTS[joint]] += dense[joint]
        return dense[:NUM_SOLVED_JOINTS]

    def rest_joints(self, betas: Tensor) -> Tensor:
        """(55, 3) rest joints of one shape, m."""
        return self._joints + self._joint_dirs @ betas

    def pose(
        self, betas: Tensor, local_rotmats: Tensor, transl: Tensor, offsets: Tensor | None = None
    ) -> PosedPoints:
        """Pose one shape (B,) in T poses: local_rotmats (T, 55, 3, 3), transl (T, 3) m.

        offsets (P, 3): from where its vertices put a point, in the T-pose, m; the skin carries it along,
        as it does a marker that is worn a little off its nominal place or stands out from the skin.
        """
        rotmats, positions = forward_kinematics(self.rest_joints(betas), local_rotmats)
        positions = positions + transl[:, None]
        rest = self._rest + self._rest_dirs @ betas
        if offsets is not None:
            rest = rest + self._share[:, None] * offsets[self.pair_point]
        rest = rest[:, None].expand(-1, len(transl), -1)
        if self._correctives is not None:
            feature = (local_rotmats[:, 1:] - torch.eye(3, dtype=self.dtype)).flatten(1)
            rest = rest + (feature @ self._correctives.T).unflatten(1, (-1, 3)).transpose(0, 1)
        turned = (rotmats[:, self.pair_joint].transpose(0, 1) @ rest[..., None])[..., 0]
        parts = turned + self._share[:, None, None] * positions[:, self.pair_joint].transpose(0, 1)
        points = parts.new_zeros(self.num_points, *parts.shape[1:]).index_add_(0, self.pair_point, parts)
        return PosedPoints(points.transpose(0, 1), rotmats, positions, parts)

    def pose_jacobian(self, posed: PosedPoints, scale: Tensor | None = None) -> Tensor:
        """(T, P, 3, 3 + 66): by translation, then by a world-axis turn of each joint 0..21 with its subtree.

        d x_p = w x (U_pk - A_pk P_k), U and A summed over the subtree of k. Pose correctives are held.
        scale (P,) multiplies each point's rows.
        """
        below = self._accumulate(self._dense(posed.parts))
        pivots = posed.positions[:, :NUM_SOLVED_JOINTS].transpose(0, 1)[:, :, None]
        arms = below - self._shares_below[..., None] * pivots
        scale = torch.ones(self.num_points, dtype=self.dtype) if scale is None else scale
        x, y, z = (arms * scale[:, None]).permute(3, 1, 2, 0)
        jacobian = torch.zeros(*x.shape[:2], 3, 3 + 3 * NUM_SOLVED_JOINTS, dtype=self.dtype)
        jacobian[..., :3] = scale[:, None, None] * torch.eye(3, dtype=self.dtype)
        # Filled in place: the rows of -[arm]x, without building the matrices first.
        turning = jacobian[..., 3:].unflatten(-1, (NUM_SOLVED_JOINTS, 3))
        turning[..., 0, :, 1], turning[..., 1, :, 0] = z, -z
        turning[..., 2, :, 0], turning[..., 0, :, 2] = y, -y
        turning[..., 1, :, 2], turning[..., 2, :, 1] = x, -x
        return jacobian

    def shape_jacobian(self, posed: PosedPoints) -> Tensor:
        """(T, P, 3, B): derivative of the points by betas, exact."""
        moved = joint_position_jacobian(self._joint_dirs, posed.rotmats)
        parts = posed.rotmats[:, self.pair_joint] @ self._rest_dirs
        parts = parts + self._share[:, None, None] * moved[:, self.pair_joint]
        points = parts.new_zeros(len(parts), self.num_points, *parts.shape[2:])
        return points.index_add_(1, self.pair_point, parts)

    def offset_jacobian(self, posed: PosedPoints) -> Tensor:
        """(T, P, 3, 3): derivative of each point by its own offset, the blended rotation of its bones."""
        parts = self._share[:, None, None] * posed.rotmats[:, self.pair_joint]
        blended = parts.new_zeros(len(parts), self.num_points, 3, 3)
        return blended.index_add_(1, self.pair_point, parts)


def _about_joint(pairs: Any, share: np.ndarray, values: Tensor, at_joint: Tensor) -> np.ndarray:
    """sum_i c_pi w_ij (values_i - at_joint_j) for each pair (p, j): (Q, 3) or (Q, 3, B)."""
    summed = (pairs @ values.numpy().reshape(len(values), -1)).reshape(-1, *values.shape[1:])
    return summed - share.reshape(-1, *[1] * (values.ndim - 1)) * at_joint.numpy()


def forward_kinematics(rest_joints: Tensor, local_rotmats: Tensor) -> tuple[Tensor, Tensor]:
    """Global rotations (T, 55, 3, 3) and joint positions (T, 55, 3) before `transl` is added."""
    rotmats = compose_rotations(local_rotmats, SMPLX_PARENTS)
    return rotmats, place_joints(rest_joints, rotmats, SMPLX_PARENTS)


def joint_position_jacobian(joint_dirs: Tensor, rotmats: Tensor) -> Tensor:
    """(T, 55, 3, B): derivative of posed joint positions by betas; joint_dirs (55, 3, B)."""
    moved = [joint_dirs[0].expand(len(rotmats), *joint_dirs.shape[1:])]
    for joint, parent in enumerate(SMPLX_PARENTS):
        if parent >= 0:
            moved.append(moved[parent] + rotmats[:, parent] @ (joint_dirs[joint] - joint_dirs[parent]))
    return torch.stack(moved, 1)
