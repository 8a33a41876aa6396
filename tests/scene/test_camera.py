"""Camera matrices and projection."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odah.errors import InputError
from odah.scene import Camera, intrinsics, look_at

coordinate = st.floats(-5, 5, allow_nan=False, width=32)
point = st.tuples(coordinate, coordinate, coordinate).map(np.array)


def camera_at(position=(3.0, 0.5, 1.1), target=(0.0, 0.0, 0.9), width=1080, height=720) -> Camera:
    return Camera.from_lens("front", look_at(position, target), width, height)


def test_the_papers_lens_on_the_papers_picture():
    K = intrinsics(1080, 720, 33.0, 36.0)
    np.testing.assert_allclose(K, [[990, 0, 539.5], [0, 990, 359.5], [0, 0, 1]])


def test_target_is_in_the_middle_and_up_is_up():
    camera = camera_at()
    np.testing.assert_allclose(camera.project([0.0, 0.0, 0.9]), [539.5, 359.5], atol=1e-9)
    assert camera.project([0.0, 0.0, 1.9])[1] < 300
    # Looking along -x, the person's left when they face the camera (+y) is on the picture's right.
    assert camera.project([0.0, 1.0, 0.9])[0] > 700


@given(position=point, target=point, world=point)
def test_projection_is_K_times_camera_coordinates(position, target, world):
    if np.linalg.norm((target - position)[:2]) < 1e-2:
        return
    camera = camera_at(position, target, 640, 360)
    rotation = camera.T_world_cam[:3, :3]
    np.testing.assert_allclose(rotation.T @ rotation, np.eye(3), atol=1e-9)
    assert np.linalg.det(rotation) > 0
    np.testing.assert_allclose(camera.T_world_cam @ camera.T_cam_world, np.eye(4), atol=1e-9)
    homogeneous = camera.K @ (camera.T_cam_world @ [*world, 1.0])[:3]
    if homogeneous[2] > 0.01:
        expected = homogeneous[:2] / homogeneous[2]
        np.testing.assert_allclose(camera.project(world), expected, rtol=1e-7, atol=1e-6)
    elif homogeneous[2] < -1e-9:
        assert np.isnan(camera.project(world)).all()


def test_sees_counts_from_the_outer_edges_of_the_pixels():
    camera = camera_at(width=100, height=50)
    f = camera.K[0, 0]

    def at(x: float, y: float) -> np.ndarray:
        return camera.T_world_cam[:3, :3] @ [(x - 49.5) / f, (y - 24.5) / f, 1.0] + camera.position

    assert camera.sees(at(-0.49, 20))
    assert not camera.sees(at(-0.51, 20))
    assert camera.sees(at(99.49, 49.49))
    assert not camera.sees(at(99.49, 49.51))
    assert not camera.sees(at(5, 25), margin=0.1)
    assert not camera.sees(camera.position - camera.T_world_cam[:3, 2])


def test_pixels_need_not_be_square():
    camera = replace(camera_at(), K=np.array([[900.0, 0, 500], [0, 1100.0, 400], [0, 0, 1]]))
    x, y, z = 0.3, -0.2, 2.0
    point = camera.T_world_cam @ [x, y, z, 1.0]
    np.testing.assert_allclose(camera.project(point[:3]), [900 * x / z + 500, 1100 * y / z + 400])


def test_round_trip_through_json():
    effects = {"distortion": (0.1, -0.02, 0.0, 0.001), "readout": 0.01, "frame_offset": -2, "crf": 30}
    for camera in (camera_at(), replace(camera_at(), **effects, exposure=-0.5)):
        again = Camera.from_dict(json.loads(json.dumps(camera.to_dict())))
        assert again.to_dict() == camera.to_dict()
        assert again.distortion == camera.distortion


def test_a_description_from_before_there_were_effects_is_read():
    values = {**camera_at().to_dict()}
    for key in ("distortion", "readout", "frame_offset", "exposure", "crf"):
        del values[key]
    camera = Camera.from_dict(values)
    assert not camera.is_distorted
    assert (camera.readout, camera.frame_offset, camera.exposure, camera.crf) == (0, 0, 0, None)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("distortion", (0.1, 0.2), r"distortion: found \[0.1, 0.2\]"),
        ("distortion", (0.1, 0.2, np.nan, 0), "distortion"),
        ("readout", -0.01, "readout"),
        ("readout", np.inf, "readout"),
        ("exposure", np.nan, "exposure"),
        ("crf", 52, "0 to 51"),
        ("T_world_cam", np.diag([1.0, 1.0, -1.0, 1.0]), "a rotation and a position"),
        ("T_world_cam", np.diag([1.0, 1.0, 1.0, 2.0]), "a rotation and a position"),
        ("K", np.array([[100, 3, 50], [0, 100, 50], [0, 0, 1.0]]), "fx, 0, cx"),
    ],
)
def test_effects_and_matrices_out_of_bounds_are_refused(field, value, message):
    with pytest.raises(InputError, match=message):
        replace(camera_at(), **{field: value})


def test_bad_cameras_are_refused():
    with pytest.raises(InputError, match="0 x 720 pixels"):
        camera_at(width=0)
    with pytest.raises(InputError, match="T_world_cam"):
        Camera.from_lens("front", np.full((4, 4), np.nan), 100, 100)
    with pytest.raises(InputError, match="two positive"):
        Camera("front", np.diag([100.0, -90.0, 1.0]), np.eye(4), 100, 100, 33.0, 36.0)
    with pytest.raises(InputError, match="not vertical"):
        look_at([0.0, 0.0, 3.0], [0.0, 0.0, 0.0])
