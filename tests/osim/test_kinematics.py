"""From markers to kinematics: known motion recovered, real recordings, input that cannot be used, files."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from odah.errors import InputError
from odah.motion.trc import read_trc
from odah.motion.types import R_WORLD_GROUND, MarkerTrajectories, Source
from odah.osim import measure
from odah.osim.fit_scale import fit_scale
from odah.osim.fk import ForwardKinematics
from odah.osim.full_body import full_body_model
from odah.osim.kinematics import Kinematics, load_opensim_motion, solve_kinematics
from odah.osim.markersets import choose_marker_set, known_marker_sets, read_marker_set
from odah.osim.model import Model
from odah.osim.parse import read_model
from odah.osim.report import marker_rms, write_kinematics
from odah.osim.scale import scale_model

DATA = Path(__file__).parents[2].parent / "shared" / "data"
RAJAGOPAL = DATA / "opensim_models/Pipelines/Rajagopal"
GENERIC = DATA / "opensim_models/Models/Rajagopal/Rajagopal2016.osim"
NEEDS_DATA = pytest.mark.skipif(not DATA.exists(), reason="the shared recordings are not beside the project")
MODEL = full_body_model()


def _coordinates(num_frames: int, seed: int = 0) -> np.ndarray:
    """Smooth full-body movement well inside the joints' ranges, walking away and turning round."""
    random = np.random.default_rng(seed)
    low, high = MODEL.coordinate_ranges.T
    phase = np.linspace(0, 2 * np.pi, num_frames)[:, None] * random.uniform(0.5, 1, 39)
    values = (low + high) / 2 + 0.25 * (high - low) * np.sin(phase + random.uniform(0, 6, 39))
    values[:, :6] = np.column_stack([np.linspace(a, b, num_frames) for a, b in _ROOT_PATH])
    told = ["mtp_angle", "wrist_flex", "wrist_dev"]  # which no marker of the model's own tells
    still = [k for k, name in enumerate(MODEL.coordinate_names) if name[:-2] in told]
    values[:, still] = MODEL.default_coordinates[still]
    return ForwardKinematics(MODEL).couple(torch.from_numpy(values)).numpy()


_ROOT_PATH = [(0.1, -0.1), (0.05, -0.05), (2.5, 3.9), (5.0, 7.0), (0.95, 0.9), (-1.0, 0.0)]


def _markers(model: Model, coordinates: np.ndarray, rate: float = 50.0) -> MarkerTrajectories:
    positions = ForwardKinematics(model)(torch.from_numpy(coordinates)).markers.numpy()
    return MarkerTrajectories(model.marker_names, positions, rate, "ground", Source("made.trc", "trc"), 0.5)


@pytest.fixture(scope="module")
def recovered() -> tuple[Kinematics, np.ndarray, np.ndarray]:
    """A scaled model's motion, solved from its own markers in world axes."""
    size = np.array([[1.1, 1.1, 1.1]] * len(MODEL.bodies))
    coordinates = _coordinates(10)
    ground = _markers(scale_model(MODEL, size), coordinates)
    world = replace(ground, positions=ground.positions @ R_WORLD_GROUND.T, frame="world")
    return solve_kinematics(world, mass=81.0), coordinates, size


def test_known_motion_and_size_are_recovered(recovered: tuple[Kinematics, np.ndarray, np.ndarray]):
    kinematics, coordinates, size = recovered
    assert kinematics.marker_errors is not None
    assert kinematics.marker_errors.max() < 2e-3
    np.testing.assert_allclose(kinematics.scale_factors, size, atol=0.02)
    error_deg = np.rad2deg(np.abs(kinematics.coordinates - coordinates))
    error_deg[:, 3:6] = 0
    assert error_deg.max() < 3.0
    np.testing.assert_allclose(kinematics.coordinates[:, 3:6], coordinates[:, 3:6], atol=5e-3)
    assert (kinematics.start_time, kinematics.rate) == (0.5, 50.0)
    assert kinematics.model.mass == pytest.approx(81.0)


def test_files_are_those_opensim_opens(recovered: tuple[Kinematics, np.ndarray, np.ndarray], tmp_path: Path):
    kinematics = recovered[0]
    files = write_kinematics(kinematics, tmp_path / "out")
    again = load_opensim_motion(files["kinematics.mot"], files["model.osim"])
    np.testing.assert_allclose(again.coordinates, kinematics.coordinates, atol=1e-8)
    assert again.model.marker_names == kinematics.model.marker_names
    markers = read_trc(files["markers.trc"])
    expected = _markers(kinematics.model, kinematics.coordinates).positions
    np.testing.assert_allclose(markers.positions, expected, atol=1e-8)
    with files["errors.csv"].open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["rms_mm"]) for row in rows] == pytest.approx(
        1e3 * np.asarray(kinematics.marker_errors), abs=1e-3
    )
    worst = kinematics.tracked_markers[int(np.nanargmax(np.asarray(kinematics.marker_distances)[3]))]
    assert rows[3]["worst_marker"] == worst
    opensim = pytest.importorskip("opensim")
    opensim.Logger.setLevelString("Off")
    opensim.Model(str(files["model.osim"])).initSystem()
    assert opensim.Storage(str(files["kinematics.mot"])).getSize() == kinematics.num_frames


def test_movable_markers_learn_their_place_and_bony_ones_stay():
    marker_set = choose_marker_set(MODEL.marker_names, MODEL)
    shift = np.array([0.02, -0.03, 0.01])
    worn = tuple(
        replace(m, offset=m.offset + shift * marker_set.rules[m.name].movable)
        if m.name in marker_set.rules
        else m
        for m in MODEL.markers
    )
    fit = fit_scale(MODEL, marker_set, _markers(MODEL.with_markers(worn), _coordinates(6)))
    own = {marker.name: marker.offset for marker in MODEL.markers}
    for marker in fit.markers:
        movable = marker_set.rules[marker.name].movable
        np.testing.assert_allclose(marker.offset, own[marker.name] + shift * movable, atol=6e-3)
        np.testing.assert_array_equal(marker.offset[~movable], own[marker.name][~movable])


