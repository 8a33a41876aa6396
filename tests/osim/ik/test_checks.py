"""Numbers that cannot be are refused in one sentence, before they end in a result."""

from dataclasses import replace

import numpy as np
import pytest

from odah.errors import InputError
from odah.osim.functions import LinearFunction
from odah.osim.ik import CoordinateTask, inverse_kinematics
from odah.osim.ik.checks import check_options

COUNT = 5


@pytest.fixture(scope="module")
def trial(coupled_leg, drawn, recorded):
    return recorded(coupled_leg, drawn(coupled_leg, COUNT))


def refused(model, trial, weights=None, **options) -> str:
    weights = dict.fromkeys(model.marker_names, 1.0) if weights is None else weights
    with pytest.raises(InputError) as caught:
        inverse_kinematics(model, trial, weights, **options)
    return str(caught.value)


def test_recordings(coupled_leg, trial):
    names = trial.names
    short = replace(trial, names=names[:-1])
    assert f"found an array ({COUNT}, {len(names)}, 3)" in refused(coupled_leg, short)
    assert "(5, 3)" in refused(coupled_leg, replace(trial, positions=trial.positions[:, 0]))
    twice = replace(trial, names=(names[1], *names[1:]))
    assert f"{names[1]!r} more than once" in refused(coupled_leg, twice)
    for changes in ({"rate": 0.0}, {"rate": np.nan}, {"start_time": np.nan}):
        assert "expected a rate above 0 Hz" in refused(coupled_leg, replace(trial, **changes))


@pytest.mark.parametrize("weight", [-1.0, np.nan, np.inf, 1e9, 1e-9])
def test_weights(coupled_leg, trial, weight):
    name = coupled_leg.marker_names[3]
    weights = dict.fromkeys(coupled_leg.marker_names, 1.0) | {name: weight}
    sentence = refused(coupled_leg, trial, weights)
    assert "weight of marker" in sentence
    assert repr(name) in sentence


@pytest.mark.parametrize("values", [np.nan, np.inf, np.zeros(COUNT - 1), np.zeros(0), np.zeros((COUNT, 2))])
@pytest.mark.parametrize("weight", [0.1, 0.0])
def test_values_of_tasks(coupled_leg, trial, values, weight):
    task = CoordinateTask("knee_angle_r", weight, values)
    assert "coordinate task 'knee_angle_r', values" in refused(coupled_leg, trial, tasks=[task])


def test_weights_of_tasks(coupled_leg, trial):
    for weight in (-1.0, np.nan, np.inf):
        task = CoordinateTask("knee_angle_r", weight, 0.0)
        assert "coordinate task 'knee_angle_r', weight" in refused(coupled_leg, trial, tasks=[task])
    task = CoordinateTask("knee_angle_r", 1.0, 0.0)
    assert "one task a coordinate" in refused(coupled_leg, trial, tasks=[task, task])


def test_starts(coupled_leg, trial):
    start = np.zeros((COUNT, len(coupled_leg.coordinates)))
    for wrong in (start[1:], start[:, 1:], np.vstack([start, start])):
        assert f"found an array {wrong.shape}" in refused(coupled_leg, trial, start=wrong)
    start[3, 2] = np.nan
    assert refused(coupled_leg, trial, start=start).startswith("start, frame 3")


def test_starts_of_single_precision_are_taken(coupled_leg, drawn, trial):
    start = drawn(coupled_leg, COUNT).astype(np.float32)
    weights = dict.fromkeys(coupled_leg.marker_names, 1.0)
    assert inverse_kinematics(coupled_leg, trial, weights, start=start).max_errors.max() < 1e-7


@pytest.mark.parametrize("cutoff", [0.0, -1.0, np.nan, np.inf, 50.0])
def test_cutoffs(coupled_leg, trial, cutoff):
    assert "more than 0 and less than 50 Hz" in refused(coupled_leg, trial, cutoff=cutoff)


def test_options(coupled_leg, trial):
    assert "is_continuous=False" in refused(coupled_leg, trial, cutoff=6.0, is_continuous=False)
    for tolerance in (0.0, -1.0, np.nan, np.inf):
        assert "tolerance" in refused(coupled_leg, trial, tolerance=tolerance)
    with pytest.raises(InputError, match="found 'fast', expected 'auto' or 'reference'"):
        check_options("fast", 1e-7, None, 100.0, is_continuous=True)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"default": np.nan}, "'knee_angle_r': found a value that is not finite"),
        ({"prescribed": LinearFunction((np.nan, 0.0))}, "'knee_angle_r': found a value that is not finite"),
        ({"range": (np.nan, 1.0)}, "'knee_angle_r', range"),
        ({"range": (0.6, 0.1)}, "'knee_angle_r', range: found 0.6 to 0.1"),
    ],
)
def test_coordinates(coupled_leg, trial, changes, said):
    coordinates = tuple(
        replace(c, clamped=True, **changes) if c.name == "knee_angle_r" else c
        for c in coupled_leg.coordinates
    )
    assert said in refused(replace(coupled_leg, coordinates=coordinates), trial)
