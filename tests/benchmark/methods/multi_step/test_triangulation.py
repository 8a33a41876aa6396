"""Points from pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from odah.benchmark.methods.multi_step.triangulation import triangulate, undistorted
from odah.scene.camera import Camera, look_at

PLACES = ((4.0, -2.0, 1.2), (1.2, 4.5, 1.0), (-3.5, -2.0, 1.6))
FOLDING = (-0.35, 0.0, 0.0, 0.0)
"""No pixel farther from the middle than 0.65 focal lengths shows anything."""
LENS = (-0.2, 0.08, 0.003, -0.002, 0.01)


def cameras(distortion: tuple[float, ...] = LENS) -> list[Camera]:
    lenses = [Camera.from_lens(f"c{k}", look_at(p, (0, 0, 0.9)), 1280, 960) for k, p in enumerate(PLACES)]
    return [lenses[0], replace(lenses[1], distortion=distortion), lenses[2]]


@settings(max_examples=25)
@given(arrays(float, (5, 3), elements=st.floats(-0.8, 0.8)), st.sampled_from([2, 3]))
def test_exact_pixels_give_the_points(offsets, num_views):
    points = offsets + np.array([0.0, 0.0, 0.9])
    used = cameras()[:num_views]
    pixels = np.stack([camera.project(points) for camera in used])
    confidence = np.random.default_rng(0).uniform(0.2, 1, pixels.shape[:-1])
    found = triangulate(used, pixels, confidence, max_error_px=1.0)
    np.testing.assert_allclose(found.points, points, atol=1e-7)
    np.testing.assert_array_less(found.errors_px, 1e-4)
    assert (found.num_views == num_views).all()


def test_fewer_than_two_views_give_none():
    points = np.array([[0.1, 0.2, 1.0], [0.0, 0.3, 0.5], [0.3, -0.2, 1.4]])
    pixels = np.stack([camera.project(points) for camera in cameras()])
    confidence = np.ones(pixels.shape[:-1])
    confidence[1:, 0] = 0
    pixels[:2, 1] = np.nan
    confidence[:, 2] = 0
    found = triangulate(cameras(), pixels, confidence)
    assert np.isnan(found.points).all()
    assert np.isnan(found.errors_px).all()
    assert (found.num_views == 0).all()


def test_the_surer_view_counts_more():
    point = np.array([[0.1, 0.2, 1.0]])
    used = cameras()
    pixels = np.stack([camera.project(point) for camera in used])
    pixels[2] += [12.0, -9.0]
    errors = []
    for sure in (1.0, 0.3, 0.01):
        confidence = np.array([[1.0], [1.0], [sure]])
        errors.append(np.linalg.norm(triangulate(used, pixels, confidence).points - point))
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.1 * errors[0]


def test_a_view_that_misses_is_left_out():
    points = np.array([[0.1, 0.2, 1.0], [0.0, 0.3, 0.5]])
    pixels = np.stack([camera.project(points) for camera in cameras()])
    pixels[0, 0] += [150.0, 80.0]
    confidence = np.ones(pixels.shape[:-1])
    found = triangulate(cameras(), pixels, confidence, max_error_px=5.0)
    np.testing.assert_allclose(found.points, points, atol=1e-6)
    np.testing.assert_array_equal(found.num_views, [2, 3])
    # Two views that contradict each other cannot be mended.
    pair = triangulate(cameras()[:2], pixels[:2], confidence[:2], max_error_px=5.0)
    assert np.isnan(pair.points[0]).all()
    np.testing.assert_allclose(pair.points[1], points[1], atol=1e-6)


def test_noise_of_one_pixel_is_spread_as_least_squares_spread_it():
    rng = np.random.default_rng(1)
    used, point = cameras(()), np.array([0.1, 0.2, 1.0])
    exact = np.stack([camera.project(point) for camera in used])
    jacobian = np.concatenate(
        [(camera.project(point + 1e-6 * np.eye(3)) - exact[v]).T / 1e-6 for v, camera in enumerate(used)]
    )
    noisy = exact[:, None] + rng.standard_normal((3, 4000, 2))
    found = triangulate(used, noisy, np.ones((3, 4000)))
    np.testing.assert_allclose(
        np.cov(found.points.T), np.linalg.inv(jacobian.T @ jacobian), rtol=0.15, atol=2e-7
    )


def test_one_camera_twice_or_a_point_behind_tells_nothing():
    camera = cameras()[0]
    pixels = np.stack([camera.project(np.array([[0.1, 0.2, 1.0]]))] * 2)
    assert np.isnan(triangulate([camera, camera], pixels, np.ones((2, 1))).points).all()
    first, second = cameras(())[:2]
    behind = np.array([[10.0, -6.0, 1.2]])  # of the first
    seen = np.stack([2 * first.K[:2, 2] - first.project(np.zeros((1, 3))), second.project(behind)])
    assert np.isnan(triangulate([first, second], seen, np.ones((2, 1))).points).all()


@pytest.mark.parametrize("distortion", [LENS, FOLDING])
def test_lenses_are_undone_or_have_no_answer(distortion):
    camera = cameras(distortion)[1]
    columns, rows = np.meshgrid(np.linspace(0, 1279, 9), np.linspace(0, 959, 7))
    pixels = np.stack([columns, rows], axis=-1)
    rays = undistorted(camera, pixels)
    deep = np.concatenate([rays, np.ones((*rays.shape[:-1], 1))], axis=-1)
    again = camera.project(deep @ camera.T_world_cam[:3, :3].T + camera.position)
    known = np.isfinite(rays).all(-1)
    assert known[2:-2, 2:-2].all()
    np.testing.assert_allclose(again[known], pixels[known], atol=1e-5)
    assert np.isnan(undistorted(camera, np.full((2, 2), np.nan))).all()
    assert np.isnan(undistorted(camera, np.array([[90_000.0, 3.0]]))).all() == (distortion == FOLDING)
