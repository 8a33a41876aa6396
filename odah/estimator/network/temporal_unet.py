"""The transformer U-Net over time (ODAH paper, section 3.2.2), of Restormer's blocks (Zamir et al. 2022).

Maps are (B, D, T, C): the features of a frame down, frames across; only time is made coarser.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from odah.errors import InputError
from odah.estimator.config import TemporalConfig
from odah.estimator.precision import at_least_float32


class TemporalUnet(nn.Module):
    """Vectors of a whole sequence from those of its frames; any number of frames will do.

    There is no way around the network from input to output (section 3.2.2).
    """

    def __init__(self, config: TemporalConfig) -> None:
        super().__init__()
        channels, heads, blocks = config.channels, config.heads, config.blocks
        self.factors = config.factors
        self.embed = _Conv3x3(1, channels[0])
        self.ways_down = nn.ModuleList(
            _blocks(c, h, n, config.expansion) for c, h, n in zip(channels, heads, blocks, strict=True)
        )
        self.downs = nn.ModuleList(_Conv3x3(c, c) for c in channels[:-1])
        self.ups = nn.ModuleList(_Conv3x3(c, c) for c in channels[1:])
        # The finest level keeps map and skip side by side; the others lead both back to their width.
        self.merges = nn.ModuleList(
            nn.Linear(2 * c, c) if level else nn.Identity() for level, c in enumerate(channels[:-1])
        )
        widths = (2 * channels[0], *channels[1:-1])[: len(self.factors)]
        self.ways_up = nn.ModuleList(
            _blocks(c, h, n, config.expansion) for c, h, n in zip(widths, heads, blocks, strict=False)
        )
        self.fuse = _Conv3x3((*widths, channels[0])[0], 1, bias=True)

    def forward(self, vectors: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        num_frames = vectors.shape[1]
        vectors = _repeat_last(vectors, -num_frames % math.prod(self.factors))
        with torch.autocast(vectors.device.type, enabled=False):  # half precision tells half a degree
            x = self.embed(at_least_float32(vectors).swapaxes(1, 2)[..., None])
        skips = []
        for way, down, factor in zip(self.ways_down, self.downs, self.factors, strict=False):
            x = way(x)
            skips.append(x)
            x = _coarser(down(x), factor)
        x = self.ways_down[-1](x)
        for level in reversed(range(len(self.factors))):
            x = _finer(self.ups[level](x), self.factors[level])
            x = self.merges[level](torch.cat([x, skips[level]], dim=-1))
            x = self.ways_up[level](x)
        with torch.autocast(vectors.device.type, enabled=False):
            refined = self.fuse(at_least_float32(x))
        return refined.squeeze(-1).swapaxes(1, 2)[:, :num_frames]


def _repeat_last(vectors: Tensor, count: int) -> Tensor:
    return torch.cat([vectors, vectors[:, -1:].expand(-1, count, -1)], dim=1) if count else vectors


def _coarser(x: Tensor, factor: int) -> Tensor:
    """Neighbouring frames one upon another in the channels: (B, D, T / f, C * f)."""
    return x.unflatten(2, (-1, factor)).transpose(-1, -2).flatten(3)


def _finer(x: Tensor, factor: int) -> Tensor:
    """The inverse of `_coarser`."""
    return x.unflatten(3, (-1, factor)).transpose(-1, -2).flatten(2, 3)


def _blocks(channels: int, heads: int, count: int, expansion: float) -> nn.Sequential:
    return nn.Sequential(*(_Block(channels, heads, expansion) for _ in range(count)))


class _Block(nn.Module):
    """Attention, then the gated feed-forward network; both of normalised channels, added to their input."""

    def __init__(self, channels: int, heads: int, expansion: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(channels)
        self.attention = _TransposedAttention(channels, heads)
        self.gated_norm = nn.LayerNorm(channels)
        self.gated = _GatedFeedForward(channels, expansion)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.attention_norm(x))
        return x + self.gated(self.gated_norm(x))


class _TransposedAttention(nn.Module):
    """Attention between channels instead of places: its cost grows with the map's size, not the square of it.

    Restormer, equations 1 and 2: queries and keys of length one over the map, a learned temperature per head.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1))
        self.qkv = nn.Linear(channels, 3 * channels)
        self.spread = _depthwise(3 * channels)
        self.project = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        # (B, places, heads, channels of a head) each
        parts = self.spread(self.qkv(x)).flatten(1, 2).unflatten(-1, (3, self.heads, -1)).unbind(2)
        queries, keys, values = (part.transpose(1, 2) for part in parts)
        attention = _cosines(queries, keys) * self.temperature
        mixed = values @ attention.softmax(dim=-1).transpose(-1, -2).to(values.dtype)
        return self.project(mixed.transpose(1, 2).flatten(2).view_as(x))


