"""Folds come where cloth is pressed together, across the pressure, outwards only, and smoothly in time."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from odah.body.mesh import vertex_normals
from odah.clothing.surface import grid_faces
from odah.clothing.wrinkles import Wrinkles


@pytest.fixture(scope="module")
def tube():
    rows, columns, radius = 41, 24, 0.1
    z, phi = np.mgrid[0 : 0.6 : rows * 1j, 0 : 2 * np.pi * (1 - 1 / columns) : columns * 1j]
    vertices = np.stack([radius * np.cos(phi), radius * np.sin(phi), -z], -1).reshape(-1, 3)
    return vertices, grid_faces(rows, columns)


@pytest.fixture(scope="module")
def folded(tube):
    vertices, faces = tube
    wrinkles = Wrinkles.of(vertices, faces, vertices, 1.0)

    def height(posed):
        normals = vertex_normals(posed, faces)
        moved = wrinkles.displacement(posed, sp.csr_matrix(sp.eye(len(vertices))), normals)
        return (moved * normals).sum(1)

    return height


def test_cloth_that_is_not_pressed_has_no_folds(tube, folded):
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    assert np.abs(folded(tube[0] @ turn.T + [1.0, 2, 3])).max() < 1e-9
    assert np.abs(folded(tube[0] * [1, 1, 1.2])).max() < 1e-9


def test_folds_run_across_the_pressure_and_only_outwards(tube, folded):
    height = folded(tube[0] * [1, 1, 0.75])
    assert height.min() >= 0
    assert height.max() > 0.005
    rings = height.reshape(41, 24)[5:-5]
    assert rings.mean(1).std() > rings.mean(0).std(), "rings around a tube that is shortened"


def test_more_pressure_folds_higher_and_little_by_little(tube, folded):
    heights = np.array([folded(tube[0] * [1, 1, s]) for s in np.linspace(1, 0.7, 31)])
    assert (np.diff(heights.max(1)) > -1e-9).all()
    assert np.abs(np.diff(heights, axis=0)).max() < 0.25 * heights.max()


def test_only_the_pressed_part_folds(tube, folded):
    vertices = tube[0].copy()
    low = vertices[:, 2] < -0.3
    vertices[low, 2] = -0.3 + 0.7 * (vertices[low, 2] + 0.3)
    height = folded(vertices)
    assert height[tube[0][:, 2] > -0.15].max() < 1e-9
    assert height[tube[0][:, 2] < -0.4].max() > 0.004
