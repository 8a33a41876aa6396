"""Stacked hourglasses (Newell et al. 2016) over single pictures, as PIFu and the ODAH paper have them."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from odah.estimator.config import HourglassConfig
from odah.estimator.network.conv_block import ConvBlock
from odah.estimator.network.norm_relu import NormReLU

_CHANNELS_PER_GROUP = 8
"""Of the widest maps; narrower maps have as many groups: 32 with the paper's 256 channels."""


class StackedHourglass(nn.Module):
    """Feature maps of pictures, one a stack, each `stem_stride` times smaller than the picture.

    Cell i of a map looks at pixel `stem_stride` * i. A stack's answer is `outputs[k]` of its map, a linear
    layer on single cells: whoever needs the answer at few places applies it there. Between two stacks, linear
    layers lead answer and map on, too; they are multiplied out, so that maps pass through one, not three.
    """

    def __init__(self, config: HourglassConfig) -> None:
        super().__init__()
        channels, groups = config.channels, config.channels // _CHANNELS_PER_GROUP
        self.checkpoint_stacks = config.checkpoint_stacks
        self.stem = _stem(channels, groups, config.stem_stride)
        self.stacks = nn.ModuleList(_Stack(channels, groups, config.depth) for _ in range(config.stacks))
        self.outputs = nn.ModuleList(nn.Linear(channels, channels) for _ in self.stacks)
        self.output_links = nn.ModuleList(nn.Linear(channels, channels) for _ in self.stacks[1:])
        self.map_links = nn.ModuleList(nn.Linear(channels, channels) for _ in self.stacks[1:])
        self.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]  (stubs lack it)

    def forward(self, images: Float[Tensor, "M 3 S S"]) -> list[Float[Tensor, "M C H H"]]:
        x = self.stem(images.contiguous(memory_format=torch.channels_last))
        maps: list[Tensor] = []
        for k, stack in enumerate(self.stacks):
            if k:
                x = x + self._link(k - 1, maps[-1])
            if self.checkpoint_stacks and self.training:
                maps.append(checkpoint(stack, x, use_reentrant=False))
            else:
                maps.append(stack(x))
        return maps

    def _link(self, k: int, features: Tensor) -> Tensor:
        """What the next stack's input gains: map_links(features) + output_links(outputs(features))."""
        layers = (self.outputs[k], self.output_links[k], self.map_links[k])
        output, output_link, map_link = (cast("nn.Linear", layer) for layer in layers)
        weight = torch.addmm(map_link.weight, output_link.weight, output.weight)
        bias = map_link.bias + output_link(output.bias)
        return F.conv2d(features, weight[..., None, None], bias)


def _stem(channels: int, groups: int, stride: int) -> nn.Sequential:
    quarter, half = channels // 4, channels // 2
    layers: list[nn.Module] = [nn.Conv2d(3, quarter, 7, stride=2, padding=3), NormReLU(groups, quarter)]
    if stride == 4:
        layers += [
            nn.Conv2d(quarter, quarter, 3, stride=2, padding=1, bias=False),
            NormReLU(groups, quarter),
        ]
    widths = (quarter, half, half, channels)
    blocks = [ConvBlock(i, o, groups) for i, o in pairwise(widths)]
    return nn.Sequential(*layers, *blocks)


class _Stack(nn.Module):
    """One hourglass and the layers that close it."""

    def __init__(self, channels: int, groups: int, depth: int) -> None:
        super().__init__()
        self.hourglass = _hourglass(channels, groups, depth)
        self.block = ConvBlock(channels, channels, groups)
        self.last = nn.Conv2d(channels, channels, 1)
        self.norm = NormReLU(groups, channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.last(self.block(self.hourglass(x))))


class _Hourglass(nn.Module):
    """Down by two, on through a smaller hourglass, and up again beside a block at full size."""

    def __init__(self, channels: int, groups: int, depth: int) -> None:
        super().__init__()
        self.beside = ConvBlock(channels, channels, groups)
        self.down = ConvBlock(channels, channels, groups)
        self.inner = _hourglass(channels, groups, depth - 1)
        self.up = ConvBlock(channels, channels, groups)

    def forward(self, x: Tensor) -> Tensor:
        low = self.up(self.inner(self.down(F.avg_pool2d(x, 2))))
        return self.beside(x) + _twice_as_large(low)


def _twice_as_large(x: Float[Tensor, "M C H H"]) -> Float[Tensor, "M C 2*H 2*H"]:
    """Bicubic, corners on corners; as two products with a matrix: much quicker, above all backwards."""
    images, channels, side, _ = x.shape
    lines = torch.eye(side, device=x.device)[None, None]
    lines = F.interpolate(lines, size=(2 * side, side), mode="bicubic", align_corners=True)
    finer = lines[0, 0].to(x.dtype)  # what becomes of each cell of a line
    rows = finer @ x.permute(0, 2, 3, 1).flatten(2)
    cells = finer @ rows.view(images * 2 * side, side, channels)
    return cells.view(images, 2 * side, 2 * side, channels).permute(0, 3, 1, 2)


def _hourglass(channels: int, groups: int, depth: int) -> nn.Module:
    return _Hourglass(channels, groups, depth) if depth else ConvBlock(channels, channels, groups)
