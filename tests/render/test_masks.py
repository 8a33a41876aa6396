"""The mask rasterizer against one triangle at a time, and at the borders of the picture."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from odah.render import SilhouetteRasterizer, draw_masks
from odah.scene import Camera, look_at

WIDTH, HEIGHT = 60, 40


def camera_at(x: float, y: float = 0.2, z: float = 0.3) -> Camera:
    return Camera.from_lens("view", look_at([x, y, z], [0.0, 0.0, 0.0]), WIDTH, HEIGHT)


def inside_any_triangle(corners: np.ndarray) -> np.ndarray:
    """(H, W) bool by half-plane tests of every pixel centre against every triangle (F, 3, 2)."""
    pixels = np.stack(np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT)), axis=-1)[..., None, :]
    sides = []
    for k in range(3):
        a, b = corners[:, k], corners[:, (k + 1) % 3]
        edge, to_pixel = b - a, pixels - a
        sides.append(edge[:, 0] * to_pixel[..., 1] - edge[:, 1] * to_pixel[..., 0])
    sides = np.stack(sides)
    return np.any((sides > 0).all(0) | (sides < 0).all(0), axis=-1)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), num_triangles=st.integers(1, 30))
def test_any_triangles_give_the_union_of_their_pixel_centres(seed, num_triangles):
    rng = np.random.default_rng(seed)
    vertices = rng.normal(scale=0.6, size=(12, 3))
    faces = np.array([rng.choice(12, 3, replace=False) for _ in range(num_triangles)])
    camera = camera_at(4.0)
    mask = SilhouetteRasterizer(faces).draw(vertices, camera)
    np.testing.assert_array_equal(mask, inside_any_triangle(camera.project(vertices)[faces]))


def test_a_closed_mesh_equals_its_triangles_and_has_no_holes():
    sphere = trimesh.creation.icosphere(subdivisions=2, radius=0.5)
    camera = camera_at(2.0)
    mask = SilhouetteRasterizer(sphere.faces).draw(sphere.vertices, camera)
    corners = camera.project(sphere.vertices)[sphere.faces]
    # pixel centres exactly on an edge are the only ones the half-plane test leaves out
    assert (mask & ~inside_any_triangle(corners)).sum() == 0
    assert (np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(int), axis=1) == 1).sum(1).max() == 1
    distance = np.linalg.norm(camera.position)
    radius_px = camera.K[0, 0] * 0.5 / np.sqrt(distance**2 - 0.25)
    assert mask.sum() == pytest.approx(np.pi * radius_px**2, rel=0.04)


def test_what_is_outside_the_picture_or_behind_the_camera_draws_nothing():
    faces = np.array([[0, 1, 2]])
    camera = camera_at(2.0)
    axis = camera.T_world_cam[:3, 2]
    triangle = np.array([[0.0, -0.1, 0.0], [0.0, 0.1, 0.0], [0.0, 0.0, 0.1]])
    assert SilhouetteRasterizer(faces).draw(triangle, camera).any()
    assert not SilhouetteRasterizer(faces).draw(triangle - 5 * axis, camera).any()
    assert not SilhouetteRasterizer(faces).draw(triangle + 9.0, camera).any()


def test_a_floor_that_reaches_behind_the_camera_fills_the_lower_half():
    camera = Camera.from_lens("view", look_at([0.0, 0.0, 1.0], [1.0, 0.0, 1.0]), WIDTH, HEIGHT)
    floor = np.array([[-1e4, -1e5, 0.0], [1e5, -1e5, 0.0], [1e5, 1e5, 0.0], [-1e4, 1e5, 0.0]])
    mask = SilhouetteRasterizer(np.array([[0, 1, 2], [0, 2, 3]])).draw(floor, camera)
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[HEIGHT // 2 :] = True
    np.testing.assert_array_equal(mask, expected)


def test_layers_are_joined_frame_by_frame(make_person, make_scene):
    (puppet,) = make_person(3)
    camera = make_scene([puppet]).camera("front")
    alone = list(draw_masks([puppet], camera))
    twice = list(draw_masks([puppet, puppet], camera))
    assert len(alone) == 3
    np.testing.assert_array_equal(alone, twice)
    assert (alone[0] != alone[2]).any()
