"""The yardstick of `body_fit_speed.py`: each frame by itself, dense Jacobians, no warm start.

A frame's unknowns are `transl` and one world-axis turn for each of 22 joints (69 numbers); frames
share nothing but the shape, which is held.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from odah.body.fitting.pose_state import PoseState
from odah.body.fitting.skinned_points import NUM_SOLVED_JOINTS, PosedPoints, SkinnedPoints
from odah.body.so3 import left_jacobian_inverse, rotmat_to_rotvec, rotvec_to_rotmat
from odah.names import SMPLX_PARENTS

_INITIAL_DAMPING = 1e-3
_DAMPING_RANGE = (1e-7, 1e7)
_PARENTS = torch.tensor(SMPLX_PARENTS[1:NUM_SOLVED_JOINTS])


@dataclass(frozen=True)
class Terms:
    """What is asked of the points and the pose.

    targets (T, P, 3) m; point_sigmas (P,) m; pose_means (T, 22, 3) and pose_sigmas (22, 3): Gaussian
    prior on local rotation vectors, rad, infinite sigma for none; betas_mean and betas_sigma (B,).
    """

    targets: Tensor
    point_sigmas: Tensor
    pose_means: Tensor
    pose_sigmas: Tensor
    betas_mean: Tensor
    betas_sigma: Tensor


@dataclass(frozen=True)
class _PoseBlocks:
    """Gauss-Newton blocks of the pose: hessian (T, 69, 69), gradient (T, 69); weighted jacobian
    (T, P * 3, 69) and residual (T, P * 3) of the points."""

    hessian: Tensor
    gradient: Tensor
    jacobian: Tensor
    residual: Tensor


def frame_costs(state: PoseState, posed: PosedPoints, terms: Terms) -> Tensor:
    """(T,) half the sum of squared residuals of each frame, the shape's prior left out."""
    residual = (posed.points - terms.targets) / terms.point_sigmas[:, None]
    prior = _prior_residual(state, terms)
    return 0.5 * ((residual**2).sum((1, 2)) + (prior**2).sum((1, 2)))


def _prior_residual(state: PoseState, terms: Terms) -> Tensor:
    rotvecs = rotmat_to_rotvec(state.local_rotmats[:, :NUM_SOLVED_JOINTS])
    return (rotvecs - terms.pose_means) / terms.pose_sigmas


def _pose_blocks(points: SkinnedPoints, state: PoseState, posed: PosedPoints, terms: Terms) -> _PoseBlocks:
    weight = 1 / terms.point_sigmas
    residual = ((posed.points - terms.targets) * weight[:, None]).flatten(1)
    jacobian = points.pose_jacobian(posed, weight).flatten(1, 2)
    hessian = jacobian.mT @ jacobian
    gradient = (jacobian.mT @ residual[..., None])[..., 0]
    _add_pose_prior(hessian, gradient, state, posed, terms)
    return _PoseBlocks(hessian, gradient, jacobian, residual)


def _add_pose_prior(
    hessian: Tensor, gradient: Tensor, state: PoseState, posed: PosedPoints, terms: Terms
) -> None:
    """Adds the prior's blocks; a world-axis turn w of joint k turns its local frame by R_parent^T w."""
    rotvecs = rotmat_to_rotvec(state.local_rotmats[:, :NUM_SOLVED_JOINTS])
    jacobian = left_jacobian_inverse(rotvecs)
    jacobian[:, 1:] = jacobian[:, 1:] @ posed.rotmats[:, _PARENTS].mT
    jacobian = jacobian / terms.pose_sigmas[..., None]
    residual = (rotvecs - terms.pose_means) / terms.pose_sigmas
    blocks = jacobian.mT @ jacobian
    gradient[:, 3:] += (jacobian.mT @ residual[..., None]).flatten(1)
    for joint in range(NUM_SOLVED_JOINTS):
        at = slice(3 + 3 * joint, 6 + 3 * joint)
        hessian[:, at, at] += blocks[:, joint]


def _damped_factor(hessian: Tensor, damping: Tensor) -> Tensor:
    diagonal = hessian.diagonal(dim1=1, dim2=2)
    extra = damping[:, None] * diagonal + 1e-6 * diagonal.amax(1, keepdim=True)
    return torch.linalg.cholesky_ex(hessian + torch.diag_embed(extra))[0]


def apply_step(
    state: PoseState, posed: PosedPoints, pose_step: Tensor, shape_step: Tensor | None
) -> PoseState:
    """Move by pose_step (T, 69), translation then world-axis turns, and shape_step (B,)."""
    turns = pose_step[:, 3:].unflatten(1, (NUM_SOLVED_JOINTS, 3)).clone()
    turns[:, 1:] = (posed.rotmats[:, _PARENTS].mT @ turns[:, 1:, :, None])[..., 0]
    local = state.local_rotmats.clone()
    local[:, :NUM_SOLVED_JOINTS] = rotvec_to_rotmat(turns) @ local[:, :NUM_SOLVED_JOINTS]
    betas = state.betas if shape_step is None else state.betas + shape_step
    return PoseState(betas, local, state.transl + pose_step[:, :3])


def solve_pose(points: SkinnedPoints, state: PoseState, terms: Terms, max_iterations: int = 12) -> PoseState:
    """Fit pose and translation of every frame to `terms`, the shape held."""
    damping = torch.full((len(state.transl),), _INITIAL_DAMPING, dtype=points.dtype)
    posed = points.pose(state.betas, state.local_rotmats, state.transl)
    costs = frame_costs(state, posed, terms)
    for _ in range(max_iterations):
        blocks = _pose_blocks(points, state, posed, terms)
        factor = _damped_factor(blocks.hessian, damping)
        step = -torch.cholesky_solve(blocks.gradient[..., None], factor)[..., 0]
        trial = apply_step(state, posed, step, None)
        trial_posed = points.pose(trial.betas, trial.local_rotmats, trial.transl)
        trial_costs = frame_costs(trial, trial_posed, terms)
        better = trial_costs < costs
        state, posed = _choose(better, trial, state), _choose_posed(better, trial_posed, posed)
        has_converged = bool(((costs - trial_costs).abs() < 1e-5 * costs + 1e-9).all())
        costs = torch.where(better, trial_costs, costs)
        damping = torch.where(better, damping * 0.1, damping * 10).clamp(*_DAMPING_RANGE)
        if has_converged:
            break
    return state


def _choose(better: Tensor, trial: PoseState, state: PoseState) -> PoseState:
    return PoseState(
        state.betas,
        torch.where(better[:, None, None, None], trial.local_rotmats, state.local_rotmats),
        torch.where(better[:, None], trial.transl, state.transl),
    )


def _choose_posed(better: Tensor, trial: PosedPoints, posed: PosedPoints) -> PosedPoints:
    return PosedPoints(
        torch.where(better[:, None, None], trial.points, posed.points),
        torch.where(better[:, None, None, None], trial.rotmats, posed.rotmats),
        torch.where(better[:, None, None], trial.positions, posed.positions),
        torch.where(better[:, None, None], trial.parts, posed.parts),
    )
