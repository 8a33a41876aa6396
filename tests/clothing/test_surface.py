"""Cutting, smoothing and subdividing triangle meshes."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from odah.body.mesh import vertex_normals
from odah.clothing.subdivision import loop_subdivision
from odah.clothing.surface import (
    Surface,
    boundary_edges,
    boundary_loops,
    clip,
    cut,
    directed_edges,
    grid_faces,
    smoothing_matrix,
)


def tube(rows=7, columns=12, radius=0.3):
    z, phi = np.mgrid[0 : 1 : rows * 1j, 0 : 2 * np.pi * (1 - 1 / columns) : columns * 1j]
    vertices = np.stack([radius * np.cos(phi), radius * np.sin(phi), -z], -1).reshape(-1, 3)
    weights = np.zeros((len(vertices), 55))
    weights[:, 0], weights[:, 1] = z.ravel(), 1 - z.ravel()
    return Surface(vertices, grid_faces(rows, columns), weights)


def area(surface):
    a, b, c = (surface.vertices[surface.faces[:, k]] for k in range(3))
    return 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1).sum()


def test_normals_of_a_tube_point_outwards():
    surface = tube()
    outwards = surface.vertices * [1, 1, 0] / 0.3
    assert (vertex_normals(surface.vertices, surface.faces) * outwards).sum(1).min() > 0.9


@settings(max_examples=40, deadline=None)
@given(st.floats(-0.9, 0.9), st.floats(0, 2 * np.pi), st.floats(-0.5, 0.5))
def test_a_cut_loses_no_surface_and_puts_each_face_on_its_side(height, turn, tilt):
    surface = tube()
    normal = np.array([tilt * np.cos(turn), tilt * np.sin(turn), 1.0])
    field = surface.vertices @ normal + 0.5 + 0.4 * height
    refined, is_positive, parents = cut(surface, field)
    assert abs(area(refined) / area(surface) - 1) < 0.02  # vertices near the line move onto it
    value = refined.vertices @ normal + 0.5 + 0.4 * height
    assert (value[refined.faces[is_positive]] > -1e-9).all()
    assert (value[refined.faces[~is_positive]] < 1e-9).all()
    np.testing.assert_allclose(refined.weights.sum(1), 1)
    assert set(parents) == set(range(len(surface.faces)))
    assert len(boundary_edges(refined.faces)) >= len(boundary_edges(surface.faces))
    edges = directed_edges(refined.faces)
    assert len(np.unique(edges, axis=0)) == len(edges), "an edge is used twice in one direction"


def test_clipping_a_tube_leaves_two_rims_and_interpolated_weights():
    piece = clip(tube(), -tube().vertices[:, 2] - 0.37)
    assert len(boundary_loops(piece.faces)) == 2
    np.testing.assert_allclose(piece.weights[:, 0], -piece.vertices[:, 2], atol=1e-12)
    assert piece.vertices[:, 2].max() < -0.37 + 1e-9


def test_smoothing_is_a_mean_that_keeps_rims_in_place():
    surface = tube()
    matrix = smoothing_matrix(surface.faces, surface.num_vertices)
    np.testing.assert_allclose(matrix @ np.ones(surface.num_vertices), 1)
    moved = matrix @ surface.vertices
    top = surface.vertices[:, 2] == 0
    np.testing.assert_allclose(moved[top, 2], 0, atol=1e-12)


def test_subdivision_keeps_flat_cloth_flat_and_weights_affine():
    surface = tube()
    matrix, faces = loop_subdivision(surface.faces, surface.num_vertices)
    np.testing.assert_allclose(matrix @ np.ones(surface.num_vertices), 1)
    assert len(faces) == 4 * len(surface.faces)
    flat = surface.vertices * [1, 1, 0]
    assert np.abs((matrix @ flat)[:, 2]).max() == 0
    assert len(boundary_loops(faces)) == 2


def test_children_of_a_face_lie_on_it():
    surface = tube()
    matrix, faces = loop_subdivision(surface.faces, surface.num_vertices)
    fine = matrix @ surface.vertices
    centres = fine[faces].mean(1).reshape(4, -1, 3)
    parents = surface.vertices[surface.faces].mean(1)
    assert np.linalg.norm(centres - parents, axis=2).max() < 0.15
