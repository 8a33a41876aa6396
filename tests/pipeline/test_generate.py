"""A clip is a function of config, seed and name alone; what is finished stays; what fails is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from odah.config import GenerateConfig
from odah.dataset.reader import Dataset
from odah.dataset.schema import DatasetPaths
from odah.errors import OdahError
from odah.pipeline import clip_work
from odah.pipeline.generate import generate_dataset

pytestmark = pytest.mark.blender


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


@pytest.fixture(scope="module")
def other(
    blender: None, tiny_config: GenerateConfig, tmp_path_factory: pytest.TempPathFactory
) -> tuple[DatasetPaths, dict[str, str]]:
    """Of another seed, and one of its two clips fails; its failures."""
    real = clip_work.make_clip

    def fails_once(paths, plan, *rest):
        if plan.action == "walking":
            raise OdahError("the lamp fell over")
        real(paths, plan, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clip_work, "make_clip", fails_once)
        config = tiny_config.model_copy(update={"seed": 1})
        return generate_dataset(config, Path(), tmp_path_factory.mktemp("other") / "d")


def test_a_clip_that_fails_leaves_nothing_and_stops_nothing(
    other: tuple[DatasetPaths, dict[str, str]],
) -> None:
    paths, failures = other
    assert failures == {"subject001_walking": "the lamp fell over"}
    assert [folder.name for folder in paths.clips.iterdir()] == ["subject001_hand_waving"]


def test_another_seed_makes_another_dataset(
    tiny_dataset: Dataset, other: tuple[DatasetPaths, dict[str, str]]
) -> None:
    name = "clips/subject001_hand_waving/labels.npz"
    assert (other[0].root / name).read_bytes() != (tiny_dataset.paths.root / name).read_bytes()
