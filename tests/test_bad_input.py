"""Mistakes as a user makes them, through the command line: one sentence, nothing left behind."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from odah.assets import asset_path
from odah.body import BodyAnimation, load_body, write_animation
from odah.body.animation import body_topology
from odah.body.registration.record import OPEN_BODY_REGISTRATION
from odah.cli import main
from odah.motion.trc import read_trc, write_trc
from odah.motion.types import CoordinateTrajectory, MarkerTrajectories, Source
from odah.osim import Model, full_body_model, write_model
from odah.osim.kinematics import model_markers
from odah.osim.storage import write_mot

BUILTIN = """name: x
motion: {actions: [walking]}
subjects: {count: 1}
clip: {duration: 0.1, rate: 30}
"""
NAMES = [f"q{k}" for k in range(10)]


def trc_text(rate: float = 60, promised: int = 4, value: str = "100", names: list[str] = NAMES) -> str:
    """A small TRC file of four frames."""
    rows = [f"{t + 1}\t{t / 60:.6f}" + f"\t{value}" * (3 * len(names)) for t in range(4)]
    axes = "\t".join(f"X{k}\tY{k}\tZ{k}" for k in range(1, len(names) + 1))
    return "\n".join(
        [
            "PathFileType\t4\t(X/Y/Z)\tx.trc",
            "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
            f"{rate}\t{rate}\t{promised}\t{len(names)}\tmm\t{rate}\t1\t{promised}",
            "Frame#\tTime\t" + "\t\t\t".join(names) + "\t\t",
            "\t\t" + axes,
            "",
            *rows,
        ]
    )


@pytest.mark.parametrize("suffix", ["npz", "amc", "bvh", "c3d", "trc"])
@pytest.mark.parametrize("content", [b"", b"hello world\n" * 100, bytes(range(256)) * 8])
def test_a_file_of_another_kind_is_named(fails, tmp_path: Path, suffix: str, content: bytes) -> None:
    recording = tmp_path / f"walk.{suffix}"
    recording.write_bytes(content)
    sentence = fails("kinematics", recording, "--out", "out")
    assert f"walk.{suffix}" in sentence
    assert ": found " in sentence
    assert ", expected " in sentence


def test_pickles_are_never_opened(fails, tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", poses=np.array([{"a": 1}], dtype=object))
    assert "pickled" in fails("kinematics", "p.npz", "--out", "out")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (trc_text(rate=0), "DataRate 0"),
        (trc_text(promised=99), "expected the 99 frames"),
        (trc_text(value="NaN"), "0 markers with positions"),
        (trc_text(), "knows 0, expected at least three markers such as"),
    ],
)
def test_a_marker_file_that_cannot_be_solved(fails, tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "x.trc").write_text(text)
    sentence = fails("kinematics", "x.trc", "--out", "out")
    assert "x.trc" in sentence
    assert words in sentence


def test_an_output_that_is_a_file_is_refused_before_work(fails, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    (tmp_path / "c.yaml").write_text(BUILTIN)
    assert "taken: found a file, expected a folder" in fails("kinematics", "none.trc", "--out", "taken")
    assert "above it" in fails("generate", "c.yaml", "--out", "taken/deeper")
    assert (tmp_path / "taken").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_output_that_may_not_be_written(fails, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    assert "may not be written" in fails("kinematics", "none.trc", "--out", "locked/out")


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ("foo: 1", "foo: found an unknown key, expected one of name, motion"),
        ("video: {widht: 64}", "video.widht: found an unknown key"),
        ("body: none.npz", "none.npz: found no such file"),
        ("body: c.yaml", "c.yaml"),
        ("video: {width: [1,", "expected valid YAML"),
    ],
)
def test_a_config_that_cannot_be_used(fails, tmp_path: Path, extra: str, words: str) -> None:
    (tmp_path / "c.yaml").write_text(f"{BUILTIN}{extra}\n")
    assert words in fails("generate", "c.yaml", "--out", "out")


def test_a_folder_is_no_config(fails, tmp_path: Path) -> None:
    assert "found not a file, expected a YAML config" in fails("generate", tmp_path, "--out", "out")


@pytest.mark.parametrize("named", ["/nonsense", "/bin/ls"])
def test_no_blender_is_said_before_anything_is_written(
    fails, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    (tmp_path / "c.yaml").write_text(BUILTIN)
    monkeypatch.setenv("ODAH_BLENDER", named)
    assert f"ODAH_BLENDER: found '{named}'" in fails("generate", "c.yaml", "--out", "out")


@pytest.mark.parametrize("command", ["validate", "report"])
@pytest.mark.parametrize("text", [None, '{"schema', "[]", '{"schema_version": 1}'])
def test_what_is_no_dataset_is_said(fails, tmp_path: Path, command: str, text: str | None) -> None:
    (tmp_path / "d").mkdir()
    if text is not None:
        (tmp_path / "d" / "dataset.json").write_text(text)
    assert fails(command, "d").startswith("odah: d")


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("{path: no.bvh}", "no.bvh: found no such file"),
        (
            "{path: x.trc, unit: -1}",
            "motion.recordings.0.unit: found -1, expected a value that is greater than 0",
        ),
        ("{path: x.trc, speed: 2}", "speed: found an unknown key"),
    ],
)
def test_a_recording_that_cannot_be_used(fails, tmp_path: Path, entry: str, words: str) -> None:
    (tmp_path / "c.yaml").write_text(f"name: x\nmotion: {{recordings: [{entry}]}}\n")
    assert words in fails("generate", "c.yaml", "--out", "out").replace("motion.recordings.0.speed", "speed")


def test_failing_clips_are_each_told_once_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, blender: None
) -> None:
    folder = tmp_path / "takes [draft]"  # brackets are no markup
    folder.mkdir()
    for name in ("one.trc", "two.trc"):
        (folder / name).write_text(trc_text(promised=99))
    recordings = f"[{{path: '{folder}/one.trc'}}, {{path: '{folder}/two.trc'}}]"
    (tmp_path / "c.yaml").write_text(f"name: x\nmotion: {{recordings: {recordings}}}\n")
    monkeypatch.setattr(
        sys, "argv", ["odah", "generate", str(tmp_path / "c.yaml"), "--out", str(tmp_path / "o")]
    )
    with pytest.raises(SystemExit) as left:
        main()
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("rendering with")]
    assert left.value.code == 1
    assert [line.split(":")[0] for line in lines[:2]] == ["one_trc failed", "two_trc failed"]
    assert all("takes [draft]" in line and "expected the 99 frames" in line for line in lines[:2])
    assert len(lines) == 3
    assert not (tmp_path / "o").exists()


@pytest.fixture
def markers(tmp_path: Path) -> None:
    """walk.trc: three frames of the built-in model's markers, standing."""
    model = full_body_model()
    places = model_markers(model, np.tile(model.default_coordinates, (3, 1)))
    source = Source("made", "trc")
    write_trc(tmp_path / "walk.trc", MarkerTrajectories(model.marker_names, places, 50.0, "ground", source))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--gender", "man"), "--gender: found 'man', expected one of neutral, female, male"),
        (("--height", 183), "--height: found 183 m, expected an adult's, 1.4 to 2.1 m"),
        (("--mass", 75000), "--mass: found 75000 kg"),
        (("--height", 1.5, "--mass", 200), "mass of a person 1.50 m tall: found 200"),
        (("--rate", -1), "--rate: found -1 Hz, expected a positive number"),
        (("--osim", "walk.trc"), "--osim with walk.trc"),
        (
            ("--body", "SMPLX_MALE.npz"),
            "--registration: found nothing, expected the file that `odah regressor",
        ),
        (("--shape", "none.npz"), "none.npz: found no such file"),
        (
            ("--shape", "none.npz", "--height", 1.7),
            "--shape with --height: found ",
        ),
        (("--shape", "walk.trc"), "walk.trc: found no readable npz archive"),
        (("--registration", "walk.trc"), "walk.trc: found no readable npz archive"),
    ],
)
def test_options_of_animate_that_cannot_be_used(fails, markers, options: tuple, words: str) -> None:
    assert words in fails("animate", "walk.trc", *options, "--out", "a.npz")


