"""What a subject's shape and marker placement are judged by, with Gauss-Newton blocks (cf. MoSh++, stage I).

The unknowns are the betas and the marker offsets, which all frames share, and the pose of each of a few
frames. Frames enter by the mean of their costs, times `SubjectTerms.independent_frames`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from odah.body.fitting.hand_clearance import HandClearance
from odah.body.fitting.pose_prior import PosePrior
from odah.body.fitting.pose_state import PARENTS, in_parents
from odah.body.fitting.skinned_points import NUM_SOLVED_JOINTS, PosedPoints, SkinnedPoints
from odah.body.so3 import left_jacobian_inverse, rotmat_to_rotvec, rotvec_to_rotmat


@runtime_checkable
class ShapeKnowledge(Protocol):
    """What is known of the betas before the first frame; `odah.body.shape.prior.ShapePrior` is one.

    lower, upper: (B,). `linearize` gives whitened residuals (R,) and their Jacobian (R, B). float64.
    """

    @property
    def lower(self) -> Tensor: ...
    @property
    def upper(self) -> Tensor: ...
    def linearize(self, betas: Tensor) -> tuple[Tensor, Tensor]: ...


@dataclass(frozen=True)
class SubjectState:
    """One shape, its marker offsets and its pose in K frames.

    betas: (B,). local_rotmats: (K, 55, 3, 3). transl: (K, 3) m. offsets: (P, 3) m, of each point from
    its nominal place on the T-pose body.
    """

    betas: Tensor
    local_rotmats: Tensor
    transl: Tensor
    offsets: Tensor


@dataclass(frozen=True)
class SubjectTerms:
    """What is asked of the points, the poses and the offsets.

    targets: (K, P, 3) m, world, NaN where a point was not seen. point_sigmas: (P,) m. robust_scales: (P,)
    residual, in sigmas, from which a point counts less and less; infinite to trust it always.
    pose_means: (K, 22, 3) rad, about which `pose_prior` holds local rotation vectors.
    offset_means (P, 3), offset_sigmas (P,): m; a sigma of zero keeps the point at its mean offset.
    independent_frames: how many independent measurements the K frames are worth. What keeps a body from a
    skeleton is much the same in every frame of a subject (regressor, nominal marker places, soft tissue),
    so frames add little once there are a few, and K would drown whatever else is known of the shape.
    """

    targets: Float[Tensor, "K P 3"]
    point_sigmas: Float[Tensor, " P"]
    robust_scales: Float[Tensor, " P"]
    pose_means: Float[Tensor, "K 22 3"]
    pose_prior: PosePrior
    offset_means: Float[Tensor, "P 3"]
    offset_sigmas: Float[Tensor, " P"]
    independent_frames: float = 2.0


@dataclass(frozen=True)
class Blocks:
    """Gauss-Newton blocks: pose (K, 69), shared S = 3 * free offsets, then B betas.

    pose_hessian (K, 69, 69), pose_gradient (K, 69), cross (K, 69, S), hessian (S, S), gradient (S,).
    """

    pose_hessian: Tensor
    pose_gradient: Tensor
    cross: Tensor
    hessian: Tensor
    gradient: Tensor


class SubjectProblem:
    """The cost of a `SubjectState`, and its second-order model.

    Args:
        points: the P points, in double precision.
        clearance: keeps hands out of the trunk, or None.
    """

    def __init__(
        self,
        points: SkinnedPoints,
        terms: SubjectTerms,
        shape: ShapeKnowledge,
        clearance: HandClearance | None = None,
    ) -> None:
        self.points, self.terms, self.shape, self.clearance = points, terms, shape, clearance
        self.free = torch.nonzero(terms.offset_sigmas > 0)[:, 0]
        self.frame_weight = terms.independent_frames / len(terms.targets)
        seen = torch.isfinite(terms.targets).all(-1)
        self._inverse_sigmas = seen / terms.point_sigmas
        self._targets = torch.where(seen[..., None], terms.targets, 0.0)

    def pose(self, state: SubjectState) -> PosedPoints:
        return self.points.pose(state.betas, state.local_rotmats, state.transl, state.offsets)

    def cost(self, state: SubjectState, posed: PosedPoints) -> float:
        """Half the sum of squares, robustified."""
        squared = (self._residual(posed) ** 2).sum(-1)
        # Geman and McClure 1987: saturates at half the squared scale.
        frames = (squared / (1 + squared / self.terms.robust_scales**2)).sum()
        frames = frames + 2 * self.terms.pose_prior.costs(_rotvecs(state), self.terms.pose_means).sum()
        if self.clearance is not None:
            frames = frames + self.clearance.squared(state.betas, state.local_rotmats)
        shape = self.shape.linearize(state.betas)[0]
        shared = (self._offset_residual(state) ** 2).sum() + (shape**2).sum()
        return 0.5 * float(self.frame_weight * frames + shared)

    def blocks(self, state: SubjectState, posed: PosedPoints) -> Blocks:
        """The blocks at `state`, weights and contacts held."""
        blocks = self._point_blocks(posed)
        self._add_pose_prior(blocks, state, posed)
        if self.clearance is not None:
            self._add_clearance(blocks, self.clearance, state)
        for block in vars(blocks).values():
            block *= self.frame_weight
        self._add_shared_priors(blocks, state)
        return blocks

    def moved(
        self, state: SubjectState, posed: PosedPoints, pose_step: Tensor, shared_step: Tensor
    ) -> SubjectState:
        """The state after pose_step (K, 69), translation then world-axis turns, and shared_step (S,)."""
        turns = in_parents(pose_step[:, 3:].unflatten(1, (NUM_SOLVED_JOINTS, 3)), posed.rotmats)
        local, offsets = state.local_rotmats.clone(), state.offsets.clone()
        local[:, :NUM_SOLVED_JOINTS] = rotvec_to_rotmat(turns) @ local[:, :NUM_SOLVED_JOINTS]
        of_offsets, of_betas = shared_step.tensor_split([3 * len(self.free)])
        offsets[self.free] += of_offsets.reshape(-1, 3)
        return SubjectState(state.betas + of_betas, local, state.transl + pose_step[:, :3], offsets)

    def _residual(self, posed: PosedPoints) -> Tensor:
        return (posed.points - self._targets) * self._inverse_sigmas[..., None]

    def _offset_residual(self, state: SubjectState) -> Tensor:
        difference = state.offsets[self.free] - self.terms.offset_means[self.free]
        return difference / self.terms.offset_sigmas[self.free, None]

    def _point_blocks(self, posed: PosedPoints) -> Blocks:
        residual, free, split = self._residual(posed), self.free, 3 * len(self.free)
        # The square root of the derivative of the robust cost by the squared residual.
        trust = 1 / (1 + (residual**2).sum(-1) / self.terms.robust_scales**2)
        weight = (trust * self._inverse_sigmas)[..., None, None]
        residual = trust[..., None] * residual
        by_pose = self.points.pose_jacobian(posed) * weight
        by_betas = self.points.shape_jacobian(posed) * weight
        by_offset = self.points.offset_jacobian(posed)[:, free] * weight[:, free]
        flat, flat_betas = by_pose.flatten(1, 2), by_betas.flatten(1, 2)
        by_offset_t = by_offset.mT
        between = (by_offset_t @ by_betas[:, free]).sum(0).flatten(0, 1)
        num_betas = by_betas.shape[-1]
        hessian = flat.new_zeros(split + num_betas, split + num_betas)
        if split:
            hessian[:split, :split] = torch.block_diag(*(by_offset_t @ by_offset).sum(0))
        hessian[:split, split:], hessian[split:, :split] = between, between.T
        hessian[split:, split:] = flat_betas.flatten(0, 1).T @ flat_betas.flatten(0, 1)
        cross = (by_pose[:, free].mT @ by_offset).transpose(1, 2).flatten(2)
        of_offsets = (by_offset_t @ residual[:, free, :, None]).sum(0).flatten()
        of_betas = flat_betas.flatten(0, 1).T @ residual.flatten()
        return Blocks(
            flat.mT @ flat,
            (flat.mT @ residual.flatten(1)[..., None])[..., 0],
            torch.cat([cross, flat.mT @ flat_betas], -1),
            hessian,
            torch.cat([of_offsets, of_betas]),
        )

    def _add_pose_prior(self, blocks: Blocks, state: SubjectState, posed: PosedPoints) -> None:
        """A world-axis turn w of joint k turns its local frame by R_parent^T w."""
        rotvecs = _rotvecs(state)
        gradient, curvature = self.terms.pose_prior.pull(rotvecs, self.terms.pose_means)
        jacobian = left_jacobian_inverse(rotvecs)
        jacobian[:, 1:] = jacobian[:, 1:] @ posed.rotmats[:, PARENTS].mT
        blocks.pose_gradient[:, 3:] += (jacobian.mT @ gradient[..., None]).flatten(1)
        turned = jacobian.mT @ curvature @ jacobian
        for joint in range(NUM_SOLVED_JOINTS):
            at = slice(3 + 3 * joint, 6 + 3 * joint)
            blocks.pose_hessian[:, at, at] += turned[:, joint]

    def _add_clearance(self, blocks: Blocks, clearance: HandClearance, state: SubjectState) -> None:
        frame, residual, by_pose, by_betas = clearance.linearize(state.betas, state.local_rotmats)
        betas = slice(len(blocks.gradient) - len(state.betas), None)
        blocks.pose_hessian.index_add_(0, frame, by_pose[:, :, None] * by_pose[:, None])
        blocks.pose_gradient.index_add_(0, frame, by_pose * residual[:, None])
        blocks.cross[..., betas].index_add_(0, frame, by_pose[:, :, None] * by_betas[:, None])
        blocks.hessian[betas, betas] += by_betas.T @ by_betas
        blocks.gradient[betas] += by_betas.T @ residual

    def _add_shared_priors(self, blocks: Blocks, state: SubjectState) -> None:
        split = 3 * len(self.free)
        inverse = (1 / self.terms.offset_sigmas[self.free]).repeat_interleave(3)
        blocks.hessian.diagonal()[:split] += inverse**2
        blocks.gradient[:split] += inverse * self._offset_residual(state).flatten()
        residual, jacobian = self.shape.linearize(state.betas)
        blocks.hessian[split:, split:] += jacobian.T @ jacobian
        blocks.gradient[split:] += jacobian.T @ residual


def _rotvecs(state: SubjectState) -> Tensor:
    """(K, 22, 3) local rotation vectors, rad."""
    return rotmat_to_rotvec(state.local_rotmats[:, :NUM_SOLVED_JOINTS])
