"""Datasets without Blender: clips whose files hold their digests, made in no time by the real writer."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from odah.config import GenerateConfig
from odah.dataset.plan import ClipPlan
from odah.dataset.schema import DatasetPaths, clip_files
from odah.dataset.writer import start_dataset, write_clip
from odah.osim import full_body_model
from odah.pipeline.slots import Outcome

RECORD: dict[str, Any] = {
    "num_frames": 3,
    "rate": 30.0,
    "source": {"path": "walking", "format": "built-in", "licence": "CC0-1.0"},
    "body": {"kind": "open", "licence": "CC0-1.0"},
    "textures": {"licence": "Apache-2.0, procedural"},
    "flags": [],
    "notes": [],
    "error_budget": {},
}


class FakeMaker:
    """Stands for `ClipMaker`."""

    def __init__(self, config: GenerateConfig, plans: Sequence[ClipPlan], folder: Path = Path()) -> None:
        self.config, self.plans, self.views = config, plans, ("front", "side")


def begin(maker: FakeMaker, paths: DatasetPaths, force: bool = False) -> None:
    """Stands for `begin_dataset`."""
    start_dataset(paths.root, maker.config, full_body_model(), maker.views, maker.plans, force)


def fake_clip(paths: DatasetPaths, plan: ClipPlan, pause: float = 0.0) -> None:
    """pause: s between two files."""

    def fill(folder: Path) -> dict[str, Any]:
        info = {"views": ["front", "side"], "pictures": ["mask", "parts"]}
        for name in clip_files(info):
            (folder / name).write_text(f"{plan.inputs}\n" * 50)
            time.sleep(pause)
        return {}

    write_clip(paths, plan, RECORD, fill)


def fake_outcomes(
    maker: FakeMaker,
    waiting: Sequence[ClipPlan],
    paths: DatasetPaths,
    *_: object,
    pause: float = 0.0,
    **__: object,
) -> Iterator[tuple[ClipPlan, Outcome]]:
    """Stands for `clip_outcomes`."""
    for plan in waiting:
        begin(maker, paths)
        fake_clip(paths, plan, pause)
        yield plan, Outcome()
