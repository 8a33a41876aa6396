"""The estimator's network: from two pictures of every frame to joint angles and segment scales."""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from odah.errors import OdahError
from odah.estimator.batch import NUM_VIEWS, FrameFeatures, Pictures, Prediction
from odah.estimator.config import DataConfig, FlattenEncoderConfig, NetworkConfig
from odah.estimator.network.flatten_encoder import FlattenEncoder
from odah.estimator.network.hourglass import StackedHourglass
from odah.estimator.network.located_encoder import LocatedEncoder
from odah.estimator.network.outputs import SCALES, num_outputs, outputs
from odah.estimator.network.point_features import PointFeatures
from odah.estimator.network.temporal_unet import ChunkScales, MeanScales, TemporalUnet

_PICTURES_AT_ONCE = 32
"""Whose maps are in memory together where no gradients are wanted: 70 MB each in the paper's network."""


class TwoViewNetwork(nn.Module):
    """The network of the ODAH paper, section 3.2, or what the configuration makes of it.

    Pictures -> feature maps -> features of points -> a vector for each frame -> vectors of the whole
    sequence -> angles and scales. Frames see each other in the temporal part only.
    """

    def __init__(self, config: NetworkConfig, data: DataConfig) -> None:
        super().__init__()
        self.config = config
        features = num_outputs(config)
        self.hourglass = StackedHourglass(config.hourglass)
        self.point_features = PointFeatures(config.hourglass, data)
        point_width = NUM_VIEWS * config.hourglass.stacks * config.hourglass.head_channels
        if isinstance(config.encoder, FlattenEncoderConfig):
            self.encoder = FlattenEncoder(config.encoder, data.points, point_width, features)
        else:
            self.encoder = LocatedEncoder(config.encoder, point_width, features, config.tells_pelvis)
        self.temporal = self.scales = None
        if config.temporal is not None:
            self.temporal = TemporalUnet(config.temporal)
            is_chunk = config.temporal.scales == "chunk"
            self.scales = ChunkScales(data.length) if is_chunk else MeanScales(features)

    def forward(self, pictures: Pictures, is_frame: Bool[Tensor, "B T"] | None = None) -> Prediction:
        features = self.features(pictures)
        if self.temporal is None:
            return self.frame_prediction(features)
        return self.sequence_prediction(features, is_frame)

    def features(self, pictures: Pictures) -> FrameFeatures:
        """Section 3.2.1: every frame for itself."""
        parts = [self._point_features(pictures, frames) for frames in _frames_at_once(pictures)]
        return self.encoder(torch.cat(parts, dim=1), pictures.points, pictures.is_view)

    def _point_features(self, pictures: Pictures, frames: slice) -> Float[Tensor, "B T N L"]:
        maps = self.hourglass(pictures.images[:, :, frames].flatten(0, 2))
        pixels = pictures.pixels[:, :, frames]
        return self.point_features(maps, self.hourglass.outputs, pixels, pictures.is_view)

    def frame_prediction(self, features: FrameFeatures) -> Prediction:
        """What each frame's vector says, scales of its own included."""
        told = outputs(features.vectors, self.config, features.located)
        return replace(told, votes=features.votes)

    def sequence_prediction(
        self, features: FrameFeatures, is_frame: Bool[Tensor, "B T"] | None = None
    ) -> Prediction:
        """Section 3.2.2: frames that know of each other, and one set of scales for all of them.

        is_frame: false where a short sequence was filled up; all true if None.
        """
        if self.temporal is None or self.scales is None:
            raise OdahError("this network has no temporal part: every frame is for itself")
        if is_frame is None:
            is_frame = torch.ones_like(features.vectors[..., 0], dtype=torch.bool)
        vectors = self.temporal(features.vectors)
        numbers = self.scales(vectors, vectors[..., SCALES], is_frame)
        return outputs(vectors, self.config, features.located, numbers)


def _frames_at_once(pictures: Pictures) -> list[slice]:
    """All frames where gradients need all maps anyway, else few enough to take little memory."""
    batch, views, num_frames = pictures.images.shape[:3]
    count = num_frames if torch.is_grad_enabled() else max(1, _PICTURES_AT_ONCE // (batch * views))
    return [slice(start, start + count) for start in range(0, num_frames, count)]
