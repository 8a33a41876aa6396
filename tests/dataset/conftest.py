"""Datasets without pictures: `dataset.json` and clips of which only the records exist."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from odah.config import GenerateConfig
from odah.dataset.index_columns import BUDGET
from odah.dataset.schema import DatasetPaths, clip_files
from odah.dataset.writer import start_dataset
from odah.osim import full_body_model


class MadeUpDataset:
    """A started dataset to which records are added by hand."""

    def __init__(self, folder: Path, config: GenerateConfig, views: tuple[str, ...]) -> None:
        self.paths: DatasetPaths = start_dataset(folder, config, full_body_model(), views)
        self.info: dict[str, Any] = json.loads(self.paths.info.read_text())

    def record(self, clip_id: str, **changes: Any) -> dict[str, Any]:
        """A whole `clip.json`; changes to a section replace its values, None removes what it names."""
        subject, _, action = clip_id.partition("_")
        record: dict[str, Any] = {
            "clip": clip_id,
            "subject": subject,
            "person": subject,
            "action": action,
            "split": "train",
            "subsets": [],
            "bmi_variant": 0.0,
            "num_frames": 90,
            "rate": 30.0,
            "source": {"path": f"builtin:{action}:7", "format": "builtin", "licence": "Apache-2.0"},
            "body": {"kind": "open", "licence": "CC0-1.0", "gender": "female", "age": 41.0, "height": 1.7,
                     "mass": 60.0, "bmi": 20.76},
            "textures": {"licence": "Apache-2.0, procedural"},
            "appearance": {"upper": "shirt", "lower": "shorts"},
            "scene": {"cameras": [{"width": 192, "height": 128}], "room": {"kind": "gym"}},
            "render": {"engine": "cycles", "device": "CPU", "blender_version": "4.5.15 LTS"},
            "error_budget": {column.name: 1.0 for column in BUDGET} | {"marker_rms_mm": None, "overlaps": []},
            "flags": [],
            "notes": [],
            "inputs": "ab" * 32,
            "sha256": dict.fromkeys(clip_files(self.info), "cd" * 32),
        }  # fmt: skip
        for name, change in changes.items():
            merged = record[name] | change if isinstance(change, dict) else change
            record[name] = merged
            if merged is None:
                del record[name]
        return record

    def add(self, clip_id: str, **changes: Any) -> Path:
        """Write a clip's record, see `record`."""
        return self.write(clip_id, json.dumps(self.record(clip_id, **changes)))

    def write(self, clip_id: str, text: str) -> Path:
        """Write anything as a clip's record."""
        path = self.paths.clip(clip_id) / "clip.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


@pytest.fixture
def made_up(tmp_path: Path, tiny_config: GenerateConfig) -> Callable[..., MadeUpDataset]:
    """Starts a dataset: sections of the config to replace, names of views."""

    def start(views: tuple[str, ...] = ("front", "side"), **sections: Any) -> MadeUpDataset:
        config = GenerateConfig.model_validate(json.loads(tiny_config.model_dump_json()) | sections)
        return MadeUpDataset(tmp_path / "dataset", config, views)

    return start


@pytest.fixture(scope="session")
def synthetic() -> ModuleType:
    """`synthetic.py`, which draws datasets with pictures."""
    spec = importlib.util.spec_from_file_location("synthetic", Path(__file__).with_name("synthetic.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["synthetic"] = module  # where dataclasses look for the names in their annotations
    spec.loader.exec_module(module)
    return module
