"""Cells: computed once, kept with their failures, computed anew when something they are made of changes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmark.known_motions import Biased, Failing, recording

from odah.benchmark.grid import run_cell, run_grid
from odah.benchmark.recording import Motion
from odah.errors import InputError, OdahError

VIEWS = ("a", "b")


def test_an_answer_is_computed_once(tmp_path: Path) -> None:
    method, walk = Biased("biased", 3.0), recording()
    first = run_cell(method, walk, VIEWS, tmp_path)
    second = run_cell(method, walk, VIEWS, tmp_path)
    assert method.asked == ["walk"]
    assert first.is_new
    assert not second.is_new
    assert first.motion is not None
    assert second.motion is not None
    np.testing.assert_array_equal(first.motion.coordinates, second.motion.coordinates)
    assert second.motion.joint_names == walk.truth.joint_names
    assert (tmp_path / "set/walk/a+b/biased/note.txt").read_text() == "mine"


def test_what_changes_is_computed_anew(tmp_path: Path) -> None:
    walk = recording()
    method = Biased("biased", 3.0)
    run_cell(method, walk, VIEWS, tmp_path)
    run_cell(replace(method, bias_deg=4.0), walk, VIEWS, tmp_path)
    moved = replace(walk.views["b"], frames=walk.views["b"].frames + 1)
    for other in (
        replace(walk, rate=25.0),
        replace(walk, mass=70.0),
        replace(walk, views={**walk.views, "b": moved}),
        recording(seed=1),
        replace(walk, subject="somebody else"),
    ):
        assert run_cell(replace(method, bias_deg=4.0), other, VIEWS, tmp_path).is_new
    run_cell(method, walk, ("b", "a"), tmp_path)
    assert method.asked == ["walk"] * 8


def test_a_changed_video_is_seen_anew(tmp_path: Path) -> None:
    walk = recording()
    video = tmp_path / "a.mp4"
    video.write_bytes(b"one")
    walk = replace(walk, views={**walk.views, "a": replace(walk.views["a"], video=video)})
    method = Biased("biased", 0.0)
    run_cell(method, walk, VIEWS, tmp_path / "cells")
    video.write_bytes(b"another")
    assert run_cell(method, walk, VIEWS, tmp_path / "cells").is_new


def test_failures_are_kept_and_told(tmp_path: Path) -> None:
    seen = [(recording("run"), VIEWS), (recording("walk"), VIEWS)]
    cells, again = (run_grid([Failing()], seen, tmp_path, left_out=refuse) for _ in range(2))
    for found in (cells, again):
        assert [cell.failure for cell in found] == ["nobody to be seen", None]
        assert found[0].motion is None
    assert [cell.is_new for cell in again] == [True, False], "what failed is tried again"


@pytest.mark.parametrize(
    "mishap", [ValueError("x must\n increase"), np.linalg.LinAlgError("singular"), KeyError(3)]
)
def test_a_method_that_breaks_ends_nothing_but_its_cell(tmp_path: Path, mishap: Exception) -> None:
    class Broken(Biased):
        def estimate(self, recording, views, folder):  # type: ignore[no-untyped-def]
            raise mishap

    cells = run_grid(
        [Broken("broken", 0.0), Biased("whole", 1.0)], [(recording(), VIEWS)], tmp_path, left_out=refuse
    )
    assert cells[0].failure is not None
    assert cells[0].failure.startswith(type(mishap).__name__)
    assert "\n" not in cells[0].failure
    assert cells[1].motion is not None


def test_recordings_without_a_truth_are_left_out(tmp_path: Path) -> None:
    def damaged() -> Motion:
        raise InputError("truth.npz", "damaged data", "a truth")

    told: list[str] = []
    seen = [(replace(recording("run"), read_truth=damaged), VIEWS), (recording("walk"), VIEWS)]
    cells = run_grid([Biased("b", 1.0)], seen, tmp_path, left_out=lambda error: told.append(str(error)))
    assert [cell.recording.name for cell in cells] == ["walk"]
    assert told == ["truth.npz: found damaged data, expected a truth"]


def refuse(error: OdahError) -> None:
    raise error


@pytest.mark.parametrize("damage", ["motion.npz", "cell.json"])
def test_damaged_cells_are_computed_anew(tmp_path: Path, damage: str) -> None:
    run_cell(Biased("biased", 3.0), recording(), VIEWS, tmp_path)
    file = tmp_path / "set/walk/a+b/biased" / damage
    file.write_bytes(file.read_bytes()[:40])
    assert run_cell(Biased("biased", 3.0), recording(), VIEWS, tmp_path).is_new


def test_a_cell_tells_what_it_is_of(tmp_path: Path) -> None:
    run_cell(Biased("biased", 3.0), recording(), VIEWS, tmp_path)
    record = json.loads((tmp_path / "set/walk/a+b/biased/cell.json").read_text())
    assert record["method"] == {"bias_deg": 3.0, "coordinate": "knee_angle_l"}
    assert record["seconds"] >= 0
    assert "odah" in record["versions"]
    assert record["machine"]["cores"] >= 1


def test_an_answer_of_other_frames_is_none(tmp_path: Path) -> None:
    class Short(Biased):
        def estimate(self, recording, views, folder):  # type: ignore[no-untyped-def]
            motion = super().estimate(recording, views, folder)
            return replace(
                motion, times=motion.times[1:], coordinates=motion.coordinates[1:], joints=motion.joints[1:]
            )

    cell = run_cell(Short("short", 0.0), recording(), VIEWS, tmp_path)
    assert cell.failure == "ValueError: short: 5 frames of 6"
    assert cell.motion is None
