"""The smallest training there is: its config, its dataset, and how it is run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dataset.synthetic import Synthetic

from odah.dataset.reader import Dataset
from odah.estimator.config import TrainConfig
from odah.estimator.training.loop import Limits
from odah.estimator.training.train import TrainOptions, train

TINY: dict[str, Any] = {
    "name": "tiny",
    "seed": 3,
    "data": {"size": 32, "points": 8, "length": 4, "reference": "camera", "pixels": "exact", "recrop": True},
    "network": {
        "hourglass": {"stacks": 1, "depth": 1, "channels": 8, "head_channels": 8, "stem_stride": 4},
        "encoder": {"kind": "located", "width": 8, "frame_widths": [16]},
        "temporal": {
            "channels": [4, 8, 16], "heads": [1, 2, 4], "blocks": [1, 1, 1], "factors": [2, 2],
            "scales": "mean",
        },
        "tells_pelvis": True,
    },
    "loss": {"located": 1},
    "augmentation": {"shift": 0.05, "brightness": 0.2, "mirror": 0.5, "view_dropout": 0.2},
    "frame": {"epochs": 2, "batch": 4, "learning_rate": 1e-3, "schedule": "cosine", "clip_norm": 1.0},
    "temporal": {"epochs": 2, "batch": 2, "learning_rate": 1e-3},
    "workers": 0,
}  # fmt: skip


def tiny_config(**changes: Any) -> TrainConfig:
    """Sections whose keys replace those of `TINY`; anything else is replaced whole."""
    merged = {
        name: TINY.get(name, {}) | change if isinstance(change, dict) else change
        for name, change in changes.items()
    }
    return TrainConfig.model_validate(TINY | merged)


def tiny_dataset(folder: Path, **options: Any) -> Dataset:
    """Two subjects to train on and one to validate on, 9, 6 and 4 frames, unless told otherwise."""
    clips = options.pop("clips", {"ann_a": 9, "bob_b": 6, "cyd_c": 4})
    splits = options.pop("splits", {"cyd_c": "val"})
    return Synthetic(clips, size=(64, 48), splits=splits, **options).write(folder)


def run(config: TrainConfig, dataset: Path, out: Path, told: list[str] | None = None, **options: Any) -> Path:
    """`train` on the CPU; limits and lines as given."""
    limits = Limits(options.pop("max_steps", None), options.pop("keep_every", 300.0))
    lines = [] if told is None else told
    return train(
        config,
        [dataset],
        out,
        TrainOptions(device="cpu", threads=1, limits=limits, tell=lines.append, **options),
    )
