"""A whole dataset made without Blender, and copies of it to break."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from painted_clips import painted_dataset

from odah.config import GenerateConfig
from odah.dataset.reader import Dataset, open_dataset

CONFIG = {
    "name": "painted",
    "motion": {"actions": ["walking", "hand_waving"]},
    "subjects": {"count": 1},
    "clip": {"duration": 0.2, "rate": 30},
    "video": {"width": 192, "height": 128},
    "render": {"engine": "cycles", "labels": ["parts", "depth", "normals"]},
}


@pytest.fixture(scope="session")
def painted(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """One person, two actions, six frames each, with every kind of label picture."""
    return painted_dataset(GenerateConfig.model_validate(CONFIG), tmp_path_factory.mktemp("painted") / "d")


@pytest.fixture
def damaged(painted: Dataset, tmp_path: Path) -> Dataset:
    """A copy to break."""
    shutil.copytree(painted.paths.root, tmp_path / "copy")
    return open_dataset(tmp_path / "copy")
