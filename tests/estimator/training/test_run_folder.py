"""A run folder is of one config and one set of data, and of one process at a time."""

import json
from pathlib import Path

import pytest
from estimator.tiny_training import tiny_config

from odah.errors import InputError
from odah.estimator.config_file import load_train_config
from odah.estimator.training.run_folder import first_difference, held_run

FACTS = {"datasets": [{"name": "a", "digest": "12"}], "max_steps": None}


def begin(root: Path, facts: dict = FACTS, restart: bool = False, **changes: object) -> None:
    with held_run(root, tiny_config(**changes), facts, restart=restart):
        pass


def test_it_is_begun_and_taken_up(tmp_path: Path) -> None:
    root = tmp_path / "new" / "run"
    begin(root)
    assert load_train_config(root / "config.yaml") == tiny_config()
    assert json.loads((root / "run.json").read_text())["datasets"] == FACTS["datasets"]
    (root / "curves.csv").write_text("kept")
    begin(root)
    begin(root, workers=7)  # which changes nothing of the result
    assert (root / "curves.csv").read_text() == "kept"


def test_other_configs_and_data_are_refused_with_the_field(tmp_path: Path) -> None:
    begin(tmp_path)
    for changes, words in (
        ({"frame": {"learning_rate": 0.5}}, "config.yaml: frame.learning_rate: found 0.5, expected 0.001 as"),
        ({"network": {"temporal": None}}, "config.yaml: network.temporal"),
        ({"seed": 4}, "config.yaml: seed: found 4, expected 3"),
    ):
        with pytest.raises(InputError, match=words):
            begin(tmp_path, **changes)  # type: ignore[arg-type]
    other = {**FACTS, "datasets": [{"name": "a", "digest": "13"}]}
    with pytest.raises(
        InputError, match=r"run.json: datasets.0.digest: found '13', expected '12'.*--restart"
    ):
        begin(tmp_path, other)


def test_restart_forgets_the_run_and_nothing_else(tmp_path: Path) -> None:
    begin(tmp_path)
    (tmp_path / "frame").mkdir()
    (tmp_path / "frame" / "last.ckpt").write_text("old")
    (tmp_path / "model.pt").write_text("old")
    (tmp_path / "notes.txt").write_text("mine")
    begin(tmp_path, restart=True, seed=4)
    assert load_train_config(tmp_path / "config.yaml").seed == 4
    assert not (tmp_path / "model.pt").exists()
    assert not (tmp_path / "frame").exists()
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_places_that_are_no_run_folder_are_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="file: found a file, expected a folder"):
        begin(tmp_path / "file")
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "a.jpg").write_text("x")
    for restart in (False, True):
        with pytest.raises(InputError, match=r"other things, such as a.jpg"):
            begin(photos, restart=restart)
    assert [path.name for path in photos.iterdir()] == ["a.jpg"]
    for name in ("a.jpg", "config.yaml"):  # a config of something else, alone or among other things
        (tmp_path / "other").mkdir(exist_ok=True)
        (tmp_path / "other" / "config.yaml").write_text("mine")
        (tmp_path / "other" / name).touch()
        with pytest.raises(InputError, match=f"other things, such as {name}"):
            begin(tmp_path / "other", restart=True)
        (tmp_path / "other" / "a.jpg").unlink(missing_ok=True)
    assert (tmp_path / "other" / "config.yaml").read_text() == "mine"


def test_what_a_process_left_that_was_killed_at_once_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / ".lock").touch()
    (tmp_path / ".run.json.abcd1234.json").touch()
    begin(tmp_path)
    assert not (tmp_path / ".run.json.abcd1234.json").exists()


def test_only_one_process_trains_in_it(tmp_path: Path) -> None:
    with (
        held_run(tmp_path, tiny_config(), FACTS),
        pytest.raises(InputError, match="another process that trains there"),
        held_run(tmp_path, tiny_config(), FACTS, restart=True),
    ):
        pass
    assert (tmp_path / "config.yaml").is_file()


@pytest.mark.parametrize("text", ["{", "[]", ""])
def test_damaged_records_are_told(tmp_path: Path, text: str) -> None:
    begin(tmp_path)
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(InputError, match=r"run.json"):
        begin(tmp_path)


def test_the_first_difference_of_two_trees() -> None:
    assert first_difference({"a": {"b": [1, {"c": 2}]}}, {"a": {"b": [1, {"c": 3}]}}) == ("a.b.1.c", 2, 3)
    assert first_difference({"a": 1}, {"a": 1, "b": None}) is None
    assert first_difference({"a": [1]}, {"a": [1, 2]}) == ("a", [1], [1, 2])
    assert first_difference({"a": 1.0}, {"a": 1}) is None
