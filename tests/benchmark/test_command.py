"""`odah benchmark` from a config to tables, again, and with the mistakes of users."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from dataset.synthetic import Synthetic
from estimator.tiny_predictor import tiny_config
from estimator.tiny_predictor import untrained as untrained_checkpoint

from odah.estimator.checkpoint import save_checkpoint
from odah.osim import full_body_model, write_model

CLIPS = {"subject001_a": 4, "subject002_b": 5, "subject003_c": 3}
SPLITS = {"subject001_a": "train", "subject002_b": "test", "subject003_c": "test"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """data: a dataset. model.pt: an untrained network. theirs: a folder without motions."""
    root = tmp_path_factory.mktemp("made")
    Synthetic(CLIPS, splits=SPLITS).write(root / "data")
    for subject in ("subject001", "subject002", "subject003"):
        (root / "data" / "subjects" / subject).mkdir(parents=True)
        write_model(full_body_model(), root / "data" / "subjects" / subject / "model.osim")
    untrained = untrained_checkpoint(tiny_config())
    save_checkpoint(root / "model.pt", untrained.network, untrained.config, {})
    (root / "theirs").mkdir()
    return root


def config(made: Path, **changes: object) -> dict[str, object]:
    return {
        "name": "tiny",
        "datasets": {"own": {"kind": "odah", "path": str(made / "data")}},
        "methods": {
            "ours": {"kind": "estimator", "checkpoint": str(made / "model.pt")},
            "mean pose": {"kind": "mean_pose", "dataset": str(made / "data")},
        },
        **changes,
    }


def write(folder: Path, values: dict[str, object]) -> Path:
    (folder / "b.yaml").write_text(yaml.safe_dump(values))
    return folder / "b.yaml"


def test_tables_and_a_second_run(odah, made: Path, tmp_path: Path) -> None:
    file, out = write(tmp_path, config(made)), tmp_path / "out"
    code, _, told = odah("benchmark", file, "--out", out)
    assert code == 0
    assert "| own | mean pose |" in told
    assert "4 cells, 4 of them new" in told
    files = {path.name for path in out.iterdir()}
    assert {"table.md", "table.tex", "table.csv", "by_action.csv", "cells.csv", "benchmark.json"} <= files
    assert {"errors_own.png", "curves_own.png", "bland_altman_own.png"} <= files
    assert (out / "cells/own/subject002_b/front+side/ours/model.osim").is_file()
    table = (out / "table.md").read_bytes()
    code, told, _ = odah("benchmark", file, "--out", out, "--json")
    result = json.loads(told)
    assert (code, result["cells"], result["new"]) == (0, 4, 0)
    assert (out / "table.md").read_bytes() == table


def test_a_method_that_fails_is_told(odah, made: Path, tmp_path: Path) -> None:
    methods = {"theirs": {"kind": "folder", "path": str(made / "theirs")}, **config(made)["methods"]}  # type: ignore[dict-item]
    code, _, told = odah(
        "benchmark", write(tmp_path, config(made, methods=methods)), "--out", tmp_path / "out"
    )
    assert code == 0
    assert "2/2" in told
    assert "- own, subject002_b, front+side, theirs: " in told
    assert "found 0 .mot files, expected one" in told


def test_another_folder_for_a_dataset(odah, made: Path, tmp_path: Path) -> None:
    values = config(made, datasets={"own": {"kind": "odah", "path": "elsewhere"}})
    place = f"own={made / 'data'}"
    assert odah("benchmark", write(tmp_path, values), "--data", place, "--out", tmp_path / "out")[0] == 0


def test_a_view_that_some_recordings_lack(odah, made: Path, tmp_path: Path) -> None:
    own = {"kind": "odah", "path": str(made / "data"), "views": [["front", "side"], ["front", "back"]]}
    file = write(tmp_path, config(made, datasets={"own": own}))
    code, _, told = odah("benchmark", file, "--out", tmp_path / "out")
    assert code == 0
    assert "own, subject002_b: no camera back, so it is left out" in told
    code, _, error = odah("benchmark", file, "--out", tmp_path / "strict", "--strict")
    assert code == 2
    assert "no camera back" in error


@pytest.mark.parametrize(
    ("changes", "options", "said"),
    [
        ({"methods": {}}, (), "methods: found {}, expected at least one value"),
        ({"methods": {"x": {"kind": "magic"}}}, (), "methods.x.kind: found 'magic'"),
        ({"methods": {"x/y": {"kind": "folder", "path": "p"}}}, (), "methods"),
        ({"methods": {"x": {"kind": "estimator", "checkpoint": "none.pt"}}}, (), "none.pt: found no such"),
        ({"datasets": {"own": {"kind": "odah", "path": "nowhere"}}}, (), "nowhere: found no such folder"),
        ({"without_coordinates": ["knee_angel_r"]}, (), "without_coordinates: found 'knee_angel_r'"),
        ({"methods": {"x": {"kind": "folder", "path": "nowhere"}}}, (), "nowhere: found no such folder"),
        (
            {"methods": {"x": {"kind": "multi_step", "keypoints": {"source": "truth", "keypoint_set": "b"}}}},
            (),
            "'b'",
        ),
        ({"methods": {"x": {"kind": "estimator", "yolo": "no.pt"}}}, (), "no.pt: found no such file"),
        (
            {"methods": {"x": {"kind": "mean_pose", "dataset": "own", "view": "up"}}},
            (),
            "methods.x.view: found 'up'",
        ),
        ({"seeds": 3}, (), "seeds: found an unknown key"),
        ({}, ("--data", "own"), "--data: found 'own', expected NAME=FOLDER"),
        ({}, ("--data", "other=x"), "--data: found 'other', expected one of own"),
    ],
)
def test_mistakes(
    odah, made: Path, tmp_path: Path, changes: dict[str, object], options: tuple[str, ...], said: str
) -> None:
    file = write(tmp_path, config(made, **changes))
    code, _, error = odah("benchmark", file, "--out", tmp_path / "out", *options)
    assert code == 2
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_nothing_chosen_and_the_same_view_twice(odah, made: Path, tmp_path: Path) -> None:
    for changes, said in (
        ({"actions": ["flying"]}, "actions: found 'flying'"),
        ({"views": [["front", "front"]]}, "two different cameras"),
        ({"views": [["frnt", "side"]]}, "no camera frnt"),
        ({"subjects": ["subject009"]}, "subjects: found 'subject009'"),
    ):
        own = {"kind": "odah", "path": str(made / "data"), **changes}
        code, _, error = odah(
            "benchmark", write(tmp_path, config(made, datasets={"own": own})), "--out", tmp_path / "o"
        )
        assert code == 2
        assert said in error
