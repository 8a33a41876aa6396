"""Gaps and frequencies."""

from __future__ import annotations

import numpy as np
import pytest

from odah.benchmark.methods.multi_step.filtering import fill_gaps, low_pass

RATE = 60.0


def swaying(num_frames: int, frequency: float) -> np.ndarray:
    time = np.arange(num_frames) / RATE
    return np.stack([np.sin(2 * np.pi * frequency * time), 0.5 + 0 * time, -time], axis=-1)[:, None]


def test_short_gaps_are_filled_and_long_ones_stay():
    points = swaying(60, 0.7)
    gappy = points.copy()
    gappy[5:8] = gappy[20:26] = gappy[:2] = gappy[58:] = np.nan
    filled = fill_gaps(gappy, 3)
    np.testing.assert_allclose(filled[5:8], points[5:8], atol=5e-3)
    assert np.isnan(filled[[0, 1, 58, 59]]).all()
    assert np.isnan(filled[20:26]).all()
    seen = np.isfinite(gappy)
    np.testing.assert_array_equal(filled[seen], gappy[seen])
    np.testing.assert_array_equal(fill_gaps(gappy, 0), gappy)


def test_points_seen_once_or_never_stay_as_they_are():
    points = np.full((6, 2, 3), np.nan)
    points[3, 0] = 1.0
    np.testing.assert_array_equal(fill_gaps(points, 4), points)
    np.testing.assert_array_equal(low_pass(points, RATE, 6.0), points)


@pytest.mark.parametrize(("frequency", "amplitude"), [(1.0, 1.0), (6.0, 2**-0.5), (20.0, 0.0)])
def test_the_filter_passes_what_it_says_without_delay(frequency, amplitude):
    filtered = low_pass(swaying(600, frequency), RATE, 6.0)[100:-100, 0]
    expected = swaying(600, frequency)[100:-100, 0]
    np.testing.assert_allclose(filtered[:, 0], amplitude * expected[:, 0], atol=4e-3)
    np.testing.assert_allclose(filtered[:, 1:], expected[:, 1:], atol=1e-6)


def test_gaps_stay_and_divide():
    points = swaying(40, 1.0)
    points[17:21] = np.nan
    filtered = low_pass(points, RATE, 6.0)
    np.testing.assert_array_equal(np.isnan(filtered), np.isnan(points))
    np.testing.assert_array_equal(filtered[:17], low_pass(points[:17], RATE, 6.0))
