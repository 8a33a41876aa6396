"""A clip is a function of config, seed and name alone; what is finished stays; what fails is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from odah.config import GenerateConfig
from odah.dataset.reader import Dataset
from odah.errors import OdahError
from odah.pipeline import clip_work
from odah.pipeline.generate import GenerateOptions, generate_dataset

pytestmark = pytest.mark.blender
LABEL_FILES = ("labels.npz", "kinematics.mot", "markers.trc", "front_mask.mkv", "side_mask.mkv")


def test_a_shard_makes_the_same_bytes(
    tiny_dataset: Dataset, tiny_config: GenerateConfig, tmp_path: Path
) -> None:
    paths, failures = generate_dataset(tiny_config, Path(), tmp_path / "d", GenerateOptions(shard="2/2"))
    assert not failures
    made = [folder.name for folder in paths.clips.iterdir()]
    assert made == ["subject001_hand_waving"]
    for name in LABEL_FILES:
        ours, theirs = (folder / "clips" / made[0] / name for folder in (paths.root, tiny_dataset.paths.root))
        assert ours.read_bytes() == theirs.read_bytes(), name
    model = "subjects/subject001/model.osim"
    assert (paths.root / model).read_bytes() == (tiny_dataset.paths.root / model).read_bytes()


def test_finished_clips_are_not_made_again(
    tiny_dataset: Dataset, tiny_config: GenerateConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("a finished clip was made again")

    monkeypatch.setattr(clip_work, "make_clip", never)
    before = {path: path.stat().st_mtime_ns for path in tiny_dataset.paths.clips.rglob("*")}
    _, failures = generate_dataset(tiny_config, Path(), tiny_dataset.paths.root)
    assert not failures
    assert {path: path.stat().st_mtime_ns for path in tiny_dataset.paths.clips.rglob("*")} == before


def test_a_clip_that_fails_leaves_nothing_and_stops_nothing(
    tiny_config: GenerateConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = clip_work.make_clip

    def fails_once(paths, plan, *rest):
        if plan.action == "walking":
            raise OdahError("the lamp fell over")
        real(paths, plan, *rest)

    monkeypatch.setattr(clip_work, "make_clip", fails_once)
    paths, failures = generate_dataset(tiny_config, Path(), tmp_path / "d")
    assert failures == {"subject001_walking": "the lamp fell over"}
    assert [folder.name for folder in paths.clips.iterdir()] == ["subject001_hand_waving"]


def test_another_seed_makes_another_dataset(
    tiny_dataset: Dataset, tiny_config: GenerateConfig, tmp_path: Path
) -> None:
    paths, _ = generate_dataset(
        tiny_config.model_copy(update={"seed": 1}), Path(), tmp_path / "d", GenerateOptions(shard="2/2")
    )
    name = "clips/subject001_hand_waving/labels.npz"
    assert (paths.root / name).read_bytes() != (tiny_dataset.paths.root / name).read_bytes()
