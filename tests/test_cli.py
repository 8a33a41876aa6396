"""The commands as a user meets them: exit codes, one sentence a mistake, nothing half-written."""

import json
from pathlib import Path

import pytest

from odah.dataset.reader import Dataset

COMMANDS = (
    *("doctor", "demo", "kinematics", "animate", "generate", "validate", "report", "pack"),
    *("train", "evaluate", "predict"),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(odah, command: str) -> None:
    code, out, _ = odah(command, "--help")
    assert code == 0
    assert f"Example: odah {command}" in " ".join(out.split())


def test_version(odah) -> None:
    assert odah("--version")[:2] == (0, "0.1.0\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("validate", "none"), ("none", "no such folder", "a dataset folder")),
        (("report", "none"), ("none", "no such folder")),
        (("generate", "none.yaml", "--out", "d"), ("none.yaml", "no such file")),
        (("generate", "none.yaml", "--out", "d", "--executor", "slurm"), ("--executor", "'slurm'", "local")),
        (
            ("generate", "none.yaml", "--out", "d", "--address", "a:1"),
            ("--address", "without --executor ray"),
        ),
        (("kinematics", "none.trc", "--out", "d"), ("none.trc", "no such file")),
        (("kinematics", "none.xyz", "--out", "d"), ("none.xyz", ".bvh")),
        (("kinematics", "none.mot", "--out", "d"), ("none.mot", ".osim")),
        (("demo", "--out", "d", "--engine", "povray"), ("--engine", "'povray'", "eevee")),
        (("generate",), ("Missing argument",)),
        (("frobnicate",), ("frobnicate",)),
    ],
)
def test_wrong_use_is_one_sentence_and_status_2(odah, tmp_path: Path, monkeypatch, arguments, words) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = odah(*arguments)
    assert code == 2
    assert out == ""
    assert "Traceback" not in err
    for word in words:
        assert word in err
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_action_stops_before_any_work(odah, tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("name: x\nmotion: {actions: [moonwalking]}\n")
    code, _, err = odah("generate", config, "--out", tmp_path / "d")
    assert code == 2
    assert "of which 'moonwalking' is none" in err
    assert not (tmp_path / "d").exists()


def test_a_shard_out_of_range_stops_before_any_work(odah, tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("name: x\nmotion: {actions: [walking]}\n")
    code, _, err = odah("generate", config, "--out", tmp_path / "d", "--shard", "5/4")
    assert code == 2
    assert "--shard: found '5/4', expected I/N" in err
    assert not (tmp_path / "d").exists()


@pytest.mark.blender
def test_validate_speaks_json(odah, tiny_dataset: Dataset) -> None:
    code, out, _ = odah("validate", tiny_dataset.paths.root, "--json")
    assert code == 0
    found = json.loads(out)
    assert (found["clips"], found["valid"], found["failed"], found["dataset"]) == (2, 2, {}, {})


@pytest.mark.blender
def test_report_is_one_self_contained_page(odah, tiny_dataset: Dataset) -> None:
    code, out, _ = odah("report", tiny_dataset.paths.root, "--json")
    assert code == 0
    page = Path(json.loads(out)["page"]).read_text()
    assert page.count("data:image/jpeg;base64,") > 4
    assert "subject001_hand_waving" in page
    assert 'src="http' not in page
    assert "hip_flexion" in page
