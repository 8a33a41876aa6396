"""One recording through the command: what it tells, and input that cannot be used or only in part."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from odah.motion.trc import read_trc, write_trc
from odah.motion.types import MarkerTrajectories
from odah.osim.parse import read_model
from odah.osim.storage import read_coordinates


def changed_trc(recordings: Path, change: Callable[[MarkerTrajectories], MarkerTrajectories]) -> Path:
    write_trc(recordings / "changed.trc", change(read_trc(recordings / "walk.trc")))
    return recordings / "changed.trc"


def shuffled(path: Path, first: int) -> Path:
    """The file with two neighbouring lines swapped."""
    lines = path.read_text().splitlines()
    lines[first : first + 2] = lines[first + 1], lines[first]
    target = path.with_stem("shuffled")
    target.write_text("\n".join(lines) + "\n")
    return target


def scale_setup(recordings: Path, factors: str) -> Path:
    path = recordings / "scale.xml"
    path.write_text(
        '<OpenSimDocument Version="40000"><ScaleTool name="s"><mass>-1</mass>'
        "<GenericModelMaker><model_file>model.osim</model_file></GenericModelMaker>"
        "<ModelScaler><apply>true</apply><scaling_order>manualScale</scaling_order><ScaleSet><objects><Scale>"
        f"<scales>{factors}</scales><segment>femur_r</segment><apply>true</apply></Scale></objects></ScaleSet>"
        "</ModelScaler><MarkerPlacer><apply>false</apply></MarkerPlacer></ScaleTool></OpenSimDocument>"
    )
    return path


def ik_setup(recordings: Path, names: tuple[str, ...]) -> Path:
    tasks = "".join(f'<IKMarkerTask name="{name}"><weight>1</weight></IKMarkerTask>' for name in names)
    path = recordings / "ik.xml"
    path.write_text(
        '<OpenSimDocument Version="40000"><InverseKinematicsTool name="ik"><IKTaskSet><objects>'
        f"{tasks}</objects></IKTaskSet></InverseKinematicsTool></OpenSimDocument>"
    )
    return path


def test_the_result_of_one_recording_is_one_flat_object(kinematics, tmp_path: Path) -> None:
    code, printed, told = kinematics("walk.trc", "--out", tmp_path / "new" / "out", "--json", "--no-plot")
    assert (code, told) == (0, "")
    result = json.loads(printed)
    assert (result["frames"], result["rate"], result["frames_flagged"]) == (5, pytest.approx(50), 0)
    assert 1 < result["marker_rms_mm"] < 12
    assert all(Path(path) == tmp_path / "new" / "out" / name for name, path in result["files"].items())
    assert all(Path(path).is_file() for path in result["files"].values())
    assert "kinematics.png" not in result["files"]


def test_markers_that_a_frame_or_the_trial_lacks_are_told(
    kinematics, recordings: Path, tmp_path: Path
) -> None:
    names = read_trc(recordings / "walk.trc").names
    forearm = [k for k, name in enumerate(names) if name.startswith("RFA")]
    hidden = names.index("LASH")

    def hide(markers: MarkerTrajectories) -> MarkerTrajectories:
        positions = markers.positions.copy()
        positions[:, hidden] = np.nan
        positions[2, forearm] = np.nan
        return replace(markers, positions=positions)

    setup = ik_setup(recordings, (*names, "GHOST"))
    code, _, told = kinematics(
        changed_trc(recordings, hide), "--ik-setup", setup, "--out", tmp_path, "--no-plot"
    )
    assert code == 0
    assert "markers without any position, left out: LASH" in told
    assert "GHOST" in told
    assert "1 of 5 frames are flagged in errors.csv" in told
    with (tmp_path / "errors.csv").open(newline="") as file:
        flags = [row["flag"] for row in csv.DictReader(file)]
    assert "pro_sup_r" in flags[2]
    assert flags[:2] + flags[3:] == [""] * 4
    assert "nan" not in (tmp_path / "kinematics.mot").read_text().lower()


def test_fewer_markers_than_degrees_of_freedom_still_give_numbers(
    kinematics, recordings: Path, tmp_path: Path
) -> None:
    few = changed_trc(recordings, lambda m: replace(m, names=m.names[:9], positions=m.positions[:, :9]))
    code, _, told = kinematics(few, "--out", tmp_path, "--no-plot")
    assert code == 0
    assert "scale factors that the markers do not tell, so in proportion: " in told
    assert "tibia_r/l XYZ" in told
    for name in ("kinematics.mot", "markers.trc", "model.osim"):
        assert "nan" not in (tmp_path / name).read_text().lower()


@pytest.mark.parametrize("with_setup", [False, True])
def test_markers_of_other_names_are_refused(
    kinematics, recordings: Path, tmp_path: Path, with_setup: bool
) -> None:
    strange = changed_trc(recordings, lambda m: replace(m, names=tuple(f"q{k}" for k in range(len(m.names)))))
    extra = ("--scale-setup", scale_setup(recordings, "1 1 1")) if with_setup else ()
    code, _, told = kinematics(strange, *extra, "--out", tmp_path / "out")
    assert code == 2
    assert "changed.trc" in told
    assert "of which" in told
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("factor", [1000.0, 0.1])
def test_lengths_in_another_unit_than_stated_are_refused(
    kinematics, recordings: Path, tmp_path: Path, factor: float
) -> None:
    strange = changed_trc(recordings, lambda m: replace(m, positions=factor * m.positions))
    code, _, told = kinematics(
        strange, "--scale-setup", scale_setup(recordings, "1 1 1"), "--out", tmp_path / "out"
    )
    assert code == 2
    assert "changed.trc: found a person" in told
    assert "are lengths in the unit stated?" in told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("factors", ["0 1 1", "-1 1 1"])
def test_a_scale_factor_that_is_not_positive_is_refused(
    kinematics, recordings: Path, tmp_path: Path, factors: str
) -> None:
    setup = scale_setup(recordings, factors)
    code, _, told = kinematics("walk.trc", "--scale-setup", setup, "--out", tmp_path / "out")
    assert code in (1, 2)
    assert "femur_r" in told
    assert len(told.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_frames_out_of_order_are_refused(kinematics, recordings: Path, tmp_path: Path) -> None:
    code, _, told = kinematics(shuffled(recordings / "walk.trc", 8), "--out", tmp_path / "out")
    assert code == 2
    assert "shuffled.trc, frame 4, Time: found 0.04 s, expected a later time" in told
    motion = shuffled(recordings / "run.mot", 12)
    code, _, told = kinematics(motion, "--osim", "model.osim", "--out", tmp_path / "out")
    assert code == 2
    assert "shuffled.mot, time: found values that do not increase" in told
    assert not (tmp_path / "out").exists()


def test_a_coordinate_that_is_no_number_is_named_with_its_frame(
    kinematics, recordings: Path, tmp_path: Path
) -> None:
    lines = (recordings / "run.mot").read_text().splitlines()
    fields = lines[-2].split("\t")
    fields[3] = "nan"
    lines[-2] = "\t".join(fields)
    (recordings / "gap.mot").write_text("\n".join(lines) + "\n")
    code, _, told = kinematics("gap.mot", "--osim", "model.osim", "--out", tmp_path / "out")
    assert code == 2
    assert told == "odah: gap.mot, pelvis_rotation, frame 4: found nan, expected a finite number\n"
    assert not (tmp_path / "out").exists()


def test_a_loop_constraint_is_said_to_be_ignored(kinematics, recordings: Path, tmp_path: Path) -> None:
    weld = '<WeldConstraint name="hand to hip"><isEnforced>true</isEnforced></WeldConstraint>'
    text = (recordings / "model.osim").read_text()
    end = text.index("</objects>", text.index("<ConstraintSet"))
    (recordings / "loop.osim").write_text(text[:end] + weld + text[end:])
    code, _, told = kinematics("run.mot", "--osim", "loop.osim", "--out", tmp_path, "--no-plot")
    assert code == 0
    assert "ignored: WeldConstraint 'hand to hip'" in told.splitlines()


@pytest.mark.parametrize(("argument", "words"), [(".", "found a folder"), ("none*.trc", "did not expand")])
def test_a_folder_or_a_pattern_is_said(
    kinematics, recordings: Path, tmp_path: Path, argument: str, words: str
) -> None:
    code, _, told = kinematics(argument, "walk.trc", "--out", tmp_path / "out")
    assert code == 2
    assert words in told
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("walk.trc", "--cutoff", 25),
            "walk.trc, cutoff: found 25 Hz, expected more than 0 and less than 25 Hz",
        ),
        (("walk.trc", "--cutoff", -3), "--cutoff: found -3 Hz, expected a positive number"),
        (("walk.trc", "--cutoff", 6, "--solver", "opensim"), "for OpenSim's tool does not smooth"),
        (("run.mot", "--osim", "model.osim", "--cutoff", 6), "--cutoff with run.mot: found 6"),
        (("run.mot", "--osim", "model.osim", "--mass", 60), "--mass with run.mot: found 60"),
        (("walk.trc", "--mass", 0), "--mass: found 0 kg, expected a positive number"),
        (("walk.trc", "--mass", 70000), "--mass: found 70000 kg, expected a person's, 2 to 650 kg"),
        (("walk.trc", "--osim", "model.osim"), "--osim: found model.osim, but no .mot or .sto"),
        (("run.mot", "--osim", "model.osim", "--solver", "opensim"), "opensim, but no marker file"),
    ],
)
def test_an_option_that_is_not_for_this_is_refused(
    kinematics, tmp_path: Path, arguments: tuple[object, ...], words: str
) -> None:
    code, _, told = kinematics(*arguments, "--out", tmp_path / "out")
    assert code == 2
    assert words in told
    assert len(told.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_cutoff_smooths_and_a_mass_is_the_models(kinematics, tmp_path: Path) -> None:
    smooth, rough = tmp_path / "smooth", tmp_path / "rough"
    code, _, told = kinematics("walk.trc", "--cutoff", 4, "--mass", 61.5, "--out", smooth, "--no-plot")
    assert code == 0
    assert "mass not known" not in told
    assert kinematics("walk.trc", "--out", rough, "--no-plot")[0] == 0
    assert read_model(smooth / "model.osim").mass == pytest.approx(61.5)
    model = read_model(rough / "model.osim")
    wiggles = [
        np.abs(np.diff(read_coordinates(folder / "kinematics.mot", model).values, n=2, axis=0)).mean()
        for folder in (smooth, rough)
    ]
    assert wiggles[0] < 0.7 * wiggles[1]
