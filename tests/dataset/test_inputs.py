"""Digests of inputs: the same wherever files lie, another one for everything that a clip is made from."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from odah.config import GenerateConfig
from odah.dataset import inputs as module
from odah.dataset.file_hashes import FileHashes
from odah.dataset.inputs import with_inputs
from odah.dataset.plan import ClipPlan, plan_clips

SYNTHETIC: dict[str, Any] = {"name": "d", "motion": {"actions": ["walking", "kicking"]}}


def written(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """A folder of recordings of three people; their contents are never read as motion."""
    folder = tmp_path / "here"
    for name in (
        "cmu/07_01.amc",
        "cmu/07_02.amc",
        "cmu/07.asf",
        "cmu/08.asf",
        "walk.mot",
        "model.osim",
        "a.c3d",
    ):
        written(folder / name, name)
    return folder


RECORDED: dict[str, Any] = {
    "name": "d",
    "motion": {
        "recordings": [
            {"path": "cmu/07_01.amc", "subject": "07"},
            {"path": "cmu/07_02.amc", "subject": "07"},
            {"path": "walk.mot", "osim": "model.osim"},
            {"path": "a.c3d", "up": "y"},
        ]
    },
}


def plans_of(data: dict[str, Any], folder: Path) -> dict[str, ClipPlan]:
    config = GenerateConfig.model_validate(data)
    plans = plan_clips(config, folder)
    found = with_inputs(plans, plans, config, folder, FileHashes(folder / "hashes.json"))
    return {plan.clip_id: plan for plan in found}


def digests(data: dict[str, Any], folder: Path = Path()) -> dict[str, str]:
    return {clip_id: plan.inputs for clip_id, plan in plans_of(data, folder).items()}


def merged(data: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    sections = {key: value for key, value in change.items() if isinstance(value, dict)}
    return {**data, **change, **{key: {**data.get(key, {}), **value} for key, value in sections.items()}}


def test_plans_keep_all_but_their_digests_and_digests_differ() -> None:
    config = GenerateConfig.model_validate(SYNTHETIC)
    plans = plan_clips(config, Path())
    found = plans_of(SYNTHETIC, Path())
    assert [replace(plan, inputs="", person_inputs="") for plan in found.values()] == plans
    assert len({plan.inputs for plan in found.values()}) == len(plans) == 4
    assert len({plan.person_inputs for plan in found.values()}) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"name": "another"},
        {"subjects": {"count": 3}},
        {"subjects": {"split": (1, 0, 0)}},
        {"motion": {"actions": ["kicking", "running", "walking"]}},
        {"render": {"workers": 3, "workers_per_gpu": 2, "threads": 1, "timeout": 1.0, "start_timeout": 2.0}},
        {"render": {"retries": 5, "clips_per_worker": 7, "allow_software_gl": True, "device": "cpu"}},
        {"subsets": {"few": {"subjects": 1, "clips": 1}}},
    ],
)
def test_what_cannot_change_a_clip_does_not_matter(change: dict[str, Any]) -> None:
    before, after = digests(SYNTHETIC), digests(merged(SYNTHETIC, change))
    assert before.keys() <= after.keys()
    assert {clip_id: after[clip_id] for clip_id in before} == before


@pytest.mark.parametrize(
    ("change", "changes_people"),
    [
        ({"seed": 1}, True),
        ({"subjects": {"height": (1.6, 1.7)}}, True),
        ({"subjects": {"female_share": 0.1}}, True),
        ({"clothing": {"wrinkles": True}}, True),
        ({"clip": {"duration": 2.0}}, True),
        ({"video": {"crf": 30}}, False),
        ({"video": {"width": 640}}, False),
        ({"cameras": {"margin": 0.1}}, False),
        ({"room": {"density": 0.1}}, False),
        ({"light": {"variation": 0.1}}, False),
        ({"render": {"engine": "cycles"}}, False),
        ({"render": {"samples": 9}}, False),
        ({"render": {"labels": ["depth"]}}, False),
    ],
)
def test_what_shapes_a_clip_changes_all_of_them(change: dict[str, Any], changes_people: bool) -> None:
    before, after = plans_of(SYNTHETIC, Path()), plans_of(merged(SYNTHETIC, change), Path())
    assert all(before[clip_id].inputs != after[clip_id].inputs for clip_id in before)
    people = [before[clip_id].person_inputs != after[clip_id].person_inputs for clip_id in before]
    assert set(people) == {changes_people}


def test_every_section_and_setting_of_a_config_is_thought_of() -> None:
    """A new one shapes clips until somebody says that it does not."""
    told = module._of_one_clip(GenerateConfig.model_validate(SYNTHETIC))
    left_out = GenerateConfig.model_fields.keys() - told.keys()
    assert left_out == {"name", "motion", "subsets"}


def test_another_version_of_the_content_is_another_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    before = digests(SYNTHETIC)
    monkeypatch.setattr(module, "CONTENT_VERSION", module.CONTENT_VERSION + 1)
    assert not set(before.values()) & set(digests(SYNTHETIC).values())


def test_files_matter_by_what_they_hold_and_not_by_where_they_lie(recordings: Path, tmp_path: Path) -> None:
    before = digests(RECORDED, recordings)
    elsewhere = tmp_path / "another" / "place"
    shutil.copytree(recordings, elsewhere)
    assert digests(RECORDED, elsewhere) == before
    config_folder = tmp_path / "configs"
    config_folder.mkdir()
    assert digests(merged(RECORDED, {"motion": {"root": str(elsewhere)}}), config_folder) == before


@pytest.mark.parametrize(
    ("file", "changed"),
    [
        ("cmu/07_01.amc", {"07_07_01", "07_07_02"}),  # the person comes from their first recording
        ("cmu/07_02.amc", {"07_07_02"}),
        ("cmu/07.asf", {"07_07_01", "07_07_02"}),
        ("cmu/08.asf", set()),
        ("walk.mot", {"walk_mot"}),
        ("model.osim", {"walk_mot"}),
        ("a.c3d", {"a_c3d"}),
    ],
)
def test_an_altered_file_changes_the_clips_that_need_it(
    recordings: Path, file: str, changed: set[str]
) -> None:
    before = digests(RECORDED, recordings)
    written(recordings / file, "altered")
    after = digests(RECORDED, recordings)
    assert {clip_id for clip_id in before if before[clip_id] != after[clip_id]} == changed


def test_files_that_all_clips_share(recordings: Path) -> None:
    data = merged(
        RECORDED,
        {
            "body": "body.npz",
            "registration": "fit.npz",
            "cameras": {"layout": "file", "calibration": "rig.json"},
            "clothing": {"pictures": ["prints", "b.png"]},
        },
    )
    files = [
        written(recordings / name, name)
        for name in ("body.npz", "fit.npz", "rig.json", "prints/a.png", "b.png")
    ]
    seen = [digests(data, recordings)]
    for file in files:
        written(file, "altered")
        seen.append(digests(data, recordings))
    (recordings / "prints" / "a.png").rename(recordings / "prints" / "c.png")  # records tell its name
    seen.append(digests(data, recordings))
    assert len({found["walk_mot"] for found in seen}) == len(files) + 2


def test_a_garment_is_all_files_that_it_names(recordings: Path) -> None:
    garment = recordings / "shirt"
    lines = ["name shirt", "obj_file shirt.obj", "material shirt.mhmat", "verts 0", "1 2 3 0.2 0.3 0.5 0 0 0"]
    written(garment / "shirt.mhclo", "\n".join(lines))
    written(garment / "shirt.mhmat", "diffuseTexture cloth.png\n")
    for name in ("shirt.obj", "cloth.png", "readme.txt"):
        written(garment / name, name)
    data = merged(RECORDED, {"clothing": {"garments": ["shirt"]}})
    before = digests(data, recordings)
    written(garment / "readme.txt", "altered")
    assert digests(data, recordings) == before
    for name in ("cloth.png", "shirt.obj"):
        written(garment / name, "altered")
        after = digests(data, recordings)
        assert before["walk_mot"] != after["walk_mot"]
        before = after


def test_a_recording_that_cannot_be_read_still_has_a_digest(recordings: Path) -> None:
    (recordings / "cmu" / "07.asf").unlink()
    (recordings / "cmu" / "08.asf").unlink()
    assert len(set(digests(RECORDED, recordings).values())) == 4
