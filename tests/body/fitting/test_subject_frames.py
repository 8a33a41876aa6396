"""The choice of frames that tell a shape."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from odah.body.fitting.subject_frames import choose_frames


def swinging_arm(frames: int = 300) -> np.ndarray:
    """(T, 6, 3): a trunk of four points, and an arm that hangs but for one swing at frames 200 to 240."""
    trunk = np.array([[0, 0, 0], [0.3, 0, 0], [0, 0.5, 0.1], [0.3, 0.5, -0.1]])
    angle = np.where((np.arange(frames) >= 200) & (np.arange(frames) < 240), np.arange(frames) - 200, 0) / 20
    arm = np.stack([np.sin(angle), -np.cos(angle), 0 * angle], -1)
    points = np.empty((frames, 6, 3))
    points[:, :4] = trunk
    points[:, 4], points[:, 5] = trunk[2] + 0.3 * arm, trunk[2] + 0.6 * arm
    return points


def test_frames_are_spread_over_poses_and_not_over_time():
    chosen = choose_frames(swinging_arm(), 8)
    assert len(chosen) == 8
    assert ((chosen >= 200) & (chosen < 240)).sum() >= 6
    assert (np.diff(chosen) > 0).all()


@given(seed=st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_choice_does_not_depend_on_where_the_person_stands(seed):
    rng, points = np.random.default_rng(seed), swinging_arm()
    turned = points @ Rotation.from_rotvec(rng.normal(0, 1, 3)).as_matrix().T + rng.normal(0, 3, 3)
    np.testing.assert_allclose(
        np.sort(points[choose_frames(turned, 5), 5], 0), np.sort(points[choose_frames(points, 5), 5], 0)
    )


def test_complete_frames_are_preferred():
    points = swinging_arm()
    points[205:235, 5] = np.nan
    chosen = choose_frames(points, 8)
    assert not np.isin(chosen, np.arange(205, 235)).any()


def test_a_marker_that_is_never_seen_hinders_nothing():
    points = np.concatenate([swinging_arm(), np.full((300, 1, 3), np.nan)], 1)
    np.testing.assert_array_equal(choose_frames(points, 8), choose_frames(swinging_arm(), 8))


@pytest.mark.parametrize(("frames", "count"), [(5, 8), (1, 24), (8, 8)])
def test_short_motions_are_taken_whole(frames, count):
    np.testing.assert_array_equal(choose_frames(swinging_arm(frames), count), np.arange(frames))


def test_empty_frames_are_never_chosen():
    points = swinging_arm(30)
    points[10:] = np.nan
    assert choose_frames(points, 24).max() < 10
