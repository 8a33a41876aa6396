"""Markers and their derivatives by the free coordinates, from the axes that move them.

A marker p that an axis a through o moves goes by a x (p - o) a radian, by a a metre if the axis shifts
(Siciliano et al., "Robotics", 2009, section 3.1); what a coordinate turns or shifts by follows from the
slopes of the joints' functions and of the couplers.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from odah.osim.axis_turns import AxisTurns
from odah.osim.coupling import CouplerStage
from odah.osim.fk import ForwardKinematics, SkeletonPose
from odah.osim.ik.problem import IkProblem, coordinates_moving
from odah.osim.model import Model


class MarkerJacobian:
    """`MarkerJacobian(problem)(x, given)`: markers (t, M, 3) m and derivatives (t, M, 3, P) of a problem."""

    def __init__(self, problem: IkProblem, dtype: torch.dtype = torch.float64) -> None:
        self.fk = ForwardKinematics(problem.model, dtype)
        self.free = torch.from_numpy(problem.free)
        self.selection = torch.eye(len(problem.model.coordinates), dtype=dtype)[:, self.free]
        turning = torch.cat([turns.joints for turns in cast(list[AxisTurns], list(self.fk.turns))])
        shifting = torch.arange(len(problem.model.joints)).repeat_interleave(3)
        joints = torch.cat([turning, shifting])
        carries = torch.from_numpy(joints_carrying(problem.model)).to(dtype)[:, joints]  # (M, F)
        self.moving = torch.nonzero(self._is_driven(problem) & carries.any(0))[:, 0]
        self.num_turning = int((self.moving < len(turning)).sum())
        self.joints, self.carries = joints[self.moving], carries[:, self.moving]
        # A kneecap that follows the knee moves no marker: most couplers need not be differentiated.
        dependent = {coupler.dependent for coupler in problem.model.couplers if coupler.is_enforced}
        moving = set().union(*(coordinates_moving(problem.model, m.body) for m in problem.model.markers))
        stages = cast(list[CouplerStage], list(self.fk.couplers))
        self.coupler_stages = stages if dependent & moving else []

    def _is_driven(self, problem: IkProblem) -> Tensor:
        """(F,) which amounts some coordinate can change."""
        bank = self.fk.functions
        driven = (bank.weight != 0).any(0)
        driven[bank.curved] = True
        return driven

    def coordinates(self, x: Float[Tensor, "t P"], given: Float[Tensor, "t C"]) -> Float[Tensor, "t C"]:
        """All coordinates, dependent ones coupled."""
        return self.fk.couple(given.index_copy(-1, self.free, x))

    def markers(self, x: Float[Tensor, "t P"], given: Float[Tensor, "t C"]) -> Float[Tensor, "t M 3"]:
        return self.fk(self.coordinates(x, given)).markers

    def __call__(
        self, x: Float[Tensor, "t P"], given: Float[Tensor, "t C"]
    ) -> tuple[Float[Tensor, "t M 3"], Float[Tensor, "t M 3 P"]]:
        coordinates = self.coordinates(x, given)
        pose = self.fk(coordinates)
        directions, centres = self.axes(coordinates, pose)
        arms = pose.markers[:, None] - centres[:, : self.num_turning, None]
        turned = torch.linalg.cross(directions[:, : self.num_turning, None].expand_as(arms), arms)
        shifted = directions[:, self.num_turning :, None].expand(-1, -1, arms.shape[2], -1)
        moves = torch.cat([turned, shifted], dim=1) * self.carries.T[..., None]  # (t, A, M, 3)
        by_amount = self.amount_derivatives(coordinates)
        jacobian = moves.flatten(-2).transpose(-1, -2) @ by_amount
        return pose.markers, jacobian.unflatten(1, (-1, 3))

    def axes(self, coordinates: Tensor, pose: SkeletonPose) -> tuple[Tensor, Tensor]:
        """Directions and centres of the A moving axes in ground, each (t, A, 3)."""
        fk = self.fk
        amounts = fk.functions(coordinates)
        shifts = fk.translation_directions.flatten(0, 1).expand(len(amounts), -1, -1)
        local = torch.cat([fk.rotation_axes(amounts), shifts], dim=1)[:, self.moving]
        ground = torch.eye(3, dtype=local.dtype).expand(len(local), 1, 3, 3)
        rotmats = torch.cat([pose.body_rotmats, ground], dim=1)[:, fk.joint_parents[self.joints]]
        return (rotmats @ local[..., None])[..., 0], pose.joints[:, self.joints]

    def amount_derivatives(self, coordinates: Float[Tensor, "t C"]) -> Float[Tensor, "t A P"]:
        """What the moving axes turn or shift by, by the free coordinates."""
        by_coordinate = self.fk.functions.derivatives(coordinates, self.moving)
        if not self.coupler_stages:
            return by_coordinate[..., self.free]
        by_free = self.selection.expand(len(coordinates), -1, -1)
        for stage in self.coupler_stages:
            by_free = by_free.index_copy(1, stage.dependent, stage.derivatives(coordinates) @ by_free)
        return by_coordinate @ by_free


def joints_carrying(model: Model) -> np.ndarray:
    """(M, J) bool: which joints lie between ground and each marker."""
    above = {joint.child: j for j, joint in enumerate(model.joints)}
    carries = np.zeros((len(model.markers), len(model.joints)), dtype=bool)
    for m, marker in enumerate(model.markers):
        body = marker.body
        while body in above:
            carries[m, above[body]] = True
            body = model.joints[above[body]].parent
    return carries
