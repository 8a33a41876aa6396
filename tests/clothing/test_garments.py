"""Garments are closed tubes with sound skinning, cut from any T-pose mesh."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import KDTree

from odah.body.mesh import vertex_normals
from odah.clothing.finish import finish
from odah.clothing.patterns import LOWERS, UPPERS, cloth_field, garment_pattern
from odah.clothing.rest_body import RestBody
from odah.clothing.surface import boundary_edges, boundary_loops, directed_edges
from odah.clothing.tailor import COLLAR_PANEL, sew

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
    assert np.median(distance) < 0.004
    assert abs(points[:, 0].max() + points[:, 0].min()) < 0.004


@pytest.mark.parametrize("kind", ["tshirt", "leggings"])
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
    assert covered("shorts") < covered("knee_length") < covered("leggings") < covered("trousers")


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


@pytest.mark.parametrize("shape", [(1.66, 39.0, "female"), (1.45, 17.0, "female"), (2.0, 33.0, "male")])
def test_garments_of_any_body_keep_their_openings(body, shape):
    """A vest keeps its straps, a long shirt does not split in two."""
    other = RestBody.of(body, body.betas_from_attributes(*shape))
    for kind in ("vest", "shirt", "shorts"):
        faces = sew(other, garment_pattern(kind), 1.0).surface.faces
        assert len(boundary_loops(faces)) == OPENINGS[kind]


def test_sleeves_lie_on_the_arm_and_hang_below_it(rest):
    garment = sew(rest, garment_pattern("tshirt"), 1.0)
    points = garment.surface.vertices
    shoulder, elbow = rest.joint("left_shoulder"), rest.joint("left_elbow")
    at_sleeve = points[:, 0] > 0.5 * (shoulder[0] + elbow[0])
    skin = rest.vertices[np.abs(rest.vertices[:, 0] - points[at_sleeve, 0].mean()) < 0.02]
    assert points[at_sleeve, 1].max() - skin[:, 1].max() < 0.012
    assert skin[:, 1].min() - points[at_sleeve, 1].min() > 0.020


def test_trousers_reach_the_shoes_and_go_around_them(rest):
    points = sew(rest, garment_pattern("trousers"), 0.0).surface.vertices
    ankle = rest.joint("left_ankle")
    assert points[:, 1].min() < ankle[1] - 0.01
    low = points[(points[:, 1] < ankle[1]) & (points[:, 0] > 0)]
    distance, _ = rest.tree.query(low)
    assert np.median(distance) > 0.009


def test_a_shirt_has_a_collar_that_is_open_in_front(garments, rest):
    garment = garments["shirt"]
    collar = np.unique(garment.surface.faces[garment.panels == COLLAR_PANEL])
    points = garment.surface.vertices[collar]
    neck = rest.joint("neck")
    is_front = (np.abs(points[:, 0]) < 0.012) & (points[:, 2] > neck[2])
    is_back = (np.abs(points[:, 0]) < 0.03) & (points[:, 2] < neck[2])
    assert np.ptp(points[is_back, 1]) > 0.025
    assert np.ptp(points[is_front, 1]) < 0.03


def test_a_shirt_has_buttons_on_its_front(garments, rest):
    mesh = finish(garments["shirt"], rest)
    points = mesh.combine @ garments["shirt"].surface.vertices
    assert mesh.colors is not None
    is_button = mesh.colors[:, 0] < 0.5
    assert is_button.sum() >= 5 * 21
    buttons = points[is_button]
    assert np.abs(buttons[:, 0]).max() < 0.01
    assert (buttons[:, 2] > rest.joint("spine3")[2]).all()
    assert finish(garments["tshirt"], rest).colors is None


def test_the_placket_looks_forward(garments, rest):
    garment = garments["shirt"]
    mesh, plain = finish(garment, rest), 4 * len(garment.surface.faces)
    normals = vertex_normals(garment.surface.vertices, garment.surface.faces)
    points = mesh.drawn(garment.surface.vertices, normals)
    is_on_top = np.asarray(mesh.inset < -0.002)[mesh.faces].all(1)
    assert not is_on_top[:plain].any()
    a, b, c = (points[mesh.faces[is_on_top, k]] for k in range(3))
    forward = np.cross(b - a, c - a)[:, 2]
    assert -forward[forward < 0].sum() < 0.02 * forward[forward > 0].sum()


def test_garments_need_only_a_mesh_joints_and_weights(rest):
    """No vertex numbers: a body with its vertices shuffled gets the same clothes."""
    order = np.random.default_rng(0).permutation(len(rest.vertices))
    back = np.argsort(order)
    shuffled = RestBody(rest.vertices[order], back[rest.faces], rest.weights[order], rest.joints)
    ours, theirs = sew(rest, garment_pattern("shorts")), sew(shuffled, garment_pattern("shorts"))
    assert ours.surface.num_vertices == theirs.surface.num_vertices
    distance, _ = KDTree(ours.surface.vertices).query(theirs.surface.vertices)
    assert distance.max() < 1e-3  # ties between equally near cuts fall differently
