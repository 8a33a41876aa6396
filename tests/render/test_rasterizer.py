"""The rasterizer against rays cast at every triangle, against shapes of known outline, and at the borders."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from odah.render import Rasterizer
from odah.render.rasterizer import compiled
from odah.scene import Camera, look_at

WIDTH, HEIGHT = 60, 40


def camera_at(x: float, y: float = 0.2, z: float = 0.3, aspect: float = 1.0) -> Camera:
    """Looks at the origin; pixels `aspect` times as high as wide, lens off centre."""
    camera = Camera.from_lens("view", look_at([x, y, z], [0.0, 0.0, 0.0]), WIDTH, HEIGHT)
    K = camera.K.copy()
    K[1, 1] /= aspect
    K[:2, 2] += [3.3, -2.1]
    return Camera("view", K, camera.T_world_cam, WIDTH, HEIGHT, 33.0, 36.0)


def cast_rays(vertices: np.ndarray, faces: np.ndarray, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """(H, W, F) depth at which the ray through each pixel centre meets each triangle, inf where it misses,
    and how far inside the triangle that is (its smallest barycentric share, negative outside)."""
    columns, rows = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
    pixels = np.stack([columns, rows, np.ones_like(rows)], axis=-1)
    rays = pixels @ np.linalg.inv(camera.K).T
    a, b, c = np.moveaxis(camera.to_cam(vertices)[faces], 1, 0)
    volumes = np.stack([rays @ np.cross(p, q).T for p, q in ((b, c), (c, a), (a, b))])
    with np.errstate(all="ignore"):
        shares = (volumes / volumes.sum(0)).min(0)
        depth = np.linalg.det(np.stack([a, b, c], axis=1)) / volumes.sum(0)
    return np.where((shares > 0) & (depth > 0), depth, np.inf), shares


def random_mesh(seed: int, num_triangles: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    vertices = rng.normal(scale=0.6, size=(12, 3))
    return vertices, np.array([rng.choice(12, 3, replace=False) for _ in range(num_triangles)])


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), num_triangles=st.integers(1, 30), aspect=st.sampled_from([1.0, 0.6, 1.7]))
def test_every_pixel_sees_the_triangle_its_ray_meets_first(seed, num_triangles, aspect):
    vertices, faces = random_mesh(seed, num_triangles)
    camera = camera_at(4.0, aspect=aspect)
    raster = Rasterizer(faces).draw(vertices, camera)
    depths, _ = cast_rays(vertices, faces, camera)
    nearest = depths.min(-1)
    np.testing.assert_array_equal(raster.triangle >= 0, np.isfinite(nearest))
    np.testing.assert_allclose(raster.depth, nearest, rtol=2e-6)
    # of the triangle it names, the ray meets it there; triangles that cross may both be there
    rows, columns = np.nonzero(raster.triangle >= 0)
    named = depths[rows, columns, raster.triangle[rows, columns]]
    np.testing.assert_allclose(named, nearest[rows, columns], rtol=2e-6)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_triangles_that_reach_behind_the_camera_show_what_is_before_it(seed):
    vertices, faces = random_mesh(seed, 8)
    camera = camera_at(0.5)
    raster = Rasterizer(faces).draw(vertices, camera)
    depths, shares = cast_rays(vertices, faces, camera)
    depths[depths < 0.02] = np.inf
    is_clear = (np.abs(shares) > 1e-9).all(-1) & (np.abs(depths - 0.02) > 1e-9).all(-1)
    np.testing.assert_array_equal((raster.triangle >= 0)[is_clear], np.isfinite(depths.min(-1))[is_clear])
    np.testing.assert_allclose(raster.depth[is_clear], depths.min(-1)[is_clear], rtol=1e-5)


def test_a_sphere_has_its_outline_and_its_depth():
    sphere = trimesh.creation.icosphere(subdivisions=4, radius=0.5)
    camera = camera_at(2.0, aspect=0.8)
    raster = Rasterizer(sphere.faces).draw(sphere.vertices, camera)
    columns, rows = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    rays = np.stack([columns, rows, np.ones_like(rows)], axis=-1) @ np.linalg.inv(camera.K).T
    center = camera.to_cam(np.zeros(3))
    along, squared = rays @ center, (rays**2).sum(-1)
    inside = along**2 - squared * (center @ center - 0.25)
    depth = (along - np.sqrt(np.maximum(inside, 0))) / squared
    np.testing.assert_array_equal(
        (raster.triangle >= 0)[np.abs(inside) > 0.03], (inside > 0)[np.abs(inside) > 0.03]
    )
    is_clear = inside > 0.03
    assert is_clear.sum() > 200
    np.testing.assert_allclose(raster.depth[is_clear], depth[is_clear], atol=3e-3)
    # no holes: every row is one run
    assert (np.diff(np.pad(raster.triangle >= 0, ((0, 0), (1, 1))).astype(int), axis=1) == 1).sum(
        1
    ).max() == 1


def test_a_cube_shows_the_faces_turned_to_the_camera():
    cube = trimesh.creation.box(extents=[0.4, 0.6, 0.3])
    camera = camera_at(2.0, y=1.0, z=0.9)
    raster = Rasterizer(cube.faces).draw(cube.vertices, camera)
    seen = np.unique(raster.triangle[raster.triangle >= 0])
    toward = (camera.position - cube.triangles_center[seen]) * cube.face_normals[seen]
    assert len(seen) == 6
    assert (toward.sum(-1) > 0).all()
    assert raster.depth.min() >= camera.to_cam(cube.vertices)[:, 2].min() - 1e-6


@pytest.mark.parametrize("is_flipped", [False, True])
def test_shared_edges_through_pixel_centres_are_drawn_once(is_flipped):
    """A square cut along a diagonal through pixel centres: its halves share no pixel and miss none."""
    camera = Camera("view", np.array([[8.0, 0, 0], [0, 8.0, 0], [0, 0, 1]]), np.eye(4), 12, 12, 33.0, 36.0)
    square = np.array([[1.0, 1, 8], [9, 1, 8], [9, 9, 8], [1, 9, 8]])
    faces = np.array([[0, 1, 2], [2, 3, 0]])[:, :: -1 if is_flipped else 1]
    apart = [Rasterizer(face).draw(square, camera).triangle >= 0 for face in faces]
    assert not (apart[0] & apart[1]).any()
    expected = np.zeros((12, 12), bool)
    expected[1:9, 1:9] = True  # left and top edges are inside, right and bottom ones not
    np.testing.assert_array_equal(apart[0] | apart[1], expected)
    np.testing.assert_array_equal(Rasterizer(faces).draw(square, camera).triangle >= 0, expected)


def test_what_is_outside_the_picture_or_behind_the_camera_draws_nothing():
    faces = np.array([[0, 1, 2]])
    camera = camera_at(2.0)
    axis = camera.T_world_cam[:3, 2]
    triangle = np.array([[0.0, -0.1, 0.0], [0.0, 0.1, 0.0], [0.0, 0.0, 0.1]])
    rasterizer = Rasterizer(faces)
    assert (rasterizer.draw(triangle, camera).triangle >= 0).any()
    for elsewhere in (triangle - 5 * axis, triangle + 9.0):
        raster = rasterizer.draw(elsewhere, camera)
        assert not (raster.triangle >= 0).any()
        assert np.isinf(raster.depth).all()


def test_a_floor_that_reaches_behind_the_camera_fills_the_lower_half():
    camera = Camera.from_lens("view", look_at([0.0, 0.0, 1.0], [1.0, 0.0, 1.0]), WIDTH, HEIGHT)
    floor = np.array([[-1e4, -1e5, 0.0], [1e5, -1e5, 0.0], [1e5, 1e5, 0.0], [-1e4, 1e5, 0.0]])
    raster = Rasterizer(np.array([[0, 1, 2], [0, 2, 3]])).draw(floor, camera)
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[HEIGHT // 2 :] = True
    np.testing.assert_array_equal(raster.triangle >= 0, expected)
    below = np.arange(HEIGHT // 2, HEIGHT) - camera.K[1, 2]
    np.testing.assert_allclose(raster.depth[HEIGHT // 2 :, 7], camera.K[1, 1] / below, rtol=1e-5)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e308])
def test_triangles_that_are_not_finite_or_have_no_area_are_left_out(bad):
    camera = camera_at(2.0)
    vertices = np.array([[0.0, -0.3, 0], [0, 0.3, 0], [0, 0, 0.3], [0, bad, 0], [bad, 0, 0], [bad, bad, bad]])
    good = Rasterizer(np.array([[0, 1, 2]])).draw(vertices, camera)
    faces = np.array([[0, 1, 2], [0, 1, 3], [1, 2, 4], [3, 4, 5], [5, 5, 5], [0, 0, 1], [2, 2, 2]])
    raster = Rasterizer(faces).draw(vertices, camera)
    if abs(bad) == np.inf or np.isnan(bad):
        np.testing.assert_array_equal(raster.triangle, good.triangle)
    assert (raster.triangle[good.triangle >= 0] >= 0).all()
    assert np.isfinite(raster.depth[good.triangle >= 0]).all()


def test_of_two_at_the_same_place_the_first_is_kept():
    camera = camera_at(2.0)
    triangle = np.array([[0.5, -0.1, -0.2], [0.5, 0.1, -0.2], [0.5, 0.0, 0.3]])
    raster = Rasterizer(np.array([[0, 1, 2], [0, 1, 2], [2, 0, 1]])).draw(triangle, camera)
    assert set(np.unique(raster.triangle)) == {-1, 0}


def test_wrong_use_is_refused():
    camera, vertices = camera_at(2.0), np.zeros((3, 3))
    with pytest.raises(ValueError, match="negative"):
        Rasterizer(np.array([[0, 1, -1]]))
    with pytest.raises(ValueError, match="name 4"):
        Rasterizer(np.array([[0, 1, 3]])).draw(vertices, camera)
    bent = Camera("view", camera.K, camera.T_world_cam, 60, 40, 33.0, 36.0, distortion=(0.1, 0, 0, 0))
    with pytest.raises(ValueError, match="pinhole"):
        Rasterizer(np.array([[0, 1, 2]])).draw(vertices, bent)


def test_code_that_cannot_be_kept_on_disk_is_compiled_all_the_same():
    namespace: dict = {}
    exec("def twice(x):\n    return 2 * x", namespace)  # no file, so no place for a cache
    assert compiled(namespace["twice"])(21) == 42
