"""Two models at rest, with all coordinates zero: how their bones lie to each other, and how long they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from odah.errors import InputError
from odah.osim.fk import ForwardKinematics
from odah.osim.model import Model
from odah.osim.transfer.counterparts import Counterparts

_SAME_POSE = np.deg2rad(12.0)
"""Bones that differ by less are taken for bones of the same pose, of people who differ."""
_MOSTLY = 0.8
"""Cosine of the angle up to which a direction counts as upright, sideways or ahead."""
_FAR_ENDS = {
    "femur": "walker_knee", "tibia": "ankle", "calcn": "mtp",
    "humerus": "elbow", "ulna": "radius_hand", "radius": "radius_hand",
}  # fmt: skip
"""Long bones, and the joint at the end of each."""


@dataclass(frozen=True)
class Rest:
    """A model with all coordinates zero: rotmats (K, 3, 3) and positions (K, 3) of bodies, joints (J, 3)."""

    model: Model
    rotmats: np.ndarray
    positions: np.ndarray
    joints: np.ndarray

    @classmethod
    def of(cls, model: Model) -> Rest:
        pose = ForwardKinematics(model)(torch.zeros(len(model.coordinates), dtype=torch.float64))
        return cls(model, pose.body_rotmats.numpy(), pose.body_positions.numpy(), pose.joints.numpy())

    def centre(self, *joints: str) -> np.ndarray:
        """(3,) middle of joints, ground, m."""
        return np.mean([self.joints[self.model.joint_names.index(name)] for name in joints], axis=0)

    def rotmat(self, body: str) -> np.ndarray:
        return self.rotmats[self.model.body_names.index(body)]

    def on_body(self, body: str, point: np.ndarray) -> np.ndarray:
        """A ground point (3,) in a body's frame."""
        return self.rotmat(body).T @ (point - self.positions[self.model.body_names.index(body)])


@dataclass(frozen=True)
class RestPair:
    """Another model and the full-body one at rest, both upright and facing x."""

    theirs: Rest
    ours: Rest
    parts: Counterparts

    @classmethod
    def of(cls, model: Model, ours: Model, parts: Counterparts, where: str) -> RestPair:
        """Both at rest.

        Raises:
            InputError: the other model does not stand upright, facing x, with its right to the right.
        """
        pair = cls(Rest.of(model), Rest.of(ours), parts)
        pair._check_standing(where)
        return pair

    def with_ours(self, ours: Model) -> RestPair:
        return RestPair(self.theirs, Rest.of(ours), self.parts)

    def anchors(self, body: str) -> tuple[str, ...]:
        """Joints of ours in whose middle a body is held; both models have them."""
        wide = {"pelvis": ("hip_r", "hip_l"), "torso": ("acromial_r", "acromial_l")}.get(body, ())
        if wide and all(name in self.parts.centres for name in wide):
            return wide
        joint_of = {joint.child: joint for joint in self.ours.model.joints}
        while joint_of[body].name not in self.parts.centres:
            body = joint_of[body].parent
        return (joint_of[body].name,)

    def their_centre(self, *joints: str) -> np.ndarray:
        """(3,) middle in their model of joints of ours."""
        return self.theirs.centre(*(self.parts.centres[name] for name in joints))

    def matched_rotmats(self) -> dict[str, np.ndarray]:
        """(3, 3) by body of ours: turns ours, in its own frame, into their body's frame, as both point alike.

        Models rest in the same pose. Where one rests with arms spread, say, its bones are first turned the
        shortest way to where ours point.
        """
        turns: dict[str, np.ndarray] = {}
        parent_of = {joint.child: joint.parent for joint in self.ours.model.joints}
        matched: dict[str, np.ndarray] = {}
        for body in self.ours.model.body_names:
            turn = turns.get(parent_of[body], np.eye(3))
            bone, _, side = body.partition("_")
            far = f"{_FAR_ENDS.get(bone)}_{side}"
            if body in self.parts.bodies and far in self.parts.centres:
                near = self.anchors(body)
                wanted = self.ours.centre(far) - self.ours.centre(*near)
                turn = (
                    _nearest_turn(turn @ (self.their_centre(far) - self.their_centre(*near)), wanted) @ turn
                )
            turns[body] = turn
            if body in self.parts.bodies:
                theirs = turn @ self.theirs.rotmat(self.parts.bodies[body])
                matched[body] = theirs.T @ self.ours.rotmat(body)
        return matched

    def _check_standing(self, where: str) -> None:
        hips, ankles = ("hip_r", "hip_l"), [j for j in ("ankle_r", "ankle_l") if j in self.parts.centres]
        down = self.their_centre(*ankles) - self.their_centre(*hips)
        right = self.their_centre("hip_r") - self.their_centre("hip_l")
        directions = {"up": (-down, 1), "to the right": (right, 2)}
        if {"mtp_r", "mtp_l"} <= self.parts.centres.keys():
            ahead = self.their_centre("mtp_r", "mtp_l") - self.their_centre(*ankles)
            directions["ahead"] = (ahead * [1, 0, 1], 0)
        for told, (direction, axis) in directions.items():
            if direction[axis] < _MOSTLY * np.linalg.norm(direction) or not direction.any():
                raise InputError(
                    f"{where}: model {self.theirs.model.name!r} with all coordinates zero",
                    f"{told} is not along {'xyz'[axis]}",
                    "someone who stands upright: x ahead, y up, z to the right",
                )  # fmt: skip


def _nearest_turn(direction: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The least rotation that lays one direction onto another; none where they differ as people do."""
    if not direction.any():
        return np.eye(3)
    first, second = direction / np.linalg.norm(direction), wanted / np.linalg.norm(wanted)
    cross, cosine = np.cross(first, second), float(first @ second)
    if cosine > np.cos(_SAME_POSE):
        return np.eye(3)
    skew = np.cross(np.eye(3), cross)
    return np.eye(3) + skew + skew @ skew / (1 + max(cosine, -1 + 1e-9))
