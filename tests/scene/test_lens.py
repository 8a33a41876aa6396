"""Distortion: against OpenCV, there and back, and a pinhole picture that becomes the distorted one."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from odah.errors import InputError
from odah.scene import Camera, look_at
from odah.scene.distortion import distort, turning_radius, undistort
from odah.scene.lens import LensMap

BARREL, PINCUSHION = (-0.35, 0.15, 0.0, 0.0), (0.3, 0.1, 0.0, 0.0)
SKEWED = (-0.2, 0.05, 0.003, -0.005, 0.01)
LENSES = [BARREL, PINCUSHION, SKEWED]


def camera_of(distortion: tuple[float, ...], width: int = 320, height: int = 240) -> Camera:
    camera = Camera.from_lens("front", look_at([3.0, 0.4, 1.1], [0.0, 0.0, 0.9]), width, height)
    K = camera.K.copy()
    K[1, 1] *= 1.05
    K[:2, 2] += [7, -5]
    return replace(camera, K=K, distortion=distortion)


def points_before(camera: Camera, num: int = 400) -> np.ndarray:
    """World points at random places in and a little around the picture."""
    rng = np.random.default_rng(1)
    pixels = rng.uniform(-0.1, 1.1, size=(num, 2)) * [camera.width, camera.height]
    normalized = (pixels - camera.K[:2, 2]) / np.diag(camera.K)[:2]
    cam = np.column_stack([normalized, np.ones(num)]) * rng.uniform(2, 6, size=(num, 1))
    return cam @ camera.T_world_cam[:3, :3].T + camera.position


coefficient = st.floats(-0.3, 0.3)
small = st.floats(-0.01, 0.01)
four = st.tuples(coefficient, coefficient, small, small)


@settings(max_examples=60, deadline=None)
@given(distortion=four | st.tuples(coefficient, coefficient, small, small, coefficient))
def test_projection_is_opencvs(distortion):
    camera = camera_of(distortion)
    points = points_before(camera)
    T = camera.T_cam_world
    expected, _ = cv2.projectPoints(
        points, cv2.Rodrigues(T[:3, :3])[0], T[:3, 3], camera.K, np.array(distortion)
    )
    found = camera.project(points)
    is_seen = np.isfinite(found).all(1)
    np.testing.assert_allclose(found[is_seen], expected[is_seen, 0], atol=1e-6)
    radius = np.linalg.norm(camera.to_cam(points)[:, :2] / camera.to_cam(points)[:, 2:], axis=1)
    np.testing.assert_array_equal(is_seen, radius < turning_radius(distortion))


@settings(max_examples=80, deadline=None)
@given(
    distortion=st.tuples(coefficient, coefficient, small, small),
    x=st.floats(-0.7, 0.7),
    y=st.floats(-0.7, 0.7),
)
def test_undistorting_is_the_inverse(distortion, x, y):
    point = np.array([[x, y]])
    assume(np.hypot(x, y) < 0.8 * turning_radius(distortion))
    np.testing.assert_allclose(undistort(distort(point, distortion), distortion), point, atol=1e-7)


def test_a_point_far_to_the_side_of_a_barrel_lens_does_not_come_back_into_the_picture():
    camera = camera_of((-0.35, 0.0, 0.0, 0.0))
    assert turning_radius(camera.distortion) == pytest.approx(1 / np.sqrt(3 * 0.35))
    beside = camera.T_world_cam[:3, :3] @ [1.69 * 2, 0.1, 2.0] + camera.position
    folded, _ = cv2.projectPoints(
        np.array([[1.69, 0.05, 1.0]]), np.zeros(3), np.zeros(3), camera.K, np.array(camera.distortion)
    )
    assert 0 < folded[0, 0, 0] < camera.width  # the polynomial alone would show it
    assert np.isnan(camera.project(beside)).all()
    assert not camera.sees(beside)


@pytest.mark.parametrize("distortion", LENSES)
def test_pinhole_pixels_go_where_the_distorted_camera_projects(distortion):
    camera = camera_of(distortion)
    lens = LensMap.of(camera)
    points = points_before(camera)
    pixels = camera.project(points)
    inside = np.all((pixels >= 0) & (pixels <= [camera.width - 1, camera.height - 1]), axis=1)
    assert inside.sum() > 200
    places = pixels[inside].T[::-1]
    found = np.stack([map_coordinates(lens.source[..., axis], places, order=1) for axis in (0, 1)], axis=-1)
    np.testing.assert_allclose(found, lens.pinhole.project(points[inside]), atol=0.05)


@pytest.mark.parametrize("distortion", LENSES)
def test_a_spot_drawn_by_the_pinhole_shows_where_the_distorted_camera_projects(distortion):
    camera = camera_of(distortion)
    lens = LensMap.of(camera)
    columns, rows = np.meshgrid(np.arange(lens.pinhole.width), np.arange(lens.pinhole.height))
    out_columns, out_rows = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
    # The left and upper part of the picture too, where every number differs from the right and lower one's.
    for u, v in [(40, 30), (250, 60), (60, 200), (290, 215), (165, 110)]:
        normalized = undistort((np.array([[u, v]]) - camera.K[:2, 2]) / np.diag(camera.K)[:2], distortion)
        point = camera.T_world_cam[:3, :3] @ [*normalized[0], 1.0] * 3 + camera.position
        x, y = lens.pinhole.project(point)
        spot = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 18).astype(np.float32)
        shown = lens.picture(np.repeat(spot[..., None], 3, axis=2))[..., 0]
        middle = [(shown * out_columns).sum() / shown.sum(), (shown * out_rows).sum() / shown.sum()]
        np.testing.assert_allclose(
            middle, camera.project(point), atol=0.25
        )  # a spot is skewed as well as moved
        labelled = lens.labels(spot > 0.5)
        assert labelled.dtype == bool
        np.testing.assert_array_less(np.abs(shown[labelled] - 0.75), 0.4)


@pytest.mark.parametrize("distortion", LENSES)
def test_the_pinhole_covers_the_distorted_picture_and_not_much_more(distortion):
    camera = camera_of(distortion)
    lens = LensMap.of(camera)
    assert lens.source.shape == (240, 320, 2)
    assert (lens.source >= 0).all()
    assert (lens.source <= [lens.pinhole.width - 1, lens.pinhole.height - 1]).all()
    spare = np.array([lens.pinhole.width, lens.pinhole.height]) - np.ptp(lens.source, axis=(0, 1))
    assert (spare < 8).all()
    assert lens.pinhole.width % 2 == lens.pinhole.height % 2 == 0
    assert not lens.pinhole.is_distorted
    np.testing.assert_allclose(np.diag(lens.pinhole.K), np.diag(camera.K))


def test_a_pinhole_without_distortion_changes_no_pixel():
    camera = camera_of((0.0, 0.0, 0.0, 0.0), 64, 48)
    lens = LensMap.of(camera)
    picture = np.random.default_rng(0).integers(
        0, 255, size=(lens.pinhole.height, lens.pinhole.width, 3), dtype=np.uint8
    )
    np.testing.assert_array_equal(lens.picture(picture), lens.labels(picture))
    numbers = np.arange(picture[..., 0].size, dtype=np.int32).reshape(picture.shape[:2])
    assert np.ptp(np.diff(lens.labels(numbers), axis=1)) == 0


@pytest.mark.parametrize(
    ("distortion", "message"),
    [
        ((-0.5, 0.0, 0.0, 0.0), "fold the picture over"),
        ((0.0, 0.0, 0.4, 0.4), "fold the picture over"),
        ((-0.41, 0.0505, 0.0, 0.0), "fold the picture over|a weaker one"),
    ],
)
def test_a_lens_that_folds_the_picture_is_refused(distortion, message):
    wide = Camera.from_lens("front", look_at([3.0, 0, 1.1], [0.0, 0.0, 0.9]), 320, 240, 14.0)
    with pytest.raises(InputError, match=f"camera front, distortion.*({message})"):
        LensMap.of(replace(wide, distortion=distortion))


def test_a_picture_of_another_size_is_refused():
    lens = LensMap.of(camera_of(BARREL))
    with pytest.raises(InputError, match="rows of"):
        lens.picture(np.zeros((240, 320, 3), np.uint8))
