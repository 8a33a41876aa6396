"""Crops: the cropped camera is exact, the window holds the person and glides."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odah.errors import InputError
from odah.scene import Camera, look_at
from odah.scene.crops import person_crops


def camera_of(width: int = 1080, height: int = 720) -> Camera:
    camera = Camera.from_lens("front", look_at([4.0, 1.0, 1.2], [0.0, 0.1, 0.9]), width, height)
    K = camera.K.copy()
    K[1, 1] *= 1.1
    K[:2, 2] += [13, -7]
    return replace(camera, K=K)


def walk(seed: int, num_frames: int = 80) -> np.ndarray:
    """(T, P, 3) a cloud of asymmetric points that walks, sways and raises an arm."""
    rng = np.random.default_rng(seed)
    body = rng.uniform([-0.2, -0.3, 0], [0.2, 0.4, 1.8], size=(15, 3))
    time = np.arange(num_frames) / 60
    points = np.repeat(body[None], num_frames, axis=0)
    points[..., 1] += (rng.uniform(-1, 1) * time)[:, None] + 0.05 * np.sin(9 * time)[:, None]
    points[:, 0, 2] += 0.6 * np.sin(5 * time)
    return points


@given(
    left=st.floats(-400, 900), top=st.floats(-400, 700), side=st.floats(2, 900),
    size=st.sampled_from([32, 256, 255]),
)  # fmt: skip
def test_a_cropped_camera_sees_the_pixels_of_the_square(left, top, side, size):
    camera = camera_of()
    points = walk(0, 2)
    cropped = camera.cropped(left, top, side, size)
    assert (cropped.width, cropped.height) == (size, size)
    expected = (camera.project(points) + 0.5 - [left, top]) * size / side - 0.5
    np.testing.assert_allclose(cropped.project(points), expected, atol=1e-6 * size / side + 1e-9, rtol=1e-9)
    lens = cropped.focal_length_mm / cropped.sensor_width_mm * cropped.width
    assert lens == pytest.approx(cropped.K[0, 0])


def test_a_crop_of_the_whole_picture_is_the_picture():
    camera = camera_of(600, 600)
    np.testing.assert_allclose(camera.cropped(0, 0, 600, 600).K, camera.K)


def test_a_crop_has_no_clock_of_its_own_and_keeps_the_rest():
    camera = replace(camera_of(), readout=0.01, frame_offset=3, exposure=0.5, crf=30)
    cropped = camera.cropped(10, 20, 300, 128)
    assert (cropped.readout, cropped.frame_offset) == (0, 0)
    assert (cropped.exposure, cropped.crf, cropped.name) == (0.5, 30, "front")
    assert Camera.from_dict(json.loads(json.dumps(cropped.to_dict()))).to_dict() == cropped.to_dict()


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    margin=st.floats(0, 0.4),
    smooth=st.sampled_from([0, 1, 10, 30, 200]),
    num_frames=st.sampled_from([1, 2, 80]),
)
def test_the_window_always_holds_the_person_and_their_margin(seed, margin, smooth, num_frames):
    camera, points = camera_of(), walk(seed, num_frames)
    crops = person_crops(points, camera, margin, smooth)
    assert crops.shape == (num_frames, 3)
    corner, side = crops[:, None, :2], crops[:, None, 2:]
    within = (camera.project(points) + 0.5 - corner) / side
    assert within.min() >= margin - 1e-9
    assert within.max() <= 1 - margin + 1e-9


def test_without_smoothing_the_window_is_as_tight_as_can_be():
    camera, points = camera_of(), walk(3)
    crops = person_crops(points, camera, 0.1, 0)
    extent = np.ptp(camera.project(points), axis=1).max(1)
    np.testing.assert_allclose(crops[:, 2], extent / 0.8)


def test_smoothing_takes_the_jitter_out_and_follows_a_steady_walk_to_its_ends():
    camera, rng = camera_of(), np.random.default_rng(0)
    points = walk(4) + rng.normal(scale=0.03, size=(80, 1, 3))

    def jitter(smooth: int) -> float:
        return float(np.abs(np.diff(person_crops(points, camera, 0.1, smooth), 2, axis=0)).max())

    assert jitter(15) < 0.15 * jitter(0)
    steady = camera.T_world_cam[:3, 0] * np.linspace(0, 1, 80)[:, None, None] + walk(4, 1)
    crops = person_crops(steady, camera, 0.1, 20)
    np.testing.assert_allclose(crops[:, 2], crops[0, 2], rtol=1e-6)
    np.testing.assert_allclose(np.diff(crops[:, 0]), np.diff(crops[:, 0]).mean(), rtol=1e-6)


def test_a_person_at_the_edge_gets_a_window_that_reaches_over_it():
    camera = camera_of()
    points = walk(0, 3) + np.array([0, 2.2, 0])
    crops = person_crops(points, camera, 0.1, 1)
    assert (crops[:, 0] + crops[:, 2] > camera.width).all()


def test_who_steps_behind_the_camera_is_held_where_they_were_last_seen():
    camera, points = camera_of(), walk(0, 9)
    expected = person_crops(points, camera, 0.1, 0)
    points[4:6] += [9, 0, 0]
    crops = person_crops(points, camera, 0.1, 0)
    np.testing.assert_allclose(crops, expected[[0, 1, 2, 3, 3, 6, 6, 7, 8]])


@pytest.mark.parametrize(
    ("points", "margin", "smooth", "message"),
    [
        (walk(0, 2), 0.5, 0, "0 to 0.5"),
        (walk(0, 2), 0.1, -1, "at least 0 frames"),
        (np.zeros((2, 0, 3)), 0.1, 0, "none of them 0"),
        (walk(0, 2) + np.array([6, 0, 0]), 0.1, 0, "no frame with all of the person"),
    ],
)
def test_bad_crops_are_refused(points, margin, smooth, message):
    with pytest.raises(InputError, match=message):
        person_crops(points, camera_of(), margin, smooth)


def test_bad_squares_and_distorted_lenses_are_refused():
    with pytest.raises(InputError, match="a square"):
        camera_of().cropped(0, 0, 0, 64)
    with pytest.raises(InputError, match="undistorted"):
        replace(camera_of(), distortion=(0.1, 0, 0, 0)).cropped(0, 0, 10, 64)
