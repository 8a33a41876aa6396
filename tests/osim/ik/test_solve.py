"""Whole trials: back to the coordinates they were made from, gaps filled, OpenSim's answers met."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from odah.errors import OdahError
from odah.motion.trc import read_trc
from odah.motion.types import MarkerTrajectories, Source
from odah.osim import Body, Coordinate, ForwardKinematics, Joint, Marker, Model, read_model
from odah.osim.functions import LinearFunction
from odah.osim.ik import CoordinateTask, inverse_kinematics
from odah.osim.ik.answers import BLOCK
from odah.osim.ik.problem import IkProblem
from odah.osim.ik.reference_solver import ReferenceIkSolver
from odah.osim.ik.setup import read_ik_setup
from odah.osim.ik.trial import IkTrial
from odah.osim.model import AXES, GROUND, TransformAxis, rigid
from odah.osim.tools import inverse_kinematics_with_opensim

DATA = Path(__file__).parents[3].parent / "shared" / "data" / "opensim_models"
needs_data = pytest.mark.skipif(not DATA.exists(), reason="the real recordings are not beside the project")
PATHS = ("auto", "reference")


def ones(model):
    return dict.fromkeys(model.marker_names, 1.0)


@pytest.fixture(scope="module")
def told(person):
    """(C,) the coordinates that the markers tell."""
    return np.isin(person.coordinate_names, IkProblem.of(person).free_names)


@pytest.mark.parametrize("path", PATHS)
def test_random_poses_come_back(person, drawn, recorded, told, path):
    truth = drawn(person, 40)
    solution = inverse_kinematics(
        person, recorded(person, truth), ones(person), is_continuous=False, path=path
    )
    assert solution.is_converged.all()
    assert solution.max_errors.max() < 1e-7
    difference = np.rad2deg(np.abs(solution.coordinates - truth))[:, told]
    assert np.quantile(difference, 0.99) < 1e-5
    assert difference.max() < 1e-3  # arms at gimbal lock
    assert (difference < 1e-4).all(axis=1).mean() >= 0.95


@pytest.mark.parametrize("path", PATHS)
def test_a_person_turned_round_and_far_away(person, drawn, recorded, told, path):
    """Half a turn and eight metres are beyond the generic model's ranges of the pelvis."""
    still = recorded(person, np.tile(drawn(person, 1), (3, 1)))
    turns = Rotation.from_rotvec(np.outer([0.0, 180.0, -95.0], [0, 1, 0]), degrees=True).as_matrix()
    shifts = np.array([[0.0, 0.0, 0.0], [8.0, 0.0, 0.0], [0.0, 0.3, -8.0]])
    moved = np.einsum("txy,tmy->tmx", turns, still.positions) + shifts[:, None]
    trial = replace(still, positions=moved)
    solution = inverse_kinematics(person, trial, ones(person), is_continuous=False, path=path)
    assert solution.max_errors.max() < 1e-7
    joints = solution.coordinates[:, 6:][:, told[6:]]
    np.testing.assert_allclose(joints, joints[:1].repeat(3, axis=0), atol=1e-5)
    headings = solution.coordinates[:, person.coordinate_names.index("pelvis_rotation")]
    np.testing.assert_allclose(np.cos(headings[1] - headings[0]), -1.0, atol=1e-9)


def test_what_no_marker_tells_is_interpolated(person, drawn, recorded):
    first, last = drawn(person, 2)
    truth = np.linspace(first, last, 5)
    trial = recorded(person, truth)
    positions = trial.positions.copy()
    hidden = [k for k, m in enumerate(person.markers) if m.body in ("ulna_r", "radius_r", "hand_r")]
    positions[2, hidden] = np.nan
    positions[3, 2:] = np.nan
    solution = inverse_kinematics(person, replace(trial, positions=positions), ones(person))
    names = person.coordinate_names
    elbow, knee = names.index("elbow_flex_r"), names.index("knee_angle_r")
    assert solution.is_solved.tolist() == [True, True, True, False, True]
    assert np.isnan(solution.rms_errors).tolist() == [False, False, False, True, False]
    assert not solution.is_told[2, elbow]
    assert solution.is_told[2, knee]
    assert not solution.is_told[3, knee]
    known = solution.coordinates[[1, 4], elbow]
    np.testing.assert_allclose(solution.coordinates[[2, 3], elbow], np.interp([2, 3], [1, 4], known))
    np.testing.assert_allclose(solution.coordinates[3, knee], solution.coordinates[[2, 4], knee].mean())
    assert np.isfinite(solution.coordinates).all()


