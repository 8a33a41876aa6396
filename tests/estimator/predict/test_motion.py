"""From the frames that the network saw to any time."""

from __future__ import annotations

import math

import numpy as np
import torch

from odah.estimator.inputs.reference import pelvis_rotmats
from odah.estimator.predict.motion import EstimatedMotion
from odah.estimator.skeleton import ANGLES
from odah.names import OPENSIM_COORDINATES


def motion(is_seen: list[bool], **columns: list[float]) -> EstimatedMotion:
    count = len(is_seen)
    angles = np.zeros((count, len(ANGLES)))
    for name, values in columns.items():
        angles[:, ANGLES.index(name)] = values
    pelvis = np.arange(3.0 * count).reshape(count, 3)
    errors = np.full_like(angles, 0.1)
    seen = np.array([is_seen, [False] * count])
    return EstimatedMotion(np.arange(count) / 10, angles, pelvis, errors, seen, np.ones((22, 3)))


def column(coordinates: np.ndarray, name: str) -> np.ndarray:
    return coordinates[:, OPENSIM_COORDINATES.index(name)]


def test_knots_are_kept_and_times_outside_are_held() -> None:
    moved = motion([True] * 3, knee_angle_r=[0.1, 0.4, 0.2])
    knee = column(moved.coordinates_at(np.array([-1.0, 0.0, 0.1, 0.2, 9.0])), "knee_angle_r")
    np.testing.assert_allclose(knee, [0.1, 0.1, 0.4, 0.2, 0.2])


def test_a_turning_person_does_not_jump() -> None:
    """Over half a turn, where tilt and rotation are told with a jump."""
    turn = [3.0, 3.1, 3.2 - math.tau, 3.3 - math.tau]
    moved = motion([True] * 4, pelvis_rotation=turn, arm_flex_l=turn)
    coordinates = moved.coordinates_at(np.linspace(0, 0.3, 31))
    for name in ("pelvis_rotation", "arm_flex_l"):
        np.testing.assert_allclose(column(coordinates, name), np.linspace(3.0, 3.3, 31), atol=1e-3)


def test_the_pelvis_turns_as_a_rotation() -> None:
    """A list near 90 degrees, where the other two angles may be anything."""
    moved = motion([True] * 2, pelvis_tilt=[0.0, 2.0], pelvis_list=[1.5, 1.5], pelvis_rotation=[0.0, -2.0])
    between = moved.coordinates_at(np.array([0.05]))[:, :3]
    ends = pelvis_rotmats(torch.from_numpy(moved.angles[:, :3])).numpy()
    turned = pelvis_rotmats(torch.from_numpy(between)).numpy()[0]
    whole = np.arccos((np.trace(ends[0].T @ ends[1]) - 1) / 2)
    halves = [np.arccos((np.trace(end.T @ turned) - 1) / 2) for end in ends]
    np.testing.assert_allclose(halves, whole / 2, atol=1e-6)


def test_frames_in_which_nobody_is_seen_do_not_count() -> None:
    moved = motion([True, False, True, False], elbow_flex_r=[0.2, 99.0, 0.4, 99.0])
    times = np.array([0.0, 0.1, 0.2, 0.3])
    elbow = column(moved.coordinates_at(times), "elbow_flex_r")
    np.testing.assert_allclose(elbow, [0.2, 0.3, 0.4, 0.4])
    errors = moved.errors_at(times)
    assert errors is not None
    assert np.isnan(errors).all(axis=1).tolist() == [False, True, False, True]
    assert moved.seen_at(times).tolist() == [[True, False, True, False], [False] * 4]


def test_a_single_frame_stays() -> None:
    moved = motion([False, True], mtp_angle_l=[5.0, 0.3])
    np.testing.assert_allclose(column(moved.coordinates_at(np.array([0.0, 0.1])), "mtp_angle_l"), 0.3)