@pytest.mark.parametrize("marker_set", known_marker_sets(), ids=lambda each: each.name)
def test_known_sets_are_symmetric_and_measurable(marker_set):
    places = marker_set.places(MODEL)
    for name, place in places.items():
        mirror = places.get("L" + name[1:]) if name.startswith("R") and place.body[-2:] == "_r" else None
        if mirror is not None:
            assert mirror.body == place.body[:-1] + "l"
            np.testing.assert_allclose(mirror.offset, place.offset * [1, 1, -1], atol=1e-3)
    scaled = {body for measurement in marker_set.measurements for body in measurement.scales}
    assert scaled == set(MODEL.body_names)
    assert all(weight > 0 for weight in marker_set.weights.values())


def test_varied_frames_differ_and_ignore_turns():
    positions = _markers(MODEL, _coordinates(40)).positions
    frames = measure.varied_frames(positions, 10)
    assert len(set(frames.tolist())) == 10
    held = measure.hold_root(positions, [0, 1, 2])
    np.testing.assert_allclose(held[:, :3], np.broadcast_to(positions[0, :3], held[:, :3].shape), atol=1e-2)
    np.testing.assert_array_equal(measure.varied_frames(held, 10), frames)


def test_extreme_factors_are_said():
    notes = measure.extreme_factors({"pelvis": np.array([1.0, 0.5, 1.0]), "torso": np.array([1.0, 1.2, 1.7])})
    assert len(notes) == 2
    assert "0.50 of pelvis along Y" in notes[0]


def test_unusable_markers_are_refused_with_the_reason():
    markers = _markers(MODEL, _coordinates(3))
    with pytest.raises(InputError, match=r"1e\+03 times the model's size"):
        solve_kinematics(replace(markers, positions=markers.positions * 1000))
    with pytest.raises(InputError, match="of which the model 'full_body' knows 0"):
        solve_kinematics(replace(markers, names=tuple(f"m{k}" for k in range(len(markers.names)))))
    with pytest.raises(InputError, match="found 5 markers with positions, expected at least 8"):
        solve_kinematics(replace(markers, names=markers.names[:5], positions=markers.positions[:, :5]))


def test_a_marker_set_with_an_unknown_marker_is_refused(tmp_path: Path):
    path = tmp_path / "set.yaml"
    path.write_text(
        "central: {C7: {weight: 1}}\nmirrored: {}\n"
        "measurements: [{name: neck, pairs: [[C7, HEAD]], scales: {torso: Y}}]\n"
    )
    with pytest.raises(InputError, match="neck: found the marker 'HEAD'"):
        read_marker_set(path)


@NEEDS_DATA
def test_real_walk_by_its_own_setups():
    pytest.importorskip("opensim")
    markers = read_trc(RAJAGOPAL / "ExpData/motion_capture_walk.trc")
    markers = replace(markers, positions=markers.positions[:120:12], rate=markers.rate / 12)
    kinematics = solve_kinematics(
        markers,
        GENERIC,
        scale_setup=RAJAGOPAL / "Scale/scale_setup_walk.xml",
        ik_setup=RAJAGOPAL / "IK/ik_setup_walk.xml",
    )
    assert kinematics.marker_errors is not None
    assert np.sqrt(np.mean(kinematics.marker_errors**2)) < 0.0215
    assert kinematics.model_xml is not None
    assert "Millard2012EquilibriumMuscle" in kinematics.model_xml
    knee = kinematics.coordinates[:, kinematics.model.coordinate_names.index("knee_angle_r")]
    assert knee.min() >= 0
    assert knee.max() > np.deg2rad(40)


@NEEDS_DATA
def test_reference_motion_loads():
    reference = DATA / "opensim_models/reference_ik_opensim_4.6"
    kinematics = load_opensim_motion(reference / "ik_output_walk.mot", reference / "subject_scaled_walk.osim")
    assert (kinematics.num_frames, kinematics.rate) == (238, pytest.approx(100.0))
    assert kinematics.model.coordinate_names == read_model(GENERIC).coordinate_names
    assert marker_rms(kinematics) == {}


@NEEDS_DATA
def test_real_vicon_markers_run_with_bending_knees():
    ezc3d = pytest.importorskip("ezc3d")
    c3d = ezc3d.c3d(str(DATA / "hdm05/HDM_dg_06-03_03_120.c3d"))
    names = [label.split(":")[-1] for label in c3d["parameters"]["POINT"]["LABELS"]["value"]]
    positions = c3d["data"]["points"][:3].transpose(2, 1, 0)[::29] / 1000
    markers = MarkerTrajectories(tuple(names), positions, 120 / 29, "world", Source("HDM.c3d", "c3d"))
    kinematics = solve_kinematics(markers)
    assert not any(name.startswith("*") or name.endswith("HD") for name in kinematics.tracked_markers)
    assert np.mean(np.asarray(kinematics.marker_errors)) < 0.025
    degrees = np.rad2deg(kinematics.coordinates)
    named = dict(zip(kinematics.model.coordinate_names, degrees.T, strict=True))
    assert named["knee_angle_r"].max() > 70
    assert named["elbow_flex_r"].min() > 60
    assert np.abs(named["pelvis_tilt"]).max() < 25
    assert np.ptp(named["pelvis_rotation"]) < 30
