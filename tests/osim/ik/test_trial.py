"""What is free, what is told, what is pulled."""

from dataclasses import replace

import numpy as np
import pytest

from odah.errors import InputError, OdahError
from odah.osim.functions import LinearFunction
from odah.osim.ik.problem import IkProblem, coordinates_moving
from odah.osim.ik.trial import CoordinateTask, IkTrial


@pytest.fixture(scope="module")
def trial(person, drawn, recorded):
    return recorded(person, drawn(person, 5))


def ones(model):
    return dict.fromkeys(model.marker_names, 1.0)


def _with_coordinate(model, name, **changes):
    return replace(
        model,
        coordinates=tuple(replace(c, **changes) if c.name == name else c for c in model.coordinates),
    )


def test_locked_prescribed_coupled_and_unseen_coordinates_are_not_free(person, coupled_leg):
    free = IkProblem.of(person).free_names
    assert "knee_angle_r" in free
    assert (
        "knee_angle_r" not in IkProblem.of(_with_coordinate(person, "knee_angle_r", locked=True)).free_names
    )
    prescribed = _with_coordinate(person, "hip_flexion_l", prescribed=LinearFunction())
    assert "hip_flexion_l" not in IkProblem.of(prescribed).free_names
    assert "ankle_angle_r" not in IkProblem.of(coupled_leg).free_names
    only_pelvis = person.with_markers(tuple(m for m in person.markers if m.body == "pelvis"))
    assert IkProblem.of(only_pelvis).free_names == person.joints[0].coordinate_names


def test_what_moves_a_marker_through_a_coupler_moves_it(coupled_leg):
    moving = coordinates_moving(coupled_leg, "calcn_r")
    assert {"ankle_angle_r", "knee_angle_r"} <= moving
    assert "knee_angle_r" not in coordinates_moving(coupled_leg, "femur_r")


def test_prescribed_coordinates_follow_their_function_of_time(person, trial):
    model = _with_coordinate(person, "knee_angle_l", prescribed=LinearFunction((2.0, 0.1)))
    later = replace(trial, start_time=1.5)
    given = IkTrial.of(model, later, ones(model)).frames(slice(1, 4)).given
    column = model.coordinate_names.index("knee_angle_l")
    np.testing.assert_allclose(given[:, column], 2.0 * later.time[1:4] + 0.1)


def test_a_task_nothing_else_pulls_at_is_met(person, trial):
    feet_only = {m.name: 1.0 for m in person.markers if m.body == "pelvis"}
    values = np.linspace(0.1, 0.5, 5)
    ik = IkTrial.of(person, trial, feet_only, [CoordinateTask("knee_angle_r", 1.0, values)])
    column = person.coordinate_names.index("knee_angle_r")
    np.testing.assert_array_equal(ik.frames(np.array([4, 0])).given[:, column], values[[4, 0]])


def test_tasks_weigh_against_the_markers_seen(person, trial):
    positions = trial.positions.copy()
    positions[1, :10] = np.nan
    gappy = replace(trial, positions=positions)
    ik = IkTrial.of(person, gappy, ones(person), [CoordinateTask("knee_angle_r", 0.5, 0.2)])
    frames = ik.frames(slice(0, 2))
    p = ik.problem.free_names.index("knee_angle_r")
    assert frames.target_weights is not None
    count = len(person.markers)
    assert frames.target_weights[:, p].tolist() == [0.5 * count, 0.5 * (count - 10)]
    assert frames.target_weights[:, p + 1].tolist() == [0.0, 0.0]


def test_told_coordinates_are_those_of_markers_in_view(person, trial):
    positions = trial.positions.copy()
    hidden = [k for k, m in enumerate(person.markers) if m.body in ("hand_r", "radius_r", "ulna_r")]
    positions[3, hidden] = np.nan
    positions[4, 2:] = np.nan
    ik = IkTrial.of(person, replace(trial, positions=positions), ones(person))
    names = np.array(ik.problem.free_names)
    assert ik.is_told[0].all()
    assert set(names[~ik.is_told[3]]) >= {"elbow_flex_r", "pro_sup_r"}
    assert not any(name.endswith("_l") for name in names[~ik.is_told[3]])
    assert not ik.is_solvable[4]
    assert not ik.is_told[4].any()


def test_frames_with_fewer_measurements_than_coordinates_are_known(person, trial):
    positions = trial.positions.copy()
    positions[1, ::6] = np.nan
    bodies = [marker.body for marker in person.markers]
    ends = ("calcn_r", "calcn_l", "radius_r", "radius_l", "torso", "ulna_r", "ulna_l")
    scattered = [bodies.index(body) for body in ends if body in bodies]
    positions[2] = np.nan
    positions[2, scattered] = trial.positions[2, scattered]
    ik = IkTrial.of(person, replace(trial, positions=positions), ones(person))
    assert 3 * len(scattered) < ik.is_told[2].sum()
    assert ik.is_determined.tolist() == [True, True, False, True, True]


def test_unseen_markers_weigh_nothing_and_are_finite(person, trial):
    positions = trial.positions.copy()
    positions[0, 3, 1] = np.nan
    frames = IkTrial.of(person, replace(trial, positions=positions), ones(person)).frames(slice(0, 1))
    assert frames.weights[0, 3] == 0
    assert frames.measured.isfinite().all()


def test_refused(person, trial):
    with pytest.raises(OdahError, match="tracked marker"):
        IkTrial.of(person, trial, {"nobody": 1.0})
    with pytest.raises(InputError, match=r"knee_angel_r.*no coordinate of the model"):
        IkTrial.of(person, trial, ones(person), [CoordinateTask("knee_angel_r", 1.0, 0.0)])
    stiff = replace(person, coordinates=tuple(replace(c, locked=True) for c in person.coordinates))
    with pytest.raises(OdahError, match=r"no coordinate of .* is free"):
        IkTrial.of(stiff, trial, ones(person))
