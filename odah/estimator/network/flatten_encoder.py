"""From point features to frame features as in the ODAH paper, section 3.2.1: points one after another."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from odah.errors import InputError
from odah.estimator.batch import FrameFeatures
from odah.estimator.config import FlattenEncoderConfig
from odah.estimator.precision import at_least_float32

_STD = 0.02
"""Of the weights at the start."""


class FlattenEncoder(nn.Module):
    """One network for every point, and a second over what it says of all of them, in the order they come in.

    Args:
        num_points: N. point_width: features of a point without its place. features_out: D.
    """

    def __init__(
        self, config: FlattenEncoderConfig, num_points: int, point_width: int, features_out: int
    ) -> None:
        super().__init__()
        self.num_points = num_points
        self.points = nn.Sequential(*_layers((point_width + 3, *config.point_widths)), nn.ReLU())
        widths = (num_points * config.point_widths[-1], *config.frame_widths, features_out)
        self.frame = nn.Sequential(*_layers(widths))

    def forward(
        self,
        point_features: Float[Tensor, "B T N L"],
        points: Float[Tensor, "B T N 3"],
        is_view: Bool[Tensor, "B V"],
    ) -> FrameFeatures:
        if points.shape[2] != self.num_points:
            raise InputError("points", f"{points.shape[2]} in a frame", f"the network's {self.num_points}")
        compact = self.points(torch.cat([point_features, points.to(point_features.dtype)], dim=-1))
        with torch.autocast(points.device.type, enabled=False):  # half precision tells half a degree
            return FrameFeatures(self.frame(at_least_float32(compact).flatten(2)))


def _layers(widths: Sequence[int]) -> list[nn.Module]:
    """Weight-normalised linear layers with a ReLU between two."""
    layers: list[nn.Module] = []
    for width, next_width in pairwise(widths):
        linear = nn.Linear(width, next_width)
        nn.init.normal_(linear.weight, std=_STD)
        nn.init.zeros_(linear.bias)
        layers += [weight_norm(linear), nn.ReLU()]
    return layers[:-1]
