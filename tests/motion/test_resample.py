"""Resampling: what must survive, what must not, and rotations that go all the way round."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from odah.errors import InputError
from odah.motion.resample import resample
from odah.motion.types import CoordinateTrajectory, MarkerTrajectories, Motion, Source

SOURCE = Source("test", "test")
rates = st.sampled_from([24.0, 29.97, 30.0, 50.0, 60.0, 100.0, 120.00004577, 250.0])


def coordinates(values: np.ndarray, rate: float) -> CoordinateTrajectory:
    return CoordinateTrajectory(("q",), np.asarray(values)[:, None], rate, SOURCE, start_time=2.0)


def tone(hertz: float, rate: float, seconds: float = 6.0) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate + 0.3)


def spinning(rate: float, turns_per_second: float, num_joints: int = 55, seconds: float = 3.0) -> Motion:
    """Joint j turns about its own axis at constant speed, more than once around."""
    time = np.arange(int(seconds * rate)) / rate
    axes = np.random.default_rng(0).normal(size=(num_joints, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    angles = 2 * np.pi * turns_per_second * time
    poses = (
        Rotation.from_rotvec((angles[:, None, None] * axes).reshape(-1, 3))
        .as_rotvec()
        .reshape(-1, num_joints, 3)
    )
    return Motion(
        poses=poses, transl=np.stack([time, 0 * time, 1 + 0 * time], axis=1), rate=rate, source=SOURCE
    )


@pytest.mark.parametrize("hertz", [16.0, 20.0, 33.0, 59.0])
def test_a_tone_above_the_new_nyquist_loses_more_than_40_db(hertz):
    slow = resample(coordinates(tone(hertz, 120.0), 120.0), 30.0).values[30:-30]
    assert np.abs(slow).max() < 1e-2


@settings(max_examples=25, deadline=None)
@given(old=rates, new=rates, fraction=st.floats(0.01, 0.25))
def test_a_slow_tone_survives(old, new, fraction):
    hertz = fraction * min(old, new) / 2
    after = resample(coordinates(tone(hertz, old), old), new)
    expected = np.sin(2 * np.pi * hertz * (after.time - after.start_time) + 0.3)
    edge = int(2 * new / min(old, new) * 10)
    np.testing.assert_allclose(after.values[edge:-edge, 0], expected[edge:-edge], atol=5e-3)


@settings(max_examples=25, deadline=None)
@given(old=rates, new=rates, value=st.floats(-3, 3), num_frames=st.integers(1, 80))
def test_a_constant_stays_constant_and_spans_the_same_time(old, new, value, num_frames):
    after = resample(coordinates(np.full(num_frames, value), old), new)
    np.testing.assert_allclose(after.values, value, atol=1e-9)
    assert after.rate == new
    assert after.start_time == 2.0
    duration = (num_frames - 1) / old
    assert duration - 1 / new - 1e-4 < (after.num_frames - 1) / new <= duration + 1e-4


def test_up_and_back_returns_the_original():
    original = coordinates(tone(3.0, 60.0), 60.0)
    back = resample(resample(original, 240.0), 60.0)
    assert back.num_frames == original.num_frames
    np.testing.assert_allclose(back.values[20:-20], original.values[20:-20], atol=1e-3)


def test_nearly_equal_rates_only_get_the_new_name():
    original = coordinates(tone(50.0, 120.0), 120.00004577)
    after = resample(original, 120.0)
    assert after.rate == 120.0
    assert after.values is original.values


@pytest.mark.parametrize(("old", "new"), [(120.0, 30.0), (120.0, 50.0), (24.0, 120.0)])
def test_rotations_follow_a_constant_spin_through_full_turns(old, new):
    after = resample(spinning(old, turns_per_second=0.8), new)
    expected = spinning(new, turns_per_second=0.8)
    count = min(after.num_frames, expected.num_frames)
    inner = slice(int(new * 0.3), count - int(new * 0.3))
    difference = (
        Rotation.from_rotvec(after.poses[inner].reshape(-1, 3))
        * Rotation.from_rotvec(expected.poses[inner].reshape(-1, 3)).inv()
    )
    assert difference.magnitude().max() < np.deg2rad(0.5)
    np.testing.assert_allclose(after.transl[inner], expected.transl[inner], atol=1e-3)


def test_fast_shaking_of_a_joint_is_filtered():
    poses = np.zeros((720, 55, 3))
    poses[:, 4, 0] = 0.5 + 0.2 * tone(25.0, 120.0)
    motion = Motion(poses=poses, transl=np.zeros((720, 3)), rate=120.0, source=SOURCE)
    after = resample(motion, 30.0).poses[30:-30, 4]
    np.testing.assert_allclose(after, [[0.5, 0, 0]] * len(after), atol=5e-3)


def test_marker_gaps_stay_gaps_and_do_not_spread():
    smooth = np.stack([tone(1.0, 100.0), tone(0.5, 100.0), tone(0.2, 100.0)], axis=1)
    positions = np.stack([smooth, smooth + 1, smooth], axis=1)
    positions[200:300, 1] = np.nan
    positions[:, 2] = np.nan
    positions[50, 2] = 1.0
    markers = MarkerTrajectories(("A", "B", "C"), positions, 100.0, "world", SOURCE)
    for rate in (25.0, 200.0):
        after = resample(markers, rate)
        assert np.isfinite(after.positions[:, 0]).all()
        gap = np.isnan(after.positions[:, 1]).all(axis=1)
        np.testing.assert_array_equal(gap, (after.time > 1.99 + 1e-9) & (after.time < 3.0 - 1e-9))
        seen = ~gap & (np.abs(after.time - 2.5) > 0.7)
        np.testing.assert_allclose(after.positions[seen, 1], after.positions[seen, 0] + 1, atol=0.02)
        np.testing.assert_array_equal(np.isfinite(after.positions[:, 2, 0]), np.abs(after.time - 0.5) < 1e-9)


@pytest.mark.parametrize("rate", [0.0, -30.0, float("nan"), float("inf")])
def test_impossible_rates(rate):
    with pytest.raises(InputError, match="rate"):
        resample(coordinates(np.zeros(5), 120.0), rate)
