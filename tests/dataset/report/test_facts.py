import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from odah.dataset.reader import Dataset
from odah.dataset.report.facts import ClipFacts, Unreadable, number, read_facts, spread


@pytest.fixture(scope="module")
def own(make_shown: Callable[[Path], Dataset], tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_shown(tmp_path_factory.mktemp("own") / "dataset")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("subject", None), ("action", 3), ("split", []), ("num_frames", "12"), ("num_frames", 0), ("rate", 0),
        ("rate", float("nan")), ("source", "amass"), ("render", None), ("flags", "slides"), ("flags", [1]),
        ("notes", [None]), ("error_budget", []), ("person", 7), ("rate", True),
    ],
)  # fmt: skip
def test_records_that_cannot_be_shown_are_told_by_field(own: Dataset, name: str, value: Any) -> None:
    path = own.paths.clip("ben_walking") / "clip.json"
    whole = path.read_text()
    try:
        path.write_text(json.dumps(json.loads(whole) | {name: value}))
        found = read_facts(own["ben_walking"])
    finally:
        path.write_text(whole)
    assert isinstance(found, Unreadable)
    assert f"clip.json: {name}: found" in found.why


def test_facts_are_those_of_the_clip(own: Dataset) -> None:
    found = read_facts(own["anna_waving"])
    assert isinstance(found, ClipFacts)
    assert found.seconds == pytest.approx(0.3)
    assert found.angles.num_frames == 9
    assert [use.view for use in found.cameras] == ["front", "side"]
    assert "scene" not in found.record
    assert found.residual("mesh_joint_mean_mm") == 2.0
    assert found.residual("marker_rms_mm") is found.residual("no such number") is None


@pytest.mark.parametrize("value", [None, "3", True, float("nan"), float("inf"), [1.0], {}, 10**400])
def test_what_is_no_finite_number_is_none(value: Any) -> None:
    assert number(value) is None


def test_places_are_spread_evenly() -> None:
    assert spread(8, 4).tolist() == [1, 3, 5, 7]
    assert spread(3, 60).tolist() == [0, 1, 2]
