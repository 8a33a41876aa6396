"""Garments are closed tubes with sound skinning, cut from any T-pose mesh."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import KDTree

from odah.clothing.finish import finish
from odah.clothing.patterns import LOWERS, UPPERS, cloth_field, garment_pattern
from odah.clothing.rest_body import RestBody
from odah.clothing.surface import boundary_edges, boundary_loops, directed_edges
from odah.clothing.tailor import sew

OPENINGS = {**dict.fromkeys(UPPERS, 4), **dict.fromkeys(LOWERS, 3)}


@pytest.fixture(scope="module")
def garments(rest):
    return {kind: sew(rest, garment_pattern(kind)) for kind in OPENINGS}


@pytest.mark.parametrize("kind", OPENINGS)
def test_a_garment_is_closed_but_for_its_openings(garments, kind):
    faces = garments[kind].surface.faces
    assert len(boundary_loops(faces)) == OPENINGS[kind]
    edges = directed_edges(faces)
    assert len(np.unique(edges, axis=0)) == len(edges)
    euler = faces.max() + 1 - len(np.unique(np.sort(edges, 1), axis=0)) + len(faces)
    assert euler == 2 - OPENINGS[kind], "a sphere with holes"


@pytest.mark.parametrize("kind", OPENINGS)
def test_weights_sum_to_one(garments, kind):
    garment = garments[kind]
    np.testing.assert_allclose(garment.surface.weights.sum(1), 1)
    assert garment.surface.weights.min() >= 0
    np.testing.assert_allclose(np.asarray(garment.to_skin.sum(1)).ravel(), 1)


@pytest.mark.parametrize("kind", OPENINGS)
def test_left_and_right_are_alike(garments, kind):
    points = garments[kind].surface.vertices
    distance, _ = KDTree(points).query(points * [-1, 1, 1])
    assert np.median(distance) < 0.003
    assert abs(points[:, 0].max() + points[:, 0].min()) < 0.004


@pytest.mark.parametrize("kind", ["tshirt", "trousers"])
def test_hems_are_straight(garments, kind, rest):
    """Sleeve ends lie in a plane across the arm, leg ends in a level plane."""
    loops = boundary_loops(garments[kind].surface.faces)
    axis = 0 if kind == "tshirt" else 1
    ends = sorted(loops, key=lambda loop: np.ptp(garments[kind].surface.vertices[loop, axis]))[:2]
    for loop in ends:
        assert np.ptp(garments[kind].surface.vertices[loop, axis]) < 0.015


def test_a_wider_fit_is_wider(rest):
    def hem_length(looseness):
        garment = sew(rest, garment_pattern("tshirt"), looseness)
        ends = garment.surface.vertices[boundary_edges(garment.surface.faces)]
        return np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1).sum()

    assert hem_length(1.0) > hem_length(0.0) + 0.1


def test_longer_patterns_cover_more(rest):
    def covered(kind):
        return (cloth_field(rest, garment_pattern(kind)) > 0).sum()

    assert covered("vest") < covered("tshirt") < covered("long_sleeve")
    assert covered("short_shorts") < covered("shorts") < covered("trousers")


@pytest.mark.parametrize("kind", ["tshirt", "shorts"])
def test_texture_lies_at_true_scale_and_closes(garments, rest, kind):
    """A texture tile covers 25 cm of cloth, roughly; the doubled vertices of a seam differ by whole tiles."""
    garment = garments[kind]
    mesh = finish(garment, rest)
    points = mesh.combine @ garment.surface.vertices
    drawn = (mesh.inset[mesh.faces] == 0).all(1)
    edges = directed_edges(mesh.faces[drawn])
    length = np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)
    tiles = np.linalg.norm(mesh.uv[edges[:, 0]] - mesh.uv[edges[:, 1]], axis=1)
    scale = (0.25 * tiles / length)[length > 1e-3]
    assert 0.85 < np.median(scale) < 1.15
    assert np.percentile(scale, 2) > 0.4
    assert np.percentile(scale, 98) < 2.0
    twins = KDTree(points[mesh.inset == 0]).query_pairs(1e-9, output_type="ndarray")
    step = mesh.uv[mesh.inset == 0][twins[:, 0]] - mesh.uv[mesh.inset == 0][twins[:, 1]]
    is_wrap = (np.abs(step[:, 1]) < 1e-9) & (np.abs(points[mesh.inset == 0][twins[:, 0], 0]) > 0.005)
    assert is_wrap.any()
    np.testing.assert_allclose(step[is_wrap], np.round(step[is_wrap]), atol=1e-9)


def test_garments_need_only_a_mesh_joints_and_weights(rest):
    """No vertex numbers: a body with its vertices shuffled gets the same clothes."""
    order = np.random.default_rng(0).permutation(len(rest.vertices))
    back = np.argsort(order)
    shuffled = RestBody(rest.vertices[order], back[rest.faces], rest.weights[order], rest.joints)
    ours, theirs = sew(rest, garment_pattern("shorts")), sew(shuffled, garment_pattern("shorts"))
    assert ours.surface.num_vertices == theirs.surface.num_vertices
    distance, _ = KDTree(ours.surface.vertices).query(theirs.surface.vertices)
    assert distance.max() < 1e-3  # ties between equally near cuts fall differently
