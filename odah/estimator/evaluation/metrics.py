"""How far a prediction is from the truth, in the measures of the ODAH paper (section 4.3).

Errors come by frame, so that clips of any length are averaged as one. Letters: T frames, A angles, P points.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from odah.estimator.skeleton import FREE_PLACES


def angle_errors(predicted: Float[Tensor, "*#B A"], true: Float[Tensor, "*#B A"]) -> Float[Tensor, "*B A"]:
    """Absolute errors of the angles (Eq. 7), rad; of those that no range bounds the shorter way round."""
    apart = (predicted - true).abs()
    apart[..., FREE_PLACES] = torch.pi - (apart[..., FREE_PLACES] % (2 * torch.pi) - torch.pi).abs()
    return apart


def position_errors(
    predicted: Float[Tensor, "*#B P 3"], true: Float[Tensor, "*#B P 3"]
) -> Float[Tensor, "*B P"]:
    """Distances, m: MPJPE when averaged, where both are told from the pelvis."""
    return torch.linalg.vector_norm(predicted - true, dim=-1)


def aligned(predicted: Float[Tensor, "*B P 3"], true: Float[Tensor, "*B P 3"]) -> Float[Tensor, "*B P 3"]:
    """The predicted points moved, turned and stretched in each frame to lie on the true ones with least
    squares: a Procrustes alignment without reflection (Gower 1975; Umeyama 1991, Eq. 40-43)."""
    centre, true_centre = predicted.mean(dim=-2, keepdim=True), true.mean(dim=-2, keepdim=True)
    shape, true_shape = predicted - centre, true - true_centre
    u, strengths, vh = torch.linalg.svd(shape.mT @ true_shape)
    sign = torch.sign(torch.linalg.det(u) * torch.linalg.det(vh))
    signs = torch.stack([torch.ones_like(sign), torch.ones_like(sign), sign], dim=-1)
    size = shape.square().sum(dim=(-2, -1))
    stretch = (strengths * signs).sum(dim=-1) / size.clamp(min=torch.finfo(size.dtype).tiny)
    turn = (u * signs[..., None, :]) @ vh
    return stretch[..., None, None] * (shape @ turn) + true_centre


def velocity_errors(
    predicted: Float[Tensor, "*B T P 3"], true: Float[Tensor, "*B T P 3"], rate: float
) -> Float[Tensor, "*B T-1 P"]:
    """Between one frame and the next how far the velocities are apart, m/s; rate: frames/s.

    Of aligned points it is the PA-MPJVE of the paper's Table 3, of points told from the pelvis MPJVE.
    """
    return torch.linalg.vector_norm((predicted - true).diff(dim=-3), dim=-1) * rate


def scale_errors(
    predicted: Float[Tensor, "*#B K 3"], true: Float[Tensor, "*#B K 3"]
) -> Float[Tensor, "*B K 3"]:
    """Absolute errors of the segment scales, relative to the true ones."""
    return (predicted - true).abs() / true.abs()
