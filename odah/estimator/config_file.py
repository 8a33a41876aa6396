"""Reading and writing the config of a training."""

from __future__ import annotations

from pathlib import Path

import yaml

from odah.estimator.config import TrainConfig
from odah.files import atomic_path
from odah.sections import load_sections


def load_train_config(path: str | Path) -> TrainConfig:
    """Read and check the config of a training.

    Raises:
        InputError: missing file, bad YAML, unknown or missing key, value out of range.
    """
    return load_sections(path, TrainConfig)


def write_train_config(path: str | Path, config: TrainConfig) -> None:
    """Write every key of a config, defaults included; `load_train_config` reads it again."""
    with atomic_path(path) as temporary:
        temporary.write_text(yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False))