def _cosines(queries: Tensor, keys: Tensor) -> Tensor:
    """Between channels, over all places: (.., places, a) and (.., places, b) to (.., a, b), not halved."""
    lengths = [at_least_float32(part).norm(dim=-2).clamp(min=1e-12) for part in (queries, keys)]
    return at_least_float32(queries.transpose(-1, -2) @ keys) / (
        lengths[0][..., :, None] * lengths[1][..., None, :]
    )


class _GatedFeedForward(nn.Module):
    """Restormer, equation 3: one half of the hidden channels opens and closes the other."""

    def __init__(self, channels: int, expansion: float) -> None:
        super().__init__()
        hidden = int(channels * expansion)
        self.widen = nn.Linear(channels, 2 * hidden)
        self.spread = _depthwise(2 * hidden)
        self.project = nn.Linear(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        gate, values = self.spread(self.widen(x)).chunk(2, dim=-1)
        return self.project(F.gelu(gate) * values)


class _Conv3x3(nn.Conv2d):
    """Over (B, D, T, C) maps, whose channels lie innermost."""

    def __init__(self, channels_in: int, channels_out: int, groups: int = 1, bias: bool = False) -> None:
        super().__init__(channels_in, channels_out, 3, padding=1, groups=groups, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.movedim(-1, 1)).movedim(1, -1)


def _depthwise(channels: int) -> _Conv3x3:
    return _Conv3x3(channels, channels, groups=channels, bias=True)


class ChunkScales(nn.Module):
    """One weighted sum over the frames, alike for every sequence, as in the paper's code.

    Its weights are trained here, from the mean; that code left them as they were drawn.
    """

    def __init__(self, length: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.full((length,), 1 / length))
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(
        self,
        vectors: Float[Tensor, "B T D"],
        numbers: Float[Tensor, "B T E"],
        is_frame: Bool[Tensor, "B T"],
    ) -> Float[Tensor, "B 1 E"]:
        if vectors.shape[1] != len(self.weights):
            raise InputError(
                "network.temporal.scales: chunk",
                f"a sequence of {vectors.shape[1]} frames",
                f"exactly {len(self.weights)} frames (data.length), or scales: mean",
            )
        return torch.einsum("t,bte->be", self.weights, numbers)[:, None] + self.bias


class MeanScales(nn.Module):
    """The mean over the frames, weighted by how far each frame's vector lets its scales be trusted."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.trust = nn.Linear(features, 1)
        nn.init.zeros_(self.trust.weight)
        nn.init.zeros_(self.trust.bias)

    def forward(
        self,
        vectors: Float[Tensor, "B T D"],
        numbers: Float[Tensor, "B T E"],
        is_frame: Bool[Tensor, "B T"],
    ) -> Float[Tensor, "B 1 E"]:
        trust = self.trust(vectors).squeeze(-1)
        weights = at_least_float32(trust).masked_fill(~is_frame, -torch.inf).softmax(dim=1)
        return torch.einsum("bt,bte->be", weights, at_least_float32(numbers))[:, None]
