"""Group normalisation and what is positive of it, in one step that keeps only its input for the gradient.

Half of what a pre-activation network would keep for its backward pass are normalised maps; they are quicker
computed anew than stored. All maps are channels-last; where they have half precision, only they do.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from odah.estimator.precision import at_least_float32

_EPS = 1e-5


class Normal(NamedTuple):
    """How a map (M, C, H, W) is normalised: what is positive of scale * map + shift. All (M, C)."""

    mean: Tensor
    rstd: Tensor  # one over the standard deviation; both a group's, told for each channel
    scale: Tensor
    shift: Tensor


def normal(x: Tensor, weight: Tensor, bias: Tensor, groups: int) -> Normal:
    """Statistics of each group of channels, from how far cells are from their channel's mean.

    Exact, too, where a mean is large and the spread about it small: a mean of squares less the square of the
    mean would lose the spread.
    """
    channels, area = x.shape[1], x.shape[2] * x.shape[3]
    rows = at_least_float32(_rows(x))
    width = channels // groups
    means = rows.sum(1) / area
    squares = (rows - means[:, None]).square_().sum(1) / area
    mean = _by_group(means, groups) / width
    variance = _by_group(squares + (means - mean).square(), groups) / width
    rstd = torch.rsqrt(variance + _EPS)
    scale = rstd * weight
    return Normal(mean, rstd, scale, bias - mean * scale)


def norm_relu(x: Tensor, how: Normal) -> Tensor:
    scale, shift = (part[..., None, None] for part in (how.scale, how.shift))
    return torch.addcmul(shift, at_least_float32(x), scale).relu_().to(x.dtype)


def norm_relu_backward(
    grad: Tensor, x: Tensor, y: Tensor, how: Normal, weight: Tensor, groups: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of x, weight and bias; `y = norm_relu(x, how)` and `grad` are overwritten."""
    dtype = x.dtype
    positive, grad, x = (at_least_float32(part) for part in (y.sign_().mul_(grad), grad, x))
    by_shift = _rows(positive).sum(1)
    from_mean = torch.sub(x, how.mean[..., None, None], out=grad)
    grad_weight = _rows(from_mean.mul_(positive)).sum(1) * how.rstd
    count = x[0].numel() // groups
    # Through the statistics: what all cells of a group share, and what grows with a cell's value.
    shared = _by_group(weight * by_shift, groups) / count
    slope = -(how.rstd**2) * _by_group(weight * grad_weight, groups) / count
    level = -how.rstd * shared - slope * how.mean
    scale, slope, level = (part[..., None, None] for part in (how.scale, slope, level))
    grad_x = positive.mul_(scale).addcmul_(x, slope).add_(level)
    return grad_x.to(dtype), grad_weight.sum(0), by_shift.sum(0)


def _rows(x: Tensor) -> Tensor:
    """(M, C, H, W) as (M, H * W, C), without a copy if it is channels-last."""
    return x.permute(0, 2, 3, 1).flatten(1, 2)


def _by_group(values: Tensor, groups: int) -> Tensor:
    """(M, C): each channel's group's sum."""
    parts = values.unflatten(1, (groups, -1))
    return parts.sum(2, keepdim=True).expand_as(parts).flatten(1)


class NormReLU(nn.Module):
    """Over groups of channels, with a weight and a bias for each channel."""

    def __init__(self, groups: int, channels: int) -> None:
        super().__init__()
        self.groups = groups
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Float[Tensor, "M C H W"]) -> Float[Tensor, "M C H W"]:
        return _NormReLU.apply(x, self.weight, self.bias, self.groups)


class _NormReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, groups: int) -> Tensor:
        x = x.contiguous(memory_format=torch.channels_last)
        how = normal(x, weight, bias, groups)
        ctx.save_for_backward(x, weight, *how)
        ctx.groups = groups
        return norm_relu(x, how)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, *how = ctx.saved_tensors
        grad = grads[0].clone(memory_format=torch.channels_last)
        how = Normal(*how)
        return (*norm_relu_backward(grad, x, norm_relu(x, how), how, weight, ctx.groups), None)
