"""A config as it is told to others: without this machine; and what changed in it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from odah.config import GenerateConfig
from odah.dataset.portable import changed_fields, portable

RECORDED: dict[str, Any] = {
    "name": "d",
    "motion": {"root": "/data/amass", "recordings": [{"path": "s1/walk.mot", "osim": "/data/s1/model.osim"}]},
    "body": "/home/me/SMPLX_MALE.npz",
    "registration": "~/fit.npz",
    "clothing": {"pictures": ["prints/a.png", "C:\\prints\\b.png"]},
    "cameras": {"layout": "file", "calibration": "../rig.json"},
}


def changed(data: dict[str, Any], **sections: Any) -> GenerateConfig:
    merged = {
        **data,
        **{
            key: {**data.get(key, {}), **value} if isinstance(value, dict) else value
            for key, value in sections.items()
        },
    }
    return GenerateConfig.model_validate(merged)


def test_a_portable_config_says_nothing_of_this_machine() -> None:
    told = portable(changed(RECORDED, render={"workers": 7, "samples": 3}))
    assert told["body"] == "SMPLX_MALE.npz"
    assert told["registration"] == "fit.npz"
    assert told["motion"]["root"] == "amass"
    assert told["motion"]["recordings"][0]["path"] == "s1/walk.mot"
    assert told["motion"]["recordings"][0]["osim"] == "model.osim"
    assert told["clothing"]["pictures"] == ["prints/a.png", "b.png"]
    assert told["cameras"]["calibration"] == "rig.json"
    assert "workers" not in told["render"]
    assert told["render"]["samples"] == 3
    text = json.dumps(told)
    assert "/data" not in text
    assert "/home" not in text
    assert json.loads(text) == told


@pytest.mark.parametrize(
    "change",
    [
        {"name": "e"},
        {"render": {"workers": 3, "threads": 2, "timeout": 5, "retries": 0, "device": "cpu"}},
        {"body": "other/SMPLX_MALE.npz"},
        {"motion": {"root": "/scratch"}},
        {"motion": {"recordings": [{"path": "moved/walk.mot", "osim": "model.osim"}]}},
        {"clothing": {"pictures": ["/x/a.png", "b.png"]}},
    ],
)
def test_where_files_lie_and_how_clips_are_made_is_no_change(change: dict[str, Any]) -> None:
    begun = json.loads(json.dumps(portable(changed(RECORDED))))
    assert changed_fields(begun, portable(changed(RECORDED, **change))) == []


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"seed": 4}, ["seed"]),
        ({"clip": {"duration": 2.0}}, ["clip.duration"]),
        (
            {"motion": {"actions": ["walking"]}, "render": {"samples": 9}},
            ["motion.actions", "render.samples"],
        ),
        ({"motion": {"recordings": [{"path": "s1/run.mot", "osim": "model.osim"}]}}, ["motion.recordings"]),
        ({"body": "SMPLX_FEMALE.npz"}, ["body"]),
        ({"video": {"crop": {"size": 64}}}, ["video.crop"]),
        ({"cameras": {"ring": {"count": 3}}}, ["cameras.ring.count"]),
    ],
)
def test_changes_are_named_with_their_sections(change: dict[str, Any], fields: list[str]) -> None:
    begun = json.loads(json.dumps(portable(changed(RECORDED))))
    assert changed_fields(begun, portable(changed(RECORDED, **change))) == fields


@pytest.mark.parametrize("damaged", [None, [], {"motion": 3}, {"motion": {"recordings": [1, {}]}}, {}])
def test_a_damaged_config_differs(damaged: Any) -> None:
    assert changed_fields(damaged, portable(changed(RECORDED)))
