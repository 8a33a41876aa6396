"""The hourglasses' block, written out with its backward pass: it keeps half of what autograd would."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from odah.estimator.network.norm_relu import Normal, NormReLU, norm_relu, norm_relu_backward, normal

_DEPTH = 3


class ConvBlock(nn.Module):
    """Three 3x3 convolutions, a half and two quarters of the channels out, side by side, on top of the input.

    Each convolution comes after its normalisation, as does the projection of the input, where widths differ.
    """

    def __init__(self, channels_in: int, channels_out: int, groups: int) -> None:
        super().__init__()
        widths = (channels_in, channels_out // 2, channels_out // 4, channels_out // 4)
        self.groups = groups
        self.norms = nn.ModuleList(NormReLU(groups, width) for width in widths[:_DEPTH])
        self.convs = nn.ModuleList(nn.Conv2d(i, o, 3, padding=1, bias=False) for i, o in pairwise(widths))
        self.shortcut = None
        if channels_in != channels_out:
            self.shortcut = nn.Sequential(
                NormReLU(groups, channels_in), nn.Conv2d(channels_in, channels_out, 1, bias=False)
            )

    def forward(self, x: Float[Tensor, "M I H W"]) -> Float[Tensor, "M O H W"]:
        shortcut = self.shortcut(x) if self.shortcut else None
        parameters = [p for norm in self.norms for p in (norm.weight, norm.bias)]
        return _ConvBlock.apply(x, shortcut, self.groups, *parameters, *(conv.weight for conv in self.convs))


class _ConvBlock(torch.autograd.Function):
    """Keeps the input and the first two convolutions' answers; normalised maps are computed anew."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, shortcut: Tensor | None, groups: int, *parameters: Tensor) -> Tensor:
        x = x.contiguous(memory_format=torch.channels_last)
        norms, kernels = parameters[: 2 * _DEPTH], parameters[2 * _DEPTH :]
        maps, hows = [x], []
        for k, kernel in enumerate(kernels):
            hows.append(normal(maps[k], norms[2 * k], norms[2 * k + 1], groups))
            maps.append(F.conv2d(norm_relu(maps[k], hows[k]), kernel.to(x.dtype), padding=1))
        ctx.save_for_backward(*maps[:-1], *kernels, *norms[::2], *(part for how in hows for part in how))
        ctx.groups, ctx.is_identity = groups, shortcut is None
        return torch.cat(maps[1:], dim=1).add_(x if shortcut is None else shortcut)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        saved = ctx.saved_tensors
        maps, kernels, weights = saved[:_DEPTH], saved[_DEPTH : 2 * _DEPTH], saved[2 * _DEPTH : 3 * _DEPTH]
        hows = [Normal(*saved[start : start + 4]) for start in range(3 * _DEPTH, len(saved), 4)]
        by_part = grads[0].split([len(kernel) for kernel in kernels], dim=1)
        by_norm: list[Tensor] = []
        by_kernel: list[Tensor] = []
        grad = by_part[-1]
        for k in reversed(range(_DEPTH)):
            y = norm_relu(maps[k], hows[k])
            grad, by_weight = _convolution_backward(grad, y, kernels[k])
            grad, *by_affine = norm_relu_backward(grad, maps[k], y, hows[k], weights[k], ctx.groups)
            if k:
                grad = grad.add_(by_part[k - 1])
            by_norm, by_kernel = [*by_affine, *by_norm], [by_weight, *by_kernel]
        if ctx.is_identity:
            return grad.add_(grads[0]), None, None, *by_norm, *by_kernel
        return grad, grads[0], None, *by_norm, *by_kernel


def _convolution_backward(grad: Tensor, y: Tensor, kernel: Tensor) -> tuple[Tensor, Tensor]:
    grad = grad.contiguous(memory_format=torch.channels_last)
    by_y, by_kernel, _ = torch.ops.aten.convolution_backward(
        grad, y, kernel.to(y.dtype), None, (1, 1), (1, 1), (1, 1), False, (0, 0), 1, (True, True, False)
    )
    return by_y, by_kernel.to(kernel.dtype)
