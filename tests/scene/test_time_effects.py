"""Clocks and rolling shutters: what a camera's picture shows of a motion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odah.clothing.layers import Material, MeshLayer
from odah.errors import InputError
from odah.scene import Camera, look_at
from odah.scene.time_effects import as_seen_by, points_as_seen_by

RATE = 60.0
FRAME = 1 / RATE


def camera_of(**effects) -> Camera:
    camera = Camera.from_lens("front", look_at([3.0, 0.4, 1.1], [0.0, 0.0, 0.9]), 640, 480)
    return replace(camera, **effects)


def row_share(points: np.ndarray, camera: Camera) -> np.ndarray:
    return np.clip(camera.project(points)[..., 1] / (camera.height - 1), 0, 1)


def random_motion(seed: int, num_frames: int = 6, speed: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    start = rng.uniform([-0.5, -0.6, 0.0], [0.5, 0.4, 1.9], size=(1, 20, 3))
    return start + np.cumsum(rng.uniform(-speed, speed, size=(num_frames, 20, 3)), axis=0)


def layer_of(points: np.ndarray) -> MeshLayer:
    faces = np.arange(3 * (points.shape[1] // 3)).reshape(-1, 3)
    return MeshLayer("skin", points.astype(np.float32), faces, Material("skin"))


def test_a_camera_in_time_gets_the_very_same_layers():
    layers = [layer_of(random_motion(0))]
    assert as_seen_by(layers, camera_of(), RATE) is layers
    points = random_motion(0)
    assert points_as_seen_by(points, camera_of(), RATE) is points


@given(offset=st.integers(-9, 9))
def test_a_late_camera_shows_earlier_frames_and_holds_the_ends(offset):
    points = random_motion(1)
    seen = points_as_seen_by(points, camera_of(frame_offset=offset), RATE)
    for frame in range(len(points)):
        np.testing.assert_array_equal(seen[frame], points[min(max(frame - offset, 0), len(points) - 1)])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), readout=st.floats(0, FRAME), offset=st.integers(-3, 3))
def test_what_stands_still_stays_where_it_is(seed, readout, offset):
    points = np.repeat(random_motion(seed, 1), 4, axis=0)
    seen = points_as_seen_by(points, camera_of(readout=readout, frame_offset=offset), RATE)
    np.testing.assert_array_equal(seen, points)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), readout=st.floats(1e-4, FRAME), distorted=st.booleans())
def test_each_point_is_where_it_was_when_its_row_was_read(seed, readout, distorted):
    camera = camera_of(readout=readout, distortion=(-0.1, 0.02, 0.001, -0.002) if distorted else ())
    points = random_motion(seed)
    seen = points_as_seen_by(points, camera, RATE)
    times = readout * RATE * row_share(seen, camera)  # in frames after the frame's own time
    np.testing.assert_allclose(
        seen[:-1], points[:-1] + times[:-1, :, None] * np.diff(points, axis=0), atol=1e-6
    )
    last = points[-1] + times[-1, :, None] * (points[-1] - points[-2])
    np.testing.assert_allclose(seen[-1], last, atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(speed=st.floats(-5, 5), readout=st.floats(1e-4, FRAME))
def test_sideways_motion_is_skewed_by_speed_times_the_time_of_the_row(speed, readout):
    camera = camera_of(readout=readout)
    sideways = camera.T_world_cam[:3, 0]
    pole = np.array([[0.0, 0.1, z] for z in np.linspace(0.1, 1.8, 9)])
    points = pole + speed * FRAME * np.arange(5)[:, None, None] * sideways
    seen = points_as_seen_by(points, camera, RATE)
    skew = (seen - points) @ sideways
    np.testing.assert_allclose(skew, speed * readout * row_share(points, camera), atol=1e-6)
    if speed > 0.5 and readout > 0.005:  # the head is read first, the feet last
        assert (np.diff(skew[0]) < 0).all()


def test_vertices_and_points_agree_and_the_rest_of_a_layer_stays():
    camera = camera_of(readout=0.012, frame_offset=1)
    points = random_motion(5).astype(np.float32)
    layer = replace(layer_of(points), owners=np.arange(20))
    (seen,) = as_seen_by([layer], camera, RATE)
    np.testing.assert_allclose(
        seen.vertices, points_as_seen_by(points.astype(float), camera, RATE), atol=1e-6
    )
    assert seen.vertices.dtype == np.float32
    assert seen.faces is layer.faces
    assert seen.owners is layer.owners


def test_points_out_of_the_picture_are_read_with_its_first_or_last_row():
    camera = camera_of(readout=0.01)
    step = np.array([0.0, 0.01, 0.0])
    far = np.array([[0.0, 0.0, 5.0], [0.0, 0.0, -5.0], [9.0, 0.0, 1.0]])  # above, below, behind
    points = far + np.arange(3)[:, None, None] * step
    seen = points_as_seen_by(points, camera, RATE)
    shares = np.array([0.0, 1.0, 0.0]) * 0.01 * RATE
    np.testing.assert_allclose(
        seen - points, np.broadcast_to(shares[:, None] * step, points.shape), atol=1e-9
    )


def test_one_frame_has_no_motion_and_a_slow_readout_is_refused():
    points = random_motion(2, 1)
    np.testing.assert_array_equal(points_as_seen_by(points, camera_of(readout=0.01), RATE), points)
    with pytest.raises(InputError, match=r"at most the 0\.0167 s of a frame"):
        points_as_seen_by(points, camera_of(readout=0.02), RATE)
