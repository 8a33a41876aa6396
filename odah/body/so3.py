"""Rotations in torch, batched and differentiable: vectors, matrices, and what least squares needs of them.

Matrices act on columns; perturbations come from the left: `R <- exp(w) R`.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

_SMALL_ANGLE_SQUARED = 1e-6
_SMALL = 1e-8


def skew(vector: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 3 3"]:
    """The matrix of the cross product `vector x .`"""
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*vector.shape, 3)


def rotvec_to_rotmat(rotvec: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 3 3"]:
    """Rodrigues' formula; rad. Below 1 mrad its Taylor series, so that values and gradients stay finite."""
    squared = (rotvec * rotvec).sum(-1)
    is_small = squared < _SMALL_ANGLE_SQUARED
    safe = torch.where(is_small, torch.ones_like(squared), squared)
    angle = safe.sqrt()
    sinc = torch.where(is_small, 1 - squared / 6, angle.sin() / angle)
    cosc = torch.where(is_small, 0.5 - squared / 24, (1 - angle.cos()) / safe)
    cross = skew(rotvec)
    identity = torch.eye(3, dtype=rotvec.dtype, device=rotvec.device)
    return identity + sinc[..., None, None] * cross + cosc[..., None, None] * (cross @ cross)


def rotmat_to_rotvec(rotmat: Float[Tensor, "*B 3 3"]) -> Float[Tensor, "*B 3"]:
    """Inverse of `rotvec_to_rotmat`, rad. Loses precision near half a turn."""
    vee = 0.5 * torch.stack(
        [
            rotmat[..., 2, 1] - rotmat[..., 1, 2],
            rotmat[..., 0, 2] - rotmat[..., 2, 0],
            rotmat[..., 1, 0] - rotmat[..., 0, 1],
        ],
        -1,
    )
    cosine = 0.5 * (rotmat.diagonal(dim1=-2, dim2=-1).sum(-1, keepdim=True) - 1)
    sine = vee.norm(dim=-1, keepdim=True)
    angle = torch.atan2(sine, cosine)
    return vee * torch.where(sine < 1e-6, torch.ones_like(sine), angle / sine.clamp_min(1e-6))


def left_jacobian_inverse(rotvec: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 3 3"]:
    """d log(exp(w) R) / dw at w = 0 where `rotvec` = log R (Sola et al. 2018, eq. 146)."""
    squared = (rotvec * rotvec).sum(-1)[..., None, None]
    angle = torch.sqrt(squared.clamp_min(_SMALL))
    half = 0.5 * angle
    quadratic = (1 - half * torch.cos(half) / torch.sin(half).clamp_min(_SMALL)) / angle**2
    quadratic = torch.where(squared < 1e-4, torch.full_like(quadratic, 1 / 12), quadratic)
    cross = skew(rotvec)
    return torch.eye(3, dtype=rotvec.dtype) - 0.5 * cross + quadratic * (cross @ cross)
