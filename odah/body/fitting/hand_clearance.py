"""Keeps hands out of the trunk and the thighs while a shape is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from odah.body.body_model import BodyModel
from odah.body.fitting.skinned_points import (
    NUM_SOLVED_JOINTS,
    forward_kinematics,
    joint_position_jacobian,
)
from odah.body.lbs import skin
from odah.body.mesh import thinned, vertex_normals
from odah.names import SIDES, SMPLX_INDEX, SMPLX_PARENTS

_TRUNK = ("pelvis", "spine1", "spine2", "spine3", "left_hip", "right_hip")
_PALM = ("wrist", "index1", "middle1", "ring1", "pinky1")
_SPACING, _HAND_SPACING = 0.04, 0.03
"""m between the surface points that stand for trunk and hand."""

_REACH = 0.12
"""m; a hand point farther than this from the nearest trunk point touches nothing."""

_SIGMA = 0.005
"""m; what a hand may sink in."""


def _subtrees() -> Tensor:
    """(22, 55): one where a joint turns with the first."""
    is_below = torch.eye(len(SMPLX_PARENTS), dtype=torch.float64)
    for joint in range(len(SMPLX_PARENTS) - 1, 0, -1):
        is_below[SMPLX_PARENTS[joint]] += is_below[joint]
    return is_below[:NUM_SOLVED_JOINTS]


_IS_BELOW = _subtrees()


@dataclass(frozen=True)
class _Contacts:
    """Hand points within the trunk: indices (C,) of frame, and of hand point and trunk point among all;
    normal (C, 3) out of the trunk; gap (C, 3) from hand to trunk point, m; rotmats and positions of all
    joints."""

    frame: Tensor
    hand: Tensor
    trunk: Tensor
    normal: Tensor
    gap: Tensor
    rotmats: Tensor
    positions: Tensor

    @property
    def depth(self) -> Tensor:
        """(C,) m, positive."""
        return (self.gap * self.normal).sum(-1)


class HandClearance:
    """Hinges between points of both palms and the skin of trunk and thighs of one body.

    A hand point is inside where it lies behind the tangent plane of the nearest trunk point, which turns
    with the bone that carries the point most. Pose correctives, millimetres here, are left out.
    """

    def __init__(self, body: BodyModel) -> None:
        rest, owner = body.v_template.double().numpy(), body.lbs_weights.numpy().argmax(1)
        trunk = thinned(rest, _members(owner, _TRUNK), _SPACING)
        palms = [_members(owner, [f"{side}_{name}" for name in _PALM]) for side in SIDES]
        hands = [thinned(rest, palm, _HAND_SPACING) for palm in palms]
        chosen = np.concatenate([*hands, trunk])
        self._num_hand = len(chosen) - len(trunk)
        self._side = torch.from_numpy(np.repeat([0, 1], [len(hand) for hand in hands]))
        self._owner = torch.from_numpy(owner[chosen])
        self._normals = torch.from_numpy(vertex_normals(rest, body.faces)[chosen])
        self._body = body.restricted_to(chosen).to(dtype=torch.float64)

    def depths(self, betas: Tensor, local_rotmats: Tensor) -> Tensor:
        """(K, 2) how deep the left and the right hand are inside the trunk, m; zero outside."""
        contacts = self._contacts(betas, local_rotmats)
        at = 2 * contacts.frame + self._side[contacts.hand]
        depths = betas.new_zeros(2 * len(local_rotmats))
        return depths.scatter_reduce(0, at, contacts.depth, "amax").reshape(-1, 2)

    def squared(self, betas: Tensor, local_rotmats: Tensor) -> Tensor:
        """The sum of the squared whitened residuals."""
        return ((self._contacts(betas, local_rotmats).depth / _SIGMA) ** 2).sum()

    def linearize(self, betas: Tensor, local_rotmats: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Frame (R,), whitened residual (R,) and its Jacobians (R, 69) by pose and (R, B) by betas.

        The pose as in `SkinnedPoints.pose_jacobian`: translation, then world-axis turns of 22 joints.
        """
        contacts = self._contacts(betas, local_rotmats)
        parts, by_betas = self._difference(contacts, betas)
        out = -contacts.normal / _SIGMA
        # A translation moves hand and trunk alike; n . (w x arm) = w . (arm x n).
        arms = self._arms(contacts, parts)
        turns = torch.linalg.cross(arms, out[:, None].expand_as(arms))
        tilt = torch.linalg.cross(contacts.normal, contacts.gap) / _SIGMA
        turns = turns + _IS_BELOW[:, self._owner[contacts.trunk]].T[..., None] * tilt[:, None]
        by_pose = torch.cat([torch.zeros_like(out), turns.flatten(1)], 1)
        by_betas = torch.einsum("ra,rab->rb", out, by_betas)
        return contacts.frame, contacts.depth / _SIGMA, by_pose, by_betas

    def _contacts(self, betas: Tensor, local_rotmats: Tensor) -> _Contacts:
        vertices, joints = self._body.shaped(betas)
        rotmats, positions = forward_kinematics(joints, local_rotmats)
        points = skin(vertices, self._body.lbs_weights, joints, rotmats, positions)
        hands, trunk = points.tensor_split([self._num_hand], 1)
        distance, nearest = torch.cdist(hands, trunk).min(-1)
        frame, hand = torch.nonzero(distance < _REACH, as_tuple=True)
        near = self._num_hand + nearest[frame, hand]
        normal = (rotmats[frame, self._owner[near]] @ self._normals[near, :, None])[..., 0]
        gap = points[frame, near] - points[frame, hand]
        is_in = (gap * normal).sum(-1) > 0
        return _Contacts(
            frame[is_in], hand[is_in], near[is_in], normal[is_in], gap[is_in], rotmats, positions
        )

    def _difference(self, contacts: _Contacts, betas: Tensor) -> tuple[Tensor, Tensor]:
        """Hand point minus trunk point: the part (C, 55, 3) each joint carries, derivative (C, 3, B)."""
        body, joints = self._body, self._body.shaped(betas)[1]
        moved = joint_position_jacobian(body.joint_shapedirs, contacts.rotmats)[contacts.frame]
        rotmats, positions = contacts.rotmats[contacts.frame], contacts.positions[contacts.frame]
        parts, by_betas = torch.zeros_like(positions), torch.zeros_like(moved[:, 0])
        for sign, index in ((1, contacts.hand), (-1, contacts.trunk)):
            share = sign * body.lbs_weights[index][..., None]
            arms = (body.v_template[index] + body.shapedirs[index] @ betas)[:, None] - joints
            parts += share * ((rotmats @ arms[..., None])[..., 0] + positions)
            directions = body.shapedirs[index][:, None] - body.joint_shapedirs
            by_betas += (share[..., None] * (rotmats @ directions + moved)).sum(1)
        return parts, by_betas

    def _arms(self, contacts: _Contacts, parts: Tensor) -> Tensor:
        """(C, 22, 3): what a turn of each joint with its subtree carries of hand minus trunk point, m."""
        share = self._body.lbs_weights[contacts.hand] - self._body.lbs_weights[contacts.trunk]
        pivots = contacts.positions[contacts.frame, :NUM_SOLVED_JOINTS]
        return _IS_BELOW @ parts - (share @ _IS_BELOW.T)[..., None] * pivots


def _members(owner: np.ndarray, joints: Sequence[str]) -> np.ndarray:
    """Vertices whose greatest skinning weight is that of one of the joints."""
    return np.flatnonzero(np.isin(owner, [SMPLX_INDEX[name] for name in joints]))