def test_blocks_leave_no_seam(person, drawn, recorded):
    """More frames than are in hand at a time."""
    truth = np.repeat(drawn(person, 2), (BLOCK + 8) // 2, axis=0)[:, :]
    pelvis = person.with_markers(tuple(m for m in person.markers if m.body in ("pelvis", "femur_r")))
    solution = inverse_kinematics(pelvis, recorded(pelvis, truth), ones(pelvis))
    assert len(solution.coordinates) == BLOCK + 8
    assert solution.max_errors.max() < 1e-7


def test_a_warm_start_stays_in_its_minimum(person, drawn, recorded):
    truth = drawn(person, 4)
    trial = recorded(person, truth)
    solution = inverse_kinematics(person, trial, ones(person), start=truth + 0.01, is_continuous=False)
    assert solution.max_errors.max() < 1e-7


def test_coupled_coordinates_follow(coupled_leg, drawn, recorded):
    truth = drawn(coupled_leg, 5)
    solution = inverse_kinematics(coupled_leg, recorded(coupled_leg, truth), ones(coupled_leg))
    shown = [
        name for name in coupled_leg.coordinate_names if name.endswith(("knee_angle_r", "ankle_angle_r"))
    ]
    columns = [coupled_leg.coordinate_names.index(name) for name in shown]
    np.testing.assert_allclose(solution.coordinates[:, columns], truth[:, columns], atol=1e-6)


def test_blind_trials_are_refused(person, drawn, recorded):
    trial = recorded(person, drawn(person, 3))
    blind = replace(trial, positions=np.full_like(trial.positions, np.nan))
    with pytest.raises(OdahError, match="no frame of made shows 3 tracked markers"):
        inverse_kinematics(person, blind, ones(person))


def _walk(frames: slice):
    markers = read_trc(DATA / "Pipelines/Rajagopal/ExpData/motion_capture_walk.trc")
    return replace(markers, positions=markers.positions[frames], start_time=0.0)


@needs_data
@pytest.mark.shared
@pytest.mark.parametrize("path", PATHS)
def test_opensim_at_a_converged_accuracy_agrees(path):
    pytest.importorskip("opensim")
    file = DATA / "reference_ik_opensim_4.6" / "subject_scaled_walk.osim"
    setup = DATA / "Pipelines/Rajagopal/IK/ik_setup_walk.xml"
    markers, weights = _walk(slice(60, 66)), read_ik_setup(setup).weights
    theirs = inverse_kinematics_with_opensim(file, markers, setup=setup, accuracy=1e-9)
    ours = inverse_kinematics(read_model(file), markers, weights, path=path)
    difference = np.rad2deg(np.abs(ours.coordinates - theirs.coordinates))
    assert difference.mean() < 0.01
    np.testing.assert_allclose(ours.rms_errors, theirs.rms_errors, atol=1e-6)


@needs_data
@pytest.mark.shared
@pytest.mark.parametrize("path", PATHS)
def test_a_person_who_stands_still_is_not_left_in_a_worse_minimum(path):
    """From rest, every frame of this trial ends in the same one, 6 % above OpenSim's."""
    pytest.importorskip("opensim")
    file = DATA / "reference_ik_opensim_4.6" / "subject_scaled_walk.osim"
    setup = DATA / "Pipelines/Rajagopal/IK/ik_setup_walk.xml"
    markers = read_trc(DATA / "Pipelines/Rajagopal/ExpData/static_walk_2.trc")
    markers = replace(markers, positions=markers.positions[::50], start_time=0.0)
    weights = read_ik_setup(setup).weights
    theirs = inverse_kinematics_with_opensim(file, markers, setup=setup, accuracy=1e-9)
    ours = inverse_kinematics(read_model(file), markers, weights, path=path)
    trial = IkTrial.of(read_model(file), markers, weights)
    costs = [
        ReferenceIkSolver(trial.problem).costs(
            torch.from_numpy(solution.coordinates[:, trial.problem.free]), trial.frames(slice(None))
        )
        for solution in (ours, theirs)
    ]
    assert (costs[0] <= costs[1] * (1 + 1e-9)).all()


@needs_data
@pytest.mark.shared
@pytest.mark.parametrize("path", PATHS)
def test_coordinate_tasks_weigh_as_in_opensim(path, tmp_path):
    pytest.importorskip("opensim")
    file = DATA / "reference_ik_opensim_4.6" / "subject_scaled_walk.osim"
    text = (DATA / "Pipelines/Rajagopal/IK/ik_setup_walk.xml").read_text()
    tasks = "".join(
        f'<IKCoordinateTask name="{name}"><apply>true</apply><weight>{weight}</weight>'
        f"<value_type>{kind}</value_type><value>{value}</value></IKCoordinateTask>"
        for name, weight, kind, value in [
            ("knee_angle_r", 0.01, "manual_value", 1.0),
            ("lumbar_bending", 0.003, "default_value", 9.0),
        ]
    )
    setup = tmp_path / "setup.xml"
    setup.write_text(text.replace("<objects>", f"<objects>{tasks}", 1))
    markers, model, read = _walk(slice(60, 63)), read_model(file), read_ik_setup(setup)
    theirs = inverse_kinematics_with_opensim(file, markers, setup=setup, accuracy=1e-10)
    pulls = read.tasks(model, markers.time)
    assert [(task.name, task.values) for task in pulls] == [("knee_angle_r", 1.0), ("lumbar_bending", 0.0)]
    ours = inverse_kinematics(model, markers, read.weights, tasks=pulls, path=path)
    free = inverse_kinematics(model, markers, read.weights, path=path)
    assert np.rad2deg(np.abs(ours.coordinates - theirs.coordinates)).max() < 0.01
    assert np.rad2deg(np.abs(free.coordinates - theirs.coordinates)).max() > 10


def test_a_task_may_differ_from_frame_to_frame(person, drawn, recorded):
    trial = recorded(person, drawn(person, 3))
    task = CoordinateTask("knee_angle_r", 1e3, np.array([0.2, 0.4, 0.6]))
    solution = inverse_kinematics(person, trial, ones(person), tasks=[task], is_continuous=False)
    column = person.coordinate_names.index("knee_angle_r")
    np.testing.assert_allclose(solution.coordinates[:, column], task.values, atol=1e-3)


@pytest.mark.parametrize("path", PATHS)
def test_a_hinge_never_ends_in_spare_turns(path):
    """Seen from half a turn away the cost is flat, and a step may be hundreds of turns long."""
    model, truth = _hinge(is_clamped=False), np.full((3, 1), np.pi - 0.1)
    positions = ForwardKinematics(model)(torch.from_numpy(truth)).markers.numpy()
    noisy = positions + np.random.default_rng(1).normal(scale=0.003, size=positions.shape)
    solution = inverse_kinematics(model, _trial(model, noisy), ones(model), path=path)
    np.testing.assert_allclose(solution.coordinates, truth, atol=0.05)


@pytest.mark.parametrize("path", PATHS)
def test_a_clamped_hinge_on_ground_stays_in_its_range(path):
    """It cannot walk away as a pelvis can."""
    model = _hinge(is_clamped=True)
    positions = ForwardKinematics(model)(torch.full((2, 1), 1.0, dtype=torch.float64)).markers.numpy()
    solution = inverse_kinematics(model, _trial(model, positions), ones(model), path=path)
    np.testing.assert_array_equal(solution.coordinates, 0.2)


def test_a_task_may_ask_for_another_turn(person, drawn, recorded):
    """Full turns are taken off angles that markers alone tell."""
    truth = drawn(person, 2)
    column = person.coordinate_names.index("pelvis_rotation")
    task = CoordinateTask("pelvis_rotation", 1.0, truth[:, column] + 2 * np.pi)
    solution = inverse_kinematics(
        person, recorded(person, truth), ones(person), tasks=[task], is_continuous=False
    )
    np.testing.assert_allclose(solution.coordinates[:, column], task.values, atol=1e-6)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("weight", [1e-40, 1e200])
def test_only_the_ratio_of_weights_matters(person, drawn, recorded, path, weight):
    trial = recorded(person, drawn(person, 2))
    solution = inverse_kinematics(
        person, trial, dict.fromkeys(ones(person), weight), is_continuous=False, path=path
    )
    assert solution.max_errors.max() < 1e-7


@pytest.mark.parametrize("path", PATHS)
def test_positions_beyond_all_measure_are_not_seen(person, drawn, recorded, path):
    trial = recorded(person, np.tile(drawn(person, 1), (3, 1)))
    positions = trial.positions.copy()
    positions[1, 4], positions[2] = 1e200, 1e9
    solution = inverse_kinematics(person, replace(trial, positions=positions), ones(person), path=path)
    assert solution.is_converged.tolist() == [True, True, False]
    assert solution.is_solved.tolist() == [True, True, False]
    assert np.isnan(solution.distances[1, 4])
    assert np.nanmax(solution.distances) < 1e-7


@pytest.mark.parametrize("path", PATHS)
def test_frames_that_show_markers_on_ground_alone(path):
    full = _hinge_and_ground()
    bodies = [m.body for m in full.markers]
    positions = np.zeros((3, len(bodies), 3)) + np.array([m.offset for m in full.markers])
    positions[1, [k for k, body in enumerate(bodies) if body != GROUND]] = np.nan
    solution = inverse_kinematics(full, _trial(full, positions), ones(full), path=path)
    assert np.isfinite(solution.coordinates).all()
    assert solution.is_converged[1]


def test_what_no_frame_tells_stays_at_its_default(person, drawn, recorded):
    trial = recorded(person, drawn(person, 2))
    positions = trial.positions.copy()
    hidden = [k for k, m in enumerate(person.markers) if m.body in ("ulna_r", "radius_r", "hand_r")]
    positions[:, hidden] = np.nan
    solution = inverse_kinematics(person, replace(trial, positions=positions), ones(person))
    elbow = person.coordinate_names.index("elbow_flex_r")
    assert not solution.is_told[:, elbow].any()
    np.testing.assert_array_equal(solution.coordinates[:, elbow], person.default_coordinates[elbow])


def _hinge(*, is_clamped: bool) -> Model:
    still = [TransformAxis(axis) for axis in AXES]
    turns = (TransformAxis(AXES[2], LinearFunction(), ("q",)), *still[1:])
    place = rigid(np.array([0.1, 0.2, -0.1]))
    joint = Joint("hinge", GROUND, "door", place, rigid(np.zeros(3)), turns, tuple(still), ("q",))
    offsets = np.random.default_rng(3).uniform(-0.3, 0.3, (4, 3))
    markers = tuple(Marker(f"m{k}", "door", offset) for k, offset in enumerate(offsets))
    coordinate = Coordinate("q", (-0.2, 0.2), clamped=is_clamped)
    return Model("hinge", (Body("door", 1.0, np.zeros(3), np.ones(6)),), (joint,), (coordinate,), markers)


def _hinge_and_ground() -> Model:
    """A hinge, and three markers on ground."""
    hinge = _hinge(is_clamped=False)
    fixed = tuple(Marker(f"g{k}", GROUND, np.array([k, 0.5, -k])) for k in range(3))
    return hinge.with_markers((*hinge.markers, *fixed))


def _trial(model: Model, positions: np.ndarray) -> MarkerTrajectories:
    return MarkerTrajectories(model.marker_names, positions, 100.0, "ground", Source("made", "test"))
