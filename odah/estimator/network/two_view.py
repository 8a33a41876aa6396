"""The estimator's network: from two pictures of every frame to joint angles and segment scales."""

from __future__ import annotations

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from odah.errors import OdahError
from odah.estimator.batch import Pictures, Prediction
from odah.estimator.config import DataConfig, FlattenEncoderConfig, NetworkConfig
from odah.estimator.network.flatten_encoder import FlattenEncoder, FrameFeatures
from odah.estimator.network.hourglass import StackedHourglass
from odah.estimator.network.located_encoder import LocatedEncoder
from odah.estimator.network.outputs import SCALES, num_outputs, outputs
from odah.estimator.network.point_features import PointFeatures
from odah.estimator.network.temporal_unet import ChunkScales, MeanScales, TemporalUnet

NUM_VIEWS = 2


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
        maps = self.hourglass(pictures.images.flatten(0, 2))
        point_features = self.point_features(maps, self.hourglass.outputs, pictures.pixels, pictures.is_view)
        return self.encoder(point_features, pictures.points, pictures.is_view)

    def frame_prediction(self, features: FrameFeatures) -> Prediction:
        """What each frame's vector says, scales of its own included."""
        return outputs(features.vectors, self.config, features.located)

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
