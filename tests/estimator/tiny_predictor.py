"""A network small enough to run on videos in tests."""

from __future__ import annotations

import json
from typing import Any

import torch

from odah.estimator.checkpoint import Checkpoint
from odah.estimator.config import TrainConfig
from odah.estimator.network.two_view import TwoViewNetwork

_TINY = {
    "name": "tiny",
    "data": {"size": 64, "points": 40, "length": 16, "rate": 15, "reference": "camera", "pixels": "exact"},
    "network": {
        "hourglass": {"stacks": 1, "depth": 1, "channels": 8, "head_channels": 8, "stem_stride": 4},
        "encoder": {"kind": "located", "width": 8, "frame_widths": [16]},
        "temporal": {"channels": [4, 8], "heads": [1, 2], "blocks": [1, 1], "factors": [2], "scales": "mean"},
        "tells_pelvis": True,
        "tells_errors": True,
    },
    "loss": {"located": 1},
}


def tiny_config(**changes: Any) -> TrainConfig:
    values = json.loads(json.dumps(_TINY))
    for path, value in changes.items():
        section, name = path.split("__")
        values[section][name] = value
    return TrainConfig.model_validate(values)


def untrained(config: TrainConfig) -> Checkpoint:
    torch.manual_seed(0)
    return Checkpoint(TwoViewNetwork(config.network, config.data).eval(), config, {})
