"""Gradient and Gauss-Newton matrix of the marker distances, without the Jacobian.

J^T W J is the joint-space mass matrix of point masses w at the markers: what an axis moves is a composite of
the markers beyond it, and two axes share that of the deeper one (composite-rigid-body algorithm,
Featherstone, "Rigid Body Dynamics Algorithms", 2008, section 6.2). Spatial vectors are taken about ground's
origin: an axis a through o turns with (a, o x a), a shift along v moves with (0, v).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from odah.osim.fk import SkeletonPose
from odah.osim.ik.jacobian import MarkerJacobian
from odah.osim.ik.problem import IkFrames, IkProblem


class NormalEquations:
    """`NormalEquations(problem)(x, frames)`: cost (t,), half its gradient (t, P) and J^T W J (t, P, P)."""

    def __init__(self, problem: IkProblem) -> None:
        self.kinematics = MarkerJacobian(problem)
        carries = self.kinematics.carries  # (M, A)
        shared = carries.T @ carries  # markers that two axes both move: all of the deeper one's, or none
        own = shared.diagonal()
        is_deeper = (shared > 0) & (own[:, None] <= own[None, :])
        is_alike = is_deeper & is_deeper.T
        # (A, A): row a takes the composite of a; pairs that move the same markers are counted once.
        self.share = is_deeper.to(carries) * torch.where(is_alike, 0.5, 1.0).to(carries)

    def __call__(
        self, x: Float[Tensor, "t P"], frames: IkFrames
    ) -> tuple[Float[Tensor, " t"], Float[Tensor, "t P"], Float[Tensor, "t P P"]]:
        coordinates = self.kinematics.coordinates(x, frames.given)
        pose = self.kinematics.fk(coordinates)
        turns, shifts = self._twists(coordinates, pose)
        mass, first, second, force, moment = self._composites(pose.markers, frames)
        by_axis = (turns * moment).sum(-1) + (shifts * force).sum(-1)
        impulse = mass * shifts + torch.linalg.cross(turns, first)
        trace = second.diagonal(dim1=-2, dim2=-1).sum(-1, keepdim=True)
        spin = trace * turns - (second @ turns[..., None])[..., 0] + torch.linalg.cross(first, shifts)
        half = (impulse @ shifts.mT + spin @ turns.mT) * self.share
        difference = pose.markers - frames.measured
        cost = (difference.square().sum(-1) * frames.weights).sum(-1)
        by_free = self.kinematics.amount_derivatives(coordinates)
        gradient = (by_axis[:, None] @ by_free)[:, 0]
        normal = by_free.mT @ (half + half.mT) @ by_free
        if frames.targets is not None and frames.target_weights is not None:
            pull = frames.target_weights * (x - frames.targets)
            cost = cost + (pull * (x - frames.targets)).sum(-1)
            gradient = gradient + pull
            normal = normal + torch.diag_embed(frames.target_weights)
        return cost, gradient, normal

    def _twists(self, coordinates: Tensor, pose: SkeletonPose) -> tuple[Tensor, Tensor]:
        """Turning and shifting part of each of the A moving axes, (t, A, 3)."""
        directions, centres = self.kinematics.axes(coordinates, pose)
        is_turning = torch.arange(directions.shape[1])[:, None] < self.kinematics.num_turning
        shifts = torch.where(is_turning, torch.linalg.cross(centres, directions), directions)
        return torch.where(is_turning, directions, 0.0), shifts

    def _composites(self, markers: Float[Tensor, "t M 3"], frames: IkFrames) -> tuple[Tensor, ...]:
        """Sums over the markers that each axis carries: mass, first and second moments, force, moment."""
        weights = frames.weights[..., None]
        forces = weights * (markers - frames.measured)
        first = weights * markers
        second = (first[..., :, None] * markers[..., None, :]).flatten(-2)
        moments = torch.linalg.cross(markers, forces)
        each = torch.cat([weights, first, forces, moments, second], dim=-1)
        mass, first, force, moment, second = (self.kinematics.carries.T @ each).split([1, 3, 3, 3, 9], dim=-1)
        return mass, first, second.unflatten(-1, (3, 3)), force, moment