@pytest.mark.parametrize(
    ("recording", "words"),
    [
        (".", "found no model.osim, expected a folder that `odah kinematics` wrote"),
        ("none.c3d", "none.c3d: found no such file"),
        ("none.mot", "none.mot: found no such file"),
    ],
)
def test_what_animate_cannot_read_is_named(fails, recording: str, words: str) -> None:
    assert words in fails("animate", recording, "--out", "a.npz")


def test_animate_writes_over_no_input(fails, markers, tmp_path: Path) -> None:
    np.savez(tmp_path / "m.npz", poses=np.zeros((2, 165)))
    assert "m.npz: found a file that --out m.npz would write over" in fails(
        "animate", "m.npz", "--out", "m.npz"
    )
    assert "--out a.txt: found file type '.txt'" in fails("animate", "walk.trc", "--out", "a.txt")


def test_a_licensed_body_with_other_keys_is_named(fails, markers, tmp_path: Path) -> None:
    np.savez(tmp_path / "SMPLX_MALE.npz", v_template=np.zeros((10, 3)), joints=np.zeros(3))
    registration = ("--registration", asset_path(OPEN_BODY_REGISTRATION))
    sentence = fails("animate", "walk.trc", "--body", "SMPLX_MALE.npz", *registration, "--out", "a.npz")
    assert "SMPLX_MALE.npz: found no array '" in sentence
    assert "', expected an SMPL-X model" in sentence


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"betas": np.zeros(10)}, "betas: found 10 numbers, expected the 16 of open"),
        ({"body": np.array("SMPLX_MALE")}, "body: found 'SMPLX_MALE', expected 'open'"),
        ({"betas": np.array([{}], dtype=object)}, "betas: found pickled Python objects"),
    ],
)
def test_a_shape_of_another_body_is_refused(
    fails, markers, tmp_path: Path, changes: dict, words: str
) -> None:
    body = load_body()
    animation = BodyAnimation(
        np.zeros(25), np.zeros((2, 55, 3)), np.zeros((2, 3)), 50.0, "male", "open", body_topology(body)
    )
    write_animation(tmp_path / "s.npz", animation)
    with np.load(tmp_path / "s.npz") as archive:
        entries = {**archive, **changes}
    np.savez(tmp_path / "s.npz", **entries)
    assert f"s.npz: {words}" in fails("animate", "walk.trc", "--shape", "s.npz", "--out", "a.npz")


