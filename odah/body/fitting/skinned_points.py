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
    """points (T, P, 3); rotmats (T, 55, 3, 3) and positions (T, 55, 3) of joints; parts (T, 3, Q), whose
    sums are the points."""

    points: Tensor
    rotmats: Tensor
    positions: Tensor
    parts: Tensor

    def frames(self, index: slice | Tensor) -> PosedPoints:
        return PosedPoints(self.points[index], self.rotmats[index], self.positions[index], self.parts[index])


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
            flat = flat.reshape(len(point), 3, -1).swapaxes(0, 1).reshape(3 * len(point), -1)
            self._correctives = self._tensor(flat)
            self._features = torch.nonzero(self._correctives.abs().amax(0))[:, 0]
            self._correctives = self._correctives[:, self._features].T.contiguous()
        self._collect_subtrees()

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.as_tensor(np.ascontiguousarray(array), dtype=self.dtype)

    def _collect_subtrees(self) -> None:
        """Which pairs a point's part in a joint's subtree is the sum of, each different sum once.

        sums (Q, P + S): by which parts become points, then those sums; carried_column (22 * P): the one of
        these that joint k carries of point p; carried_share (22, P): its share.
        """
        is_below = np.eye(len(SMPLX_PARENTS), dtype=bool)
        for joint in range(len(SMPLX_PARENTS) - 1, 0, -1):
            is_below[SMPLX_PARENTS[joint]] |= is_below[joint]
        point, joint = self.pair_point.numpy(), self.pair_joint.numpy()
        pairs_of = [np.flatnonzero(point == k) for k in range(self.num_points)]
        carried = [
            tuple(pairs[below[joint[pairs]]]) for below in is_below[:NUM_SOLVED_JOINTS] for pairs in pairs_of
        ]
        columns: dict[tuple[int, ...], int] = {}
        chosen = [columns.setdefault(pairs, len(columns)) for pairs in carried]
        sums = np.zeros((len(point), self.num_points + len(columns)))
        sums[np.arange(len(point)), point] = 1
        for pairs, column in columns.items():
            sums[list(pairs), self.num_points + column] = 1
        self._sums = self._tensor(sums)
        self._carried_column = self.num_points + torch.tensor(chosen)
        shares = (self._share @ self._sums)[self._carried_column]
        self._carried_share = shares.reshape(NUM_SOLVED_JOINTS, self.num_points)

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
        return self.pose_rest(self.rest(betas, local_rotmats, offsets), betas, local_rotmats, transl)

    def rest(self, betas: Tensor, local_rotmats: Tensor, offsets: Tensor | None = None) -> Tensor:
        """(T, 3, Q): the parts in the T-pose, from their joints, with the pose correctives of T poses."""
        rest = self._rest + self._rest_dirs @ betas
        if offsets is not None:
            rest = rest + self._share[:, None] * offsets[self.pair_point]
        rest = rest.T.expand(len(local_rotmats), -1, -1)
        if self._correctives is None:
            return rest
        feature = (local_rotmats[:, 1:] - torch.eye(3, dtype=self.dtype)).flatten(1)
        moved = feature.index_select(1, self._features) @ self._correctives
        return moved.unflatten(1, (3, -1)).add_(rest)

    def pose_rest(self, rest: Tensor, betas: Tensor, local_rotmats: Tensor, transl: Tensor) -> PosedPoints:
        """`pose` from known `rest`, which may be of other poses: so pose correctives are held."""
        rotmats, positions = forward_kinematics(self.rest_joints(betas), local_rotmats)
        positions = positions + transl[:, None]
        turning = rotmats.permute(0, 2, 3, 1).index_select(3, self.pair_joint)
        parts = (turning * rest[:, None]).sum(2)
        parts += self._share * positions.mT.index_select(2, self.pair_joint)
        points = (parts @ self._sums[:, : self.num_points]).mT
        return PosedPoints(points, rotmats, positions, parts)

    def arms(self, posed: PosedPoints) -> Tensor:
        """(T, 3, 22, P): what a turn of joint k with its subtree moves of point p, from the joint, m.

        d x_p = w x arm_pk, arm_pk = U_pk - A_pk P_k, U and A the sums of parts and shares over the subtree
        of k. Pose correctives are held.
        """
        carried = (posed.parts @ self._sums).index_select(2, self._carried_column)
        carried = carried.unflatten(2, (NUM_SOLVED_JOINTS, -1))
        pivots = posed.positions[:, :NUM_SOLVED_JOINTS].mT[..., None]
        return torch.addcmul(carried, self._carried_share, pivots, value=-1)

    def pose_jacobian(self, posed: PosedPoints, scale: Tensor | None = None) -> Tensor:
        """(T, P, 3, 3 + 66): by translation, then by a world-axis turn of each joint 0..21 with its subtree.

        scale (P,) multiplies each point's rows.
        """
        scale = torch.ones(self.num_points, dtype=self.dtype) if scale is None else scale
        x, y, z = (self.arms(posed) * scale).permute(1, 0, 3, 2)
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
