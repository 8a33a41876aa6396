"""The cost of a whole clip's poses, and the Gauss-Newton step of the frames that still move.

Frames are coupled by smoothness alone. With H the frames' own blocks and S the coupling, the step solves
(H + S) x = -g by conjugate gradients, preconditioned by the Cholesky factors L of the blocks (which take in
the diagonal of S): in y = L^T x the matrix is I + L^-1 (S - diag S) L^-T, close to I where the points tell
the pose, so that few iterations do; a gap takes more.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from odah.body.fitting import smoothness
from odah.body.fitting.clip_blocks import (
    NUM_UNKNOWNS,
    add_turn_blocks,
    from_unknowns,
    point_blocks,
    to_unknowns,
)
from odah.body.fitting.clip_terms import ClipTerms, PointErrors, point_errors
from odah.body.fitting.pose_state import PARENTS, PoseState, in_parents, in_world
from odah.body.fitting.skinned_points import NUM_SOLVED_JOINTS, PosedPoints, SkinnedPoints
from odah.body.so3 import left_jacobian_inverse, rotmat_to_rotvec, rotvec_to_rotmat

_RELATIVE_RESIDUAL, _MAX_INNER = 0.1, 300


@dataclass(frozen=True)
class Linearized:
    """The quadratic model of some frames: their numbers, Cholesky factors (t, 69, 69) of the damped blocks,
    rest parts (t, 3, Q), joint rotations (t, 55, 3, 3), costs (t,) and gradients (t, 69)."""

    frames: Tensor
    factors: Tensor
    rest: Tensor
    rotmats: Tensor
    costs: Tensor
    gradient: Tensor


class ClipProblem:
    """`points` on a body of one shape, to be moved so that `terms` are met.

    Pose correctives are held while frames move and follow afterwards: their slope is no part of the
    Jacobian, so it must be none of the costs that a step is judged by.
    """

    def __init__(self, points: SkinnedPoints, terms: ClipTerms, betas: Tensor, frames_at_once: int) -> None:
        self.points, self.terms, self.betas = points, terms, betas
        self.frames_at_once = frames_at_once
        self.bend_weights = terms.smoothness.weights(terms.rate, terms.targets)

    def bends(self, state: PoseState) -> Tensor:
        """(T,) costs of the smoothness."""
        return smoothness.frame_costs(self._velocity(state), self.bend_weights)

    def linearize(self, state: PoseState, frames: Tensor, damping: Tensor) -> Linearized:
        """damping: (t,) by which the diagonals of the frames' blocks grow."""
        bending = self._bending(state)
        factors = damping.new_empty(len(frames), NUM_UNKNOWNS, NUM_UNKNOWNS)
        parts = [
            self._linearize(state, frames[part], damping[part], bending, factors[part])
            for part in self._batches(len(frames))
        ]
        small = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
        return Linearized(frames, factors, *small)

    def step(self, model: Linearized, num_frames: int) -> tuple[Tensor, Tensor]:
        """(t, 23, 3): the shift and the turns that minimize the model while the other frames rest; and
        (t,) what each frame would gain by its own."""
        factors = model.factors
        downhill = -torch.linalg.solve_triangular(factors, model.gradient[..., None], upper=False)[..., 0]
        if self.terms.smoothness.is_on:
            downhill = self._conjugate_gradients(downhill, model, num_frames)
        solved = torch.linalg.solve_triangular(factors.mT, downhill[..., None], upper=True)[..., 0]
        moves = from_unknowns(solved)
        moves[:, 1:] = in_parents(moves[:, 1:], model.rotmats)
        return moves, -0.5 * (model.gradient * solved).sum(1)

    def moved(self, state: PoseState, frames: Tensor, step: Tensor) -> PoseState:
        """Frames moved by step (t, 23, 3): a shift, and turns of joints in their parents' frames."""
        turned = rotvec_to_rotmat(step[:, 1:]) @ state.local_rotmats[frames, :NUM_SOLVED_JOINTS]
        local = state.local_rotmats.clone()
        local[frames, :NUM_SOLVED_JOINTS] = turned
        return PoseState(self.betas, local, state.transl.index_add(0, frames, step[:, 0]))

    def costs(self, state: PoseState, model: Linearized) -> Tensor:
        """(t,) costs of points and prior, with the model's pose correctives."""
        costs = torch.empty_like(model.costs)
        for part in self._batches(len(costs)):
            frames = model.frames[part]
            local, transl = state.local_rotmats.index_select(0, frames), state.transl.index_select(0, frames)
            posed = self.points.pose_rest(model.rest[part], self.betas, local, transl)
            costs[part] = self._errors(posed, frames).costs + self._prior_costs(local, frames)
        return costs

    def _batches(self, num_frames: int) -> list[slice]:
        starts = range(0, num_frames, self.frames_at_once)
        return [slice(start, start + self.frames_at_once) for start in starts]

    def _errors(self, posed: PosedPoints, frames: Tensor) -> PointErrors:
        return point_errors(posed.points, self.terms.targets.index_select(0, frames), self.terms)

    def _prior_costs(self, local_rotmats: Tensor, frames: Tensor) -> Tensor:
        rotvecs = rotmat_to_rotvec(local_rotmats[:, :NUM_SOLVED_JOINTS])
        return self.terms.prior.costs(rotvecs, self.terms.pose_means.index_select(0, frames))

    def _velocity(self, state: PoseState) -> Tensor:
        return smoothness.velocities(state.local_rotmats[:, :NUM_SOLVED_JOINTS], state.transl)

    def _bending(self, state: PoseState) -> tuple[Tensor, Tensor]:
        """Gradient (T, 23, 3) of the smoothness, in parents' frames, and its curvature's diagonal (T, 69)."""
        gradient = smoothness.gradient(self._velocity(state), self.bend_weights)
        squares = smoothness.curvature_diagonal(len(gradient), gradient)
        diagonal = (squares[:, None, None] * self.bend_weights).expand_as(gradient)
        return gradient, to_unknowns(diagonal)

    def _linearize(
        self, state: PoseState, frames: Tensor, damping: Tensor, bending: tuple[Tensor, Tensor], out: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Factors into `out`; rest parts, joint rotations, costs and gradients of a batch."""
        local, transl = state.local_rotmats.index_select(0, frames), state.transl.index_select(0, frames)
        rest = self.points.rest(self.betas, local, self.terms.offsets)
        posed = self.points.pose_rest(rest, self.betas, local, transl)
        errors = self._errors(posed, frames)
        hessian, gradient = point_blocks(self.points, posed, errors)
        pull = bending[0][frames]
        self._add_prior(hessian, pull[:, 1:], local, posed, frames)
        pull[:, 1:] = in_world(pull[:, 1:], posed.rotmats)
        diagonal = hessian.diagonal(dim1=1, dim2=2)
        diagonal += bending[1][frames]
        diagonal += damping[:, None] * diagonal + 1e-6 * diagonal.amax(1, keepdim=True)
        out.copy_(torch.linalg.cholesky_ex(hessian)[0])
        costs = errors.costs + self._prior_costs(local, frames)
        return rest, posed.rotmats, costs, gradient + to_unknowns(pull)

    def _add_prior(
        self, hessian: Tensor, pull: Tensor, local: Tensor, posed: PosedPoints, frames: Tensor
    ) -> None:
        """Adds the prior's curvature to hessian and its gradient, in parents' frames, to pull (t, 22, 3)."""
        rotvecs = rotmat_to_rotvec(local[:, :NUM_SOLVED_JOINTS])
        by_rotvec, curvature = self.terms.prior.pull(rotvecs, self.terms.pose_means.index_select(0, frames))
        jacobian = left_jacobian_inverse(rotvecs)
        pull += (jacobian.mT @ by_rotvec[..., None])[..., 0]
        # A world-axis turn w of joint k turns its local frame by R_parent^T w.
        jacobian[:, 1:] = jacobian[:, 1:] @ posed.rotmats.index_select(1, PARENTS).mT
        add_turn_blocks(hessian, jacobian.mT @ curvature @ jacobian)

    def _conjugate_gradients(self, downhill: Tensor, model: Linearized, num_frames: int) -> Tensor:
        """Solves (I + L^-1 (S - diag S) L^-T) y = downhill."""
        squares = smoothness.curvature_diagonal(num_frames, downhill)[model.frames, None, None]
        everything = downhill.new_zeros(num_frames, 1 + NUM_SOLVED_JOINTS, 3)

        def coupling(y: Tensor) -> Tensor:
            solved = torch.linalg.solve_triangular(model.factors.mT, y[..., None], upper=True)[..., 0]
            moves = from_unknowns(solved)
            moves[:, 1:] = in_parents(moves[:, 1:], model.rotmats)
            everything[model.frames] = moves
            bent = self.bend_weights * (
                smoothness.curvature(everything).index_select(0, model.frames) - squares * moves
            )
            bent[:, 1:] = in_world(bent[:, 1:], model.rotmats)
            back = to_unknowns(bent)[..., None]
            return torch.linalg.solve_triangular(model.factors, back, upper=False)[..., 0]

        solution, residual = torch.zeros_like(downhill), downhill
        direction, squared = residual, residual.square().sum()
        goal = _RELATIVE_RESIDUAL**2 * squared
        for _ in range(_MAX_INNER):
            if squared <= goal:
                break
            image = direction + coupling(direction)
            amount = squared / (direction * image).sum()
            solution, residual = solution + amount * direction, residual - amount * image
            previous, squared = squared, residual.square().sum()
            direction = residual + squared / previous * direction
        return solution