def test_markers_that_match_no_layout_or_hardly_show(fails, markers, tmp_path: Path) -> None:
    walk = read_trc(tmp_path / "walk.trc")
    (tmp_path / "x.trc").write_text(trc_text())
    assert "knows 0, expected at least three markers such as" in fails("animate", "x.trc", "--out", "a.npz")
    rare = np.random.default_rng(0).random(walk.positions.shape[:2]) < 0.7
    rare[[0, -1]] = False
    positions = np.concatenate([walk.positions] * 4)
    positions[np.concatenate([rare, rare | True, rare | True, rare])] = np.nan
    write_trc(tmp_path / "gaps.trc", replace(walk, positions=positions))
    sentence = fails("animate", "gaps.trc", "--out", "a.npz")
    assert "gaps.trc, marker positions: found 6" in sentence
    assert "% of them missing, expected at least 50% present" in sentence


def test_lengths_in_millimetres(fails, markers, tmp_path: Path) -> None:
    walk, model = read_trc(tmp_path / "walk.trc"), full_body_model()
    write_trc(tmp_path / "mm.trc", replace(walk, positions=1000 * walk.positions))
    assert "are lengths in the unit stated?" in fails("animate", "mm.trc", "--out", "a.npz")
    values = np.tile(model.default_coordinates, (3, 1))
    values[:, model.coordinate_names.index("pelvis_ty")] = 950.0
    write_model(model, tmp_path / "model.osim")
    write_mot(tmp_path / "mm.mot", motion_of(model, values), model)
    told = fails("animate", "mm.mot", "--osim", "model.osim", "--out", "a.npz")
    assert "mm.mot, pelvis_ty: found 950 m, expected at most 100 m (are lengths in metres?)" in told


def motion_of(model: Model, values: np.ndarray) -> CoordinateTrajectory:
    return CoordinateTrajectory(model.coordinate_names, values, 50.0, Source("made", "mot"))
