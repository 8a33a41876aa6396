"""`odah animate`: recordings of every kind to an animation with its residuals, whole or not at all."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from odah.body import BodyFitter, load_animation, load_body, load_registration
from odah.body.fitting.targets import skeleton_targets
from odah.motion import Motion, Source, write_amass
from odah.motion.amass import read_amass
from odah.motion.c3d import read_c3d
from odah.motion.trc import read_trc, write_trc
from odah.motion.types import MarkerTrajectories
from odah.osim.kinematics import load_opensim_motion
from odah.osim.report import write_kinematics

RUN = ("run.mot", "--osim", "model.osim")
C3D = Path("hdm05") / "HDM_dg_06-03_03_120.c3d"


@pytest.fixture
def run_files(animate, recordings: Path) -> Path:
    """What the command makes of run.mot, beside the recordings, made when first asked for: x.npz and more."""
    folder = recordings / "animated"
    if not folder.exists():
        folder.mkdir()
        assert animate(*RUN, "--out", folder / "x.npz")[0] == 0
    return folder


def test_markers_are_followed_and_the_files_say_how_well(animate, tmp_path: Path) -> None:
    out = tmp_path / "new" / "walk.npz"
    code, printed, told = animate("walk.trc", "--gender", "female", "--height", 1.68, "--out", out, "--json")
    assert (code, told) == (0, "")
    result = json.loads(printed)
    assert sorted(path.name for path in out.parent.iterdir()) == [
        "walk.npz", "walk.png", "walk_residuals.csv", "walk_residuals.json",
    ]  # fmt: skip
    record = json.loads((out.parent / "walk_residuals.json").read_text())
    rows = list(csv.DictReader((out.parent / "walk_residuals.csv").open()))
    assert [len(rows), result["frames"], record["frames"]] == [5, 5, 5]
    assert result["residuals"]["markers_mean_mm"] < 12
    mean = np.mean([float(row["joints_mean_mm"]) for row in rows])
    assert mean == pytest.approx(record["residuals_mm"]["joints_mean_mm"], abs=1e-3)
    assert {"hip_l", "elbow_r"} <= set(record["joints_mm"])
    assert {"RASI", "LTOE"} <= set(record["markers_mm"])
    assert record["shape"]["height"] == pytest.approx(1.68, abs=0.02)
    assert record["provenance"]["recording"] == "walk.trc"
    found = load_animation(out)
    assert found.placement is not None
    assert {"RASI", "LTOE"} <= set(found.placement.names)
    assert (found.gender, found.rate) == ("female", pytest.approx(50))


def test_a_folder_of_odah_kinematics_is_an_opensim_motion_with_its_model(
    animate, recordings: Path, run_files: Path, tmp_path: Path
) -> None:
    write_kinematics(load_opensim_motion(recordings / "run.mot", recordings / "model.osim"), tmp_path / "run")
    assert animate(tmp_path / "run", "--out", tmp_path / "a.npz")[0] == 0
    one, other = load_animation(tmp_path / "a.npz"), load_animation(run_files / "x.npz")
    np.testing.assert_allclose(one.poses, other.poses, atol=1e-3)
    np.testing.assert_allclose(one.betas, other.betas, atol=1e-2)
    assert one.placement is None


def test_the_same_recording_gives_the_same_bytes(animate, run_files: Path, tmp_path: Path) -> None:
    assert animate(*RUN, "--out", tmp_path / "x.npz")[0] == 0
    one, other = (
        {path.name: path.read_bytes() for path in folder.iterdir()} for folder in (run_files, tmp_path)
    )
    assert one == other


def test_a_shape_is_kept_for_a_second_clip(animate, tmp_path: Path) -> None:
    first, second = tmp_path / "first.npz", tmp_path / "second.npz"
    assert animate("walk.trc", "--gender", "female", "--out", first)[0] == 0
    for recording in (RUN, ("walk.trc",)):
        assert animate(*recording, "--shape", first, "--out", second)[0] == 0
        np.testing.assert_allclose(load_animation(second).betas, load_animation(first).betas, atol=1e-9)
        assert load_animation(second).gender == "female"


def test_a_body_motion_is_followed_by_the_body(animate, tmp_path: Path) -> None:
    poses = np.zeros((4, 55, 3))
    poses[:, 0, 0] = np.pi / 2
    poses[:, 18, 1] = np.linspace(-0.2, -0.9, 4)  # the left elbow bends
    poses[:, 25:] = 0.05
    transl = np.tile([0.0, 0.0, 1.2], (4, 1))
    write_amass(tmp_path / "m.npz", Motion(poses, transl, 60.0, Source("made", "test"), gender="male"))
    assert animate(tmp_path / "m.npz", "--out", tmp_path / "a.npz", "--height", 1.8, "--mass", 80)[0] == 0
    found = load_animation(tmp_path / "a.npz")
    record = json.loads((tmp_path / "a_residuals.json").read_text())
    assert found.gender == "male"
    assert record["shape"]["height"] == pytest.approx(1.8, abs=0.01)
    assert record["shape"]["mass"] == pytest.approx(80, rel=0.03)
    np.testing.assert_allclose(found.poses[:, 25:], poses[:, 25:], atol=1e-6)
    np.testing.assert_allclose(found.poses[:, 18, 1], poses[:, 18, 1], atol=0.12)
    np.testing.assert_allclose(found.poses[:, 19, 1], 0, atol=0.12)


def test_rate(animate, tmp_path: Path) -> None:
    assert animate("walk.trc", "--rate", 25, "--out", tmp_path / "a.npz")[0] == 0
    motion = read_amass(tmp_path / "a.npz")
    assert (motion.num_frames, motion.rate) == (3, 25)


def test_large_residuals_are_told_and_kept(animate, recordings: Path, tmp_path: Path) -> None:
    markers = read_trc(recordings / "walk.trc")
    torn = markers.positions.copy()
    torn[:, markers.names.index("C7")] += np.random.default_rng(0).normal(0, 0.3, (5, 3))
    torn[3:, ::3] = np.nan
    positions = MarkerTrajectories(markers.names, torn, markers.rate, "ground", markers.source)
    write_trc(tmp_path / "torn.trc", positions)
    code, _, told = animate(tmp_path / "torn.trc", "--out", tmp_path / "a.npz")
    assert code == 0
    flags = json.loads((tmp_path / "a_residuals.json").read_text())["flags"]
    assert all(flag in told for flag in flags)
    errors = json.loads((tmp_path / "a_residuals.json").read_text())["markers_mm"]
    assert errors["C7"]["max"] > 100 > errors["LTOE"]["max"]


@pytest.mark.shared
def test_exchanged_markers_of_a_real_recording_are_told(animate, shared_data: Path, tmp_path: Path) -> None:
    recorded = read_c3d(shared_data / C3D)
    other = {"RKNE": "LKNE", "LKNE": "RKNE"}
    names = tuple(other.get(name, name) for name in recorded.names)
    few = recorded.in_ground().positions[::20]
    cut = MarkerTrajectories(names, few, recorded.rate / 20, "ground", recorded.source)
    write_trc(tmp_path / "swapped.trc", cut)
    before = sorted(tmp_path.iterdir())
    code, out, told = animate(tmp_path / "swapped.trc", "--out", tmp_path / "a.npz")
    assert (code, out) == (2, "")
    assert "swapped.trc, marker names: found RKNE/LKNE exchanged" in told
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.shared
def test_a_real_recording_is_followed(animate, shared_data: Path, tmp_path: Path) -> None:
    recorded = read_c3d(shared_data / C3D)
    few = recorded.in_ground().positions[::10]
    cut = MarkerTrajectories(recorded.names, few, recorded.rate / 10, "ground", recorded.source)
    write_trc(tmp_path / "run.trc", cut)
    code, printed, _ = animate(
        tmp_path / "run.trc", "--gender", "male", "--out", tmp_path / "a.npz", "--json"
    )
    residuals = json.loads(printed)["residuals"]
    assert code == 0
    assert residuals["joints_mean_mm"] < 4
    assert residuals["markers_mean_mm"] < 8


def test_the_animation_poses_the_mesh(recordings: Path, run_files: Path) -> None:
    """The file alone gives the mesh again, whose joints are as far from the skeleton's as the report says."""
    found, fitter = load_animation(run_files / "x.npz"), BodyFitter(load_body(), load_registration())
    arrays = (torch.from_numpy(a) for a in (found.betas, found.poses, found.transl))
    vertices = fitter.body(*arrays).vertices.double().numpy()
    kinematics = load_opensim_motion(recordings / "run.mot", recordings / "model.osim")
    skeleton = skeleton_targets(fitter.registration, kinematics).points.numpy()
    rows = list(csv.DictReader((run_files / "x_residuals.csv").open()))
    for frame, row in enumerate(rows):
        joints = fitter.registration.regressor.weights @ vertices[frame]
        errors = 1e3 * np.linalg.norm(joints - skeleton[frame, : len(joints)], axis=1)
        assert float(row["joints_mean_mm"]) == pytest.approx(errors.mean(), abs=0.02)
