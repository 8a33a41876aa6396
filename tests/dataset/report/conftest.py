"""A small dataset with all that the page shows, drawn without a renderer, and its page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from odah.dataset.audit import ClipAudit
from odah.dataset.reader import Dataset, open_dataset
from odah.dataset.report import write_report
from odah.names import OPENSIM_COORDINATES, OPENSIM_JOINTS

CLIPS = {"anna_walking": 12, "anna_waving": 9, "ben_walking": 21}
"""Frames by clip: 42 at 30 fps, 1.4 s."""
PEOPLE = {
    "anna": {"gender": "female", "age": 71.5, "height": 1.52, "mass": 50.0, "skin": [232, 196, 176]},
    "ben": {"gender": "male", "age": 22.0, "height": 1.88, "mass": 95.0, "skin": [66, 44, 36]},
}


def _complete(record: dict, k: int) -> dict:
    """What the drawn clips lack of a `clip.json`; the k-th clip is worse than those before it."""
    person = dict(PEOPLE[record["subject"]])
    skin = person.pop("skin")
    budget = dict.fromkeys(("mesh_joint_mean_mm", "mesh_marker_mean_mm", "sliding_excess_mm"), 1.0 + k)
    budget |= dict.fromkeys(("penetration_p95_mm", "floating_p95_mm", "self_penetration_mm"), 3.0 * k)
    shares = {"joints_inside_mask": 1.0 - 0.008 * k, "share_outside_views": 0.0}
    return record | {
        "person": record["subject"],
        "action": record["clip"].split("_")[1],
        "source": {"path": "builtin", "format": "builtin", "licence": "Apache-2.0"},
        "body": {"kind": "open", "licence": "CC0-1.0"} | person,
        "appearance": {"skin_color": skin},
        "render": {"engine": "drawn", "device": "CPU", "blender_version": "none"},
        "flags": ["feet slide 3.0 mm a frame at 60 fps more than the skeleton's"] if k == 2 else [],
        "notes": [f"arms moved by up to {k} degrees"],
        "error_budget": budget | shares | {
            "reprojection_px": 0.2 * k, "marker_rms_mm": None,
            "mesh_joint_mm": [1.0 + k] * len(OPENSIM_JOINTS),
        },
    }  # fmt: skip


@pytest.fixture(scope="session")
def make_shown(synthetic: ModuleType) -> Callable[[Path], Dataset]:
    """Writes the dataset into a new folder."""

    def make(folder: Path) -> Dataset:
        synthetic.Synthetic(CLIPS, splits={"ben_walking": "test"}).write(folder)
        info = json.loads((folder / "dataset.json").read_text())
        info["coordinate_ranges"] = [[-8.0, 8.0]] * len(OPENSIM_COORDINATES)
        (folder / "dataset.json").write_text(json.dumps(info))
        for k, clip_id in enumerate(CLIPS):
            path = folder / "clips" / clip_id / "clip.json"
            path.write_text(json.dumps(_complete(json.loads(path.read_text()), k)))
        return open_dataset(folder)

    return make


@pytest.fixture(scope="session")
def shown(make_shown: Callable[[Path], Dataset], tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The dataset; tests leave it as it is."""
    return make_shown(tmp_path_factory.mktemp("shown") / "dataset")


@pytest.fixture(scope="session")
def page(shown: Dataset) -> Path:
    """The page, in its usual place; one of the clips is not valid."""
    audits = [
        ClipAudit(clip_id, {"masks": "empty"} if clip_id.startswith("ben") else {}) for clip_id in CLIPS
    ]
    return Path(write_report(shown, audits, note="Drawn for tests."))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)
