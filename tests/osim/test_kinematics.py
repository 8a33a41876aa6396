"""From markers to kinematics: known motion recovered, real recordings, input that cannot be used, files."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from odah.errors import InputError
from odah.motion.load import load_motion
from odah.motion.trc import read_trc
from odah.motion.types import R_WORLD_GROUND, MarkerTrajectories, Source
from odah.osim.fk import ForwardKinematics
from odah.osim.full_body import full_body_model, left
from odah.osim.kinematics import Kinematics, load_opensim_motion, solve_kinematics, solve_subject
from odah.osim.markersets import choose_marker_set, known_marker_sets, read_marker_set
from odah.osim.model import Model
from odah.osim.parse import read_model
from odah.osim.report import marker_rms, write_kinematics
from odah.osim.scale import scale_model
from odah.osim.scaling.plausible import extreme_factors

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


def test_soft_markers_learn_their_place_and_others_of_the_model_stay_on_it():
    marker_set = choose_marker_set(MODEL.marker_names, MODEL)
    shift = np.array([0.02, -0.03, 0.01])
    soft = [name for name, rule in marker_set.rules.items() if rule.movable.all()]
    worn = tuple(replace(m, offset=m.offset + shift * (m.name in soft)) for m in MODEL.markers)
    trial = _markers(MODEL.with_markers(worn), _coordinates(12))
    recorded = [k for k, name in enumerate(trial.names) if name != "RHJC"]
    trial = replace(
        trial, names=tuple(trial.names[k] for k in recorded), positions=trial.positions[:, recorded]
    )
    model = solve_kinematics(trial, MODEL).model
    found = {marker.name: marker.offset for marker in model.markers}
    assert found.keys() == set(MODEL.marker_names)
    for marker in MODEL.markers:
        moved = found[marker.name] - marker.offset
        np.testing.assert_allclose(moved, shift * (marker.name in soft), atol=8e-3, err_msg=marker.name)


def test_trials_of_one_person_share_a_model_that_all_of_them_tell():
    """Legs and trunk in one trial, all in the other, of a person whose arms are long."""
    size = np.ones((len(MODEL.bodies), 3))
    arms = [k for k, name in enumerate(MODEL.body_names) if name[:-2] in ("humerus", "ulna", "radius")]
    size[arms] = 1.12
    person = scale_model(MODEL, size)
    both = [_markers(person, _coordinates(8, seed)) for seed in (0, 1)]
    on = {marker.name: marker.body[:-2] for marker in MODEL.markers}
    legs = [k for k, name in enumerate(both[0].names) if on[name] not in ("humerus", "ulna", "radius")]
    first = replace(
        both[0], names=tuple(both[0].names[k] for k in legs), positions=both[0].positions[:, legs]
    )
    alone = solve_kinematics(first, MODEL)
    one, two = solve_subject([first, both[1]], MODEL, mass=60.0)
    assert one.model_xml == two.model_xml
    assert one.model.mass == pytest.approx(60.0)
    others = np.delete(np.arange(len(size)), arms)
    np.testing.assert_allclose(one.scale_factors[others].mean(), 1.0, atol=0.03)
    assert one.scale_factors[arms].min() > 1.04
    assert alone.scale_factors[arms].max() < 1.02
    assert one.source.path == first.source.path
    assert len(one.tracked_markers) == len(legs) < len(two.tracked_markers)
    assert any("fitted to all 2 trials" in note for note in one.notes)


def test_a_trial_that_is_not_the_persons_is_doubted():
    mine = _markers(MODEL, _coordinates(8))
    noise = np.random.default_rng(3).normal(0, 0.04, mine.positions.shape)
    known, other = solve_subject([mine, replace(mine, positions=mine.positions + noise)], MODEL)
    assert not any("same person" in note for note in known.notes)
    assert any("times the marker RMS of the person's best trial" in note for note in other.notes)


def test_a_cutoff_smooths_and_one_that_cannot_is_refused():
    markers = _markers(MODEL, _coordinates(30))
    noise = np.random.default_rng(3).normal(0, 5e-3, markers.positions.shape)
    noisy = replace(markers, positions=markers.positions + noise)
    rough, smooth = (solve_kinematics(noisy, cutoff=cutoff).coordinates for cutoff in (None, 5.0))
    wiggles = [np.abs(np.diff(values, n=2, axis=0)).mean() for values in (rough, smooth)]
    assert wiggles[1] < 0.3 * wiggles[0]
    with pytest.raises(InputError, match=r"made\.trc, cutoff: found 25 Hz, expected .* less than 25 Hz"):
        solve_kinematics(markers, cutoff=25.0)
    with pytest.raises(InputError, match="cutoff: found 6 Hz with the solver opensim, expected torch"):
        solve_kinematics(markers, cutoff=6.0, solver="opensim")


@pytest.mark.parametrize("marker_set", known_marker_sets(), ids=lambda each: each.name)
def test_known_sets_are_symmetric_and_name_every_body(marker_set):
    places = marker_set.places(MODEL)
    for name, place in places.items():
        mirror = places.get("L" + name[1:]) if name.startswith("R") and place.body[-2:] == "_r" else None
        if mirror is not None:
            assert mirror.body == place.body[:-1] + "l"
            np.testing.assert_allclose(mirror.offset, place.offset * [1, 1, -1], atol=1e-3)
    assert marker_set.segments.keys() == set(MODEL.body_names)
    for body, segment in marker_set.segments.items():
        assert marker_set.segments[left(body)] == segment
    assert all(weight > 0 for weight in marker_set.weights.values())


def test_extreme_factors_are_said():
    notes = extreme_factors({"pelvis": np.array([1.0, 0.5, 1.0]), "torso": np.array([1.0, 1.2, 1.7])})
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


@pytest.mark.parametrize(
    ("segments", "words"),
    [
        (
            "{thigh: [femur], knee: [patella, femur]}",
            "knee: found femur_r of thigh again, expected each",
        ),
        ("{thigh: femur}", "segment 'thigh' is 'femur', expected a list of bodies"),
    ],
)
def test_a_marker_set_with_segments_that_are_none_is_refused(tmp_path: Path, segments: str, words: str):
    path = tmp_path / "set.yaml"
    path.write_text(f"central: {{C7: {{weight: 1}}}}\nmirrored: {{}}\nsegments: {segments}\n")
    with pytest.raises(InputError, match=words):
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


def _vicon_recording(file: str, step: int) -> MarkerTrajectories:
    """Every `step`th frame."""
    pytest.importorskip("ezc3d")
    markers = load_motion(DATA / file)
    assert isinstance(markers, MarkerTrajectories)
    return replace(markers, positions=markers.positions[::step], rate=markers.rate / step)


@NEEDS_DATA
def test_real_vicon_markers_run_with_bending_knees():
    kinematics = solve_kinematics(_vicon_recording("hdm05/HDM_dg_06-03_03_120.c3d", 29))
    assert not any(name.startswith("*") or name.endswith("HD") for name in kinematics.tracked_markers)
    assert np.mean(np.asarray(kinematics.marker_errors)) < 8e-3
    degrees = np.rad2deg(kinematics.coordinates)
    named = dict(zip(kinematics.model.coordinate_names, degrees.T, strict=True))
    assert named["knee_angle_r"].max() > 70
    assert named["elbow_flex_r"].min() > 60
    assert np.abs(named["pelvis_tilt"]).max() < 15
    assert np.ptp(named["pelvis_rotation"]) < 30


@NEEDS_DATA
def test_an_acrobat_stands_upright_before_the_jump():
    """Which movement that the model cannot follow must not undo: it pulls at bones and marker places."""
    kinematics = solve_kinematics(_vicon_recording("cmu_mocap/c3d/85_02.c3d", 27))
    standing = torch.from_numpy(kinematics.coordinates[:5])
    bodies = ForwardKinematics(kinematics.model)(standing).body_rotmats
    names = kinematics.model.body_names
    for body, limit in (("pelvis", 15), ("torso", 15), ("femur_l", 15), ("tibia_l", 15)):
        up = bodies[:, names.index(body), 1, 1].numpy()
        assert np.rad2deg(np.arccos(up)).max() < limit, body
