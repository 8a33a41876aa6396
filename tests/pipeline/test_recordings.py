"""Kinematics of several recordings: folders, failures, interrupts, the same bytes however many at once."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from odah.errors import InputError
from odah.motion.trc import read_trc, write_trc
from odah.osim.parse import read_model
from odah.pipeline.recordings import SUMMARY_FILE, check_recordings, folder_names

OSIM = ("--osim", "model.osim")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_do_not_depend_on_how_many_are_solved_at_once(kinematics, tmp_path: Path) -> None:
    for jobs in (1, 2):
        assert (
            kinematics("walk.trc", "run.mot", "--out", tmp_path / f"jobs{jobs}", "--jobs", jobs, *OSIM)[0]
            == 0
        )
    one_at_a_time, together = contents(tmp_path / "jobs1"), contents(tmp_path / "jobs2")
    assert one_at_a_time == together
    assert {path.split("/")[0] for path in together} == {"walk", "run", "summary.csv"}
    assert kinematics("walk.trc", "--out", tmp_path / "alone")[0] == 0
    alone = contents(tmp_path / "alone")
    assert alone == {path[5:]: data for path, data in together.items() if path.startswith("walk/")}
    assert {"model.osim", "kinematics.mot", "errors.csv", "ranges.csv"} < alone.keys()


def test_trials_of_one_person_get_one_model(kinematics, recordings: Path, tmp_path: Path) -> None:
    walk = read_trc(recordings / "walk.trc")
    larger = replace(walk, positions=1.05 * walk.positions[:3])
    write_trc(recordings / "larger.trc", larger)
    out = tmp_path / "out"
    options = ("--one-subject", "--mass", 61.5, "--no-plot")
    code, printed, _ = kinematics("walk.trc", "larger.trc", *options, "--out", out, "--json")
    assert code == 0
    results = json.loads(printed)["results"]
    assert [Path(result["recording"]).name for result in results] == ["walk.trc", "larger.trc"]
    assert [result["frames"] for result in results] == [5, 3]
    assert sorted(path.name for path in out.iterdir()) == ["larger", "summary.csv", "walk"]
    models = [(out / name / "model.osim").read_bytes() for name in ("walk", "larger")]
    assert models[0] == models[1]
    assert read_model(out / "walk" / "model.osim").mass == pytest.approx(61.5)
    assert kinematics("walk.trc", "larger.trc", *options[1:], "--out", out)[0] == 0
    apart = [(out / name / "model.osim").read_bytes() for name in ("walk", "larger")]
    assert apart[0] != apart[1]


def test_one_person_has_marker_trials_only(kinematics, tmp_path: Path) -> None:
    cases = [
        (("walk.trc", "run.mot"), "run.mot: found no marker file"),
        (("run.mot",), "run.mot: found no marker file"),
        (("walk.trc", "broken.trc"), "no TRC header"),
    ]
    for names, words in cases:
        code, _, told = kinematics(*names, "--one-subject", "--out", tmp_path / "out")
        assert code == 2
        assert words in told
        assert len(told.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_one_that_fails_is_told_and_the_others_are_solved(kinematics, tmp_path: Path) -> None:
    out, names = tmp_path / "new" / "out", ["broken.trc", "run.mot", "none.c3d"]
    code, printed, told = kinematics(*names, *OSIM, "--out", out, "--json", "--no-plot", "--jobs", 1)
    assert code == 1
    assert len(told.splitlines()) == 2
    assert "failed broken.trc: found no TRC header" in told
    assert "failed none.c3d: found no such file" in told
    results = json.loads(printed)
    assert results["failed"] == 2
    assert [result["recording"] for result in results["results"]] == names
    assert results["results"][1]["frames"] == 5
    assert results["results"][0]["failure"].startswith("broken.trc: found no TRC header")
    assert sorted(path.name for path in out.iterdir()) == ["run", "summary.csv"]
    with (out / "summary.csv").open(newline="") as file:
        table = {row["recording"]: row for row in csv.DictReader(file)}
    assert list(table) == names
    assert (table["run.mot"]["frames"], table["run.mot"]["rate"]) == ("5", "50")
    assert table["run.mot"]["frames_flagged"] == "0"
    assert table["broken.trc"]["frames"] == ""
    assert "no TRC header" in table["broken.trc"]["failure"]


def test_nothing_is_left_where_all_fail(kinematics, tmp_path: Path) -> None:
    code, _, told = kinematics("broken.trc", "none.c3d", "--out", tmp_path / "deep" / "out", "--jobs", 1)
    assert code == 1
    assert "0 of 2 recordings" in told
    assert SUMMARY_FILE not in told
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_run_is_replaced_and_foreign_files_stay(
    kinematics, recordings: Path, tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").write_text("mine")
    (tmp_path / "run" / "errors.csv").write_text("of markers that are no longer followed")
    assert kinematics("run.mot", "--out", tmp_path / "run", "--no-plot", *OSIM)[0] == 0
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        *("kinematics.mot", "markers.trc", "model.osim", "notes.txt", "ranges.csv")
    ]
    assert (tmp_path / "run" / "notes.txt").read_text() == "mine"


def test_an_input_is_never_written_over(kinematics, recordings: Path, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    trial = tmp_path / "markers.trc"
    model = tmp_path / "more" / "model.osim"
    shutil.copy(recordings / "walk.trc", trial)
    shutil.copy(recordings / "model.osim", model)
    before = contents(tmp_path)
    for arguments, out, place in (
        ((trial,), tmp_path, trial),
        (("run.mot", "--osim", model), tmp_path / "more" / ".." / "more", model),
        ((recordings / "run.mot", tmp_path / "more.trc", "--osim", model), tmp_path, model),
    ):
        code, _, told = kinematics(*arguments, "--out", out, "--no-plot")
        assert code == 2
        assert told.startswith(f"odah: {place}: found a file that --out {out} would write over")
        assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a/walk.trc", "b/run.trc"], ["walk", "run"]),
        (["a/walk.trc", "b/walk.trc", "c/run.trc"], ["a_walk", "b_walk", "run"]),
        (["a/walk.trc", "a/walk.c3d"], ["walk_trc", "walk_c3d"]),
        (["a/walk.trc", "b/WALK.trc"], ["a_walk", "b_WALK"]),
    ],
)
def test_a_folder_is_named_after_its_recording(paths: list[str], names: list[str]) -> None:
    assert folder_names([Path(path) for path in paths]) == names


@pytest.mark.parametrize(
    "paths", [["x/a/walk.trc", "y/a/walk.trc"], ["a/walk.trc", "b/walk.trc", "a_walk.trc"]]
)
def test_recordings_that_would_share_a_folder_are_refused(paths: list[str]) -> None:
    with pytest.raises(InputError, match=f"{paths[0]} and .*one folder 'a_walk|{paths[0]} and .*'walk_trc'"):
        folder_names([Path(path) for path in paths])


def test_what_is_no_recording_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "walk.trc").write_text("x")
    with pytest.raises(InputError, match=r"found a folder, expected files, such as .*/\*\.trc"):
        check_recordings([tmp_path / "walk.trc", tmp_path])
    with pytest.raises(InputError, match="a pattern that the shell did not expand"):
        check_recordings([tmp_path / "*.trc"])
    with pytest.raises(InputError, match="the same recording twice"):
        check_recordings([tmp_path / "walk.trc", tmp_path / "." / "walk.trc"])


@pytest.mark.skipif(os.name != "posix", reason="interrupts a group of processes")
def test_an_interrupt_leaves_whole_folders_and_nothing_else(recordings: Path, tmp_path: Path) -> None:
    names = [f"take{k}" for k in range(60)]
    for name in names:
        shutil.copyfile(recordings / "run.mot", tmp_path / f"{name}.mot")
    out = tmp_path / "out"
    command = "from odah.cli import main; main()"
    arguments = ["kinematics", *(f"{name}.mot" for name in names), "--osim", recordings / "model.osim"]
    running = subprocess.Popen(
        [sys.executable, "-c", command, *map(str, arguments), "--out", str(out), "--jobs", "2"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not (out / names[1]).exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does
    told = running.communicate(timeout=180)[1]
    assert running.returncode == 130, told
    assert "Traceback" not in told
    solved = sorted(out.iterdir())
    assert 0 < len(solved) < len(names)
    assert "of 60 recordings; the folders in" in told
    whole = {"model.osim", "kinematics.mot", "markers.trc", "ranges.csv"}
    assert all(whole <= {path.name for path in folder.iterdir()} for folder in solved)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
