"""Networks that are small enough to test, and pictures for them."""

import torch

from odah.estimator.batch import Pictures
from odah.estimator.config import (
    DataConfig,
    FlattenEncoderConfig,
    HourglassConfig,
    LocatedEncoderConfig,
    NetworkConfig,
    TemporalConfig,
)
from odah.estimator.network.two_view import TwoViewNetwork

DATA = DataConfig(size=32, points=7, length=8)
_HOURGLASS = HourglassConfig(stacks=2, depth=2, channels=16, head_channels=5)
_TEMPORAL = TemporalConfig(channels=(4, 8, 32), heads=(1, 2, 4), blocks=(1, 2, 1))
FLATTEN = NetworkConfig(
    hourglass=_HOURGLASS,
    encoder=FlattenEncoderConfig(point_widths=(12, 6), frame_widths=(10,)),
    temporal=_TEMPORAL,
)
LOCATED = NetworkConfig(
    hourglass=_HOURGLASS.model_copy(update={"stem_stride": 4, "stacks": 1}),
    encoder=LocatedEncoderConfig(width=8, frame_widths=(16,)),
    temporal=_TEMPORAL.model_copy(update={"scales": "mean"}),
    tells_pelvis=True,
    tells_errors=True,
)


def network(config: NetworkConfig, data: DataConfig = DATA) -> TwoViewNetwork:
    """With every parameter drawn at random, so that none is without effect."""
    torch.manual_seed(3)
    made = TwoViewNetwork(config, data)
    for parameter in made.parameters():
        if parameter.ndim < 2:
            torch.nn.init.normal_(parameter, mean=float(parameter.detach().mean()), std=0.1)
    return made


def pictures(batch: int = 2, length: int = 8, data: DataConfig = DATA, seed: int = 0) -> Pictures:
    draw = torch.Generator().manual_seed(seed)
    return Pictures(
        torch.randn(batch, 2, length, 3, data.size, data.size, generator=draw),
        torch.rand(batch, 2, length, data.points, 2, generator=draw) * (data.size + 4) - 2,
        torch.randn(batch, length, data.points, 3, generator=draw),
        torch.ones(batch, 2, dtype=torch.bool),
    )
