"""Smoothing over time: a low-pass filter that knows which markers were seen."""

from dataclasses import replace

import numpy as np
import pytest

from odah.osim.ik import inverse_kinematics
from odah.osim.ik.smooth import _bending, _second_difference_band

RATE, CUTOFF = 100.0, 6.0


@pytest.fixture(scope="module")
def leg(person):
    markers = tuple(m for m in person.markers if m.body in ("pelvis", "femur_r", "tibia_r"))
    return person.with_markers(markers)


def swinging(leg, frequency: float, count: int = 120) -> np.ndarray:
    """(T, C): the hip and knee swing by 0.05 rad at a frequency."""
    coordinates = np.tile(leg.default_coordinates, (count, 1))
    wave = 0.05 * np.sin(2 * np.pi * frequency * np.arange(count) / RATE)
    coordinates[:, leg.coordinate_names.index("hip_flexion_r")] = 0.3 + wave
    coordinates[:, leg.coordinate_names.index("knee_angle_r")] = 0.6 - wave
    return coordinates


def solved(leg, recording, cutoff):
    return inverse_kinematics(leg, recording, dict.fromkeys(leg.marker_names, 1.0), cutoff=cutoff)


def test_motion_is_damped_as_by_a_filter_of_that_frequency(leg, recorded):
    """The whole person's translation, which no other coordinate can take over."""
    column = leg.coordinate_names.index("pelvis_tx")
    for frequency in (1.0, CUTOFF, 2 * CUTOFF):
        truth = swinging(leg, 0.0)
        truth[:, column] = 0.05 * np.sin(2 * np.pi * frequency * np.arange(len(truth)) / RATE)
        smoothed = solved(leg, recorded(leg, truth), CUTOFF).coordinates
        kept = np.std(smoothed[20:-20, column]) / np.std(truth[20:-20, column])
        assert kept == pytest.approx(1 / (1 + (frequency / CUTOFF) ** 4), abs=0.05)


def test_noise_goes_down_and_motion_stays(leg, recorded):
    truth = swinging(leg, 1.0)
    clean = recorded(leg, truth)
    noise = np.random.default_rng(0).normal(scale=3e-3, size=clean.positions.shape)
    noisy = replace(clean, positions=clean.positions + noise)
    column = leg.coordinate_names.index("hip_rotation_r")
    errors = [
        np.std(solved(leg, noisy, cutoff).coordinates[:, column] - truth[:, column])
        for cutoff in (None, CUTOFF)
    ]
    assert errors[1] < 0.6 * errors[0]


def test_gaps_are_bridged_with_the_speed_they_began(leg, recorded):
    truth = swinging(leg, 1.0)
    clean = recorded(leg, truth)
    positions = clean.positions.copy()
    positions[50:60] = np.nan
    gappy = replace(clean, positions=positions)
    column = leg.coordinate_names.index("knee_angle_r")
    straight, bridged = (solved(leg, gappy, cutoff).coordinates[50:60, column] for cutoff in (None, 20.0))
    true = truth[50:60, column]
    assert np.abs(bridged - true).max() < 0.5 * np.abs(straight - true).max()


def test_windows_leave_no_seam(leg, recorded, monkeypatch):
    recording = recorded(leg, swinging(leg, 3.0, count=300))
    whole = solved(leg, recording, CUTOFF).coordinates
    monkeypatch.setattr("odah.osim.ik.smooth._WINDOW", 70)
    np.testing.assert_allclose(solved(leg, recording, CUTOFF).coordinates, whole, atol=1e-4)


def test_bounds_hold(leg, recorded):
    coordinates = swinging(leg, 1.0)
    knee = leg.coordinate_names.index("knee_angle_r")
    upper = leg.coordinate_ranges[knee, 1]
    coordinates[:, knee] += upper - 0.6
    smoothed = solved(leg, recorded(leg, coordinates), CUTOFF).coordinates[:, knee]
    assert smoothed.max() <= upper
    assert (smoothed > upper - 1e-9).sum() > 10


def test_the_band_is_that_of_the_second_differences():
    x = np.random.default_rng(0).normal(size=(7, 2))
    matrix = np.diff(np.eye(7), n=2, axis=0)
    full = matrix.T @ matrix
    for lag, values in enumerate(_second_difference_band(7)):
        np.testing.assert_allclose(values, np.diag(full, -lag))
    np.testing.assert_allclose(_bending(x), full @ x)
