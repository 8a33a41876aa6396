"""Hair of every style sits on the head, hangs outside the back, and follows the head."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from odah.body.mesh import vertex_normals
from odah.clothing.face import FaceFrame
from odah.clothing.glasses import glasses_surface
from odah.clothing.hair import HAIR_STYLES, hair_surface
from odah.clothing.hairline import beard_field, hairline_field
from odah.clothing.strands import hair_tint
from odah.clothing.surface import boundary_edges, directed_edges
from odah.names import SMPLX_INDEX


@pytest.fixture(scope="module")
def face(rest):
    return FaceFrame.of(rest)


@pytest.mark.parametrize("style", HAIR_STYLES)
def test_every_style_is_whole_and_moves_with_the_body(rest, face, style):
    for surface, uv, cover in hair_surface(rest, style, 3):
        assert np.isfinite(surface.vertices).all()
        assert surface.weights.sum(1) == pytest.approx(1.0, abs=1e-4)
        assert (surface.weights > -1e-6).all()
        assert uv.shape == (surface.num_vertices, 2)
        assert cover.shape == (surface.num_vertices,)
        assert 0 < cover.min() < 0.6 < np.median(cover) <= 1
        assert surface.faces.max() < surface.num_vertices
        assert surface.num_vertices < 20_000
        assert surface.vertices[:, 1].max() < face.crown + 0.10
    assert bool(hair_surface(rest, style, 3)) == (style != "shaved")


def test_styles_are_silhouettes_of_their_own(rest, face):
    def hair(style):
        return hair_surface(rest, style, 1)[0][0].vertices

    def width(style):
        return np.ptp(hair(style)[:, 0])

    assert width("afro") > width("short") + 0.05
    assert hair("long")[:, 1].min() < face.chin - 0.10
    assert face.chin - 0.04 < hair("bob")[:, 1].min() < face.mouth
    assert hair("short")[:, 1].min() > face.chin
    on_top = hair("balding")
    assert on_top[:, 1].max() < face.crown - 0.01


def test_the_skin_shines_through_at_rims_only(rest):
    surface, _, cover = hair_surface(rest, "short", 1)[0]
    rim = np.unique(boundary_edges(surface.faces))
    depth, _ = KDTree(surface.vertices[rim]).query(surface.vertices)
    assert cover[rim].max() < 0.95
    assert cover[rim].mean() < 0.6
    assert (cover[depth > 0.02] == 1).all()
    tint = hair_tint(cover, (20, 18, 16), (200, 160, 140))
    assert tint[rim].min() > 1
    np.testing.assert_allclose(tint[depth > 0.02], 1)


@pytest.mark.parametrize("style", ["bob", "long"])
def test_loose_hair_comes_out_of_the_hair_on_the_scalp(rest, face, style):
    """Its highest rows lie within the cap, millimetres deep: there is no step."""
    surface, _, _ = hair_surface(rest, style, 4)[0]
    cap, cap_faces, hanging = _cap_and_curtain(surface)
    top = hanging[hanging[:, 1] > hanging[:, 1].max() - 1e-6]
    outermost = top[np.hypot(top[:, 0], top[:, 2] - face.axis_z).argsort()[-60:]]
    _, index = KDTree(cap).query(outermost)
    height = ((outermost - cap[index]) * vertex_normals(cap, cap_faces)[index]).sum(1)
    assert np.percentile(height, 90) < 0.001
    assert np.abs(height).max() < 0.02


def _cap_and_curtain(surface):
    """Vertices and faces of the first connected part, vertices of the rest."""
    edges = directed_edges(surface.faces)
    ones, size = np.ones(len(edges)), surface.num_vertices
    _, part = connected_components(coo_matrix((ones, edges.T), (size, size)), directed=False)
    first = part == part[0]
    return surface.vertices[first], surface.faces[first[surface.faces].all(1)], surface.vertices[~first]


def test_long_hair_lies_behind_the_back_and_moves_with_the_chest_at_its_ends(rest, face):
    surface, _, _ = hair_surface(rest, "long", 2)[0]
    low = surface.vertices[:, 1] < rest.joint("neck")[1] - 0.02
    assert low.sum() > 50
    arms = rest.arm_weight("left") + rest.arm_weight("right")
    back = rest.vertices[(rest.normals[:, 2] < -0.3) & (arms < 0.3) & (rest.head_weight < 0.1)]
    for point in surface.vertices[low][::7]:
        near = np.linalg.norm(back[:, :2] - point[:2], axis=1) < 0.02
        if near.any():
            assert point[2] < back[near, 2].max()
    lowest = surface.vertices[:, 1].argmin()
    assert surface.weights[lowest, SMPLX_INDEX["spine3"]] > 0.9
    highest = surface.vertices[:, 1].argmax()
    assert surface.weights[highest, SMPLX_INDEX["head"]] > 0.9


def test_hairlines_recede_and_crowns_go_bald(rest, face):
    normal, receding, balding = (hairline_field(rest, face, s) for s in ("short", "receding", "balding"))
    crown = rest.vertices[:, 1].argmax()
    assert normal[crown] > 0 > balding[crown]
    assert (receding <= normal + 1e-9).all()
    assert (receding < normal - 0.005).sum() > 50
    assert (hairline_field(rest, face, "shaved") < 0).all()


def test_a_beard_grows_on_the_chin_not_on_the_nose(rest, face):
    points = np.array([[0, face.chin + 0.01, face.eye[2]], [0, face.nose_tip + 0.005, face.eye[2] + 0.03]])
    chin, nose = beard_field(points, face, "beard")
    assert chin > 0 > nose
    moustache = beard_field(points, face, "moustache")
    assert (moustache < 0).all()


def test_a_beard_is_added_to_the_hair(rest):
    bare, bearded = (hair_surface(rest, "short", 1, kind)[0][0] for kind in ("shaven", "beard"))
    added = bearded.vertices[bare.num_vertices :]
    assert len(added) > 200
    assert bearded.weights[bare.num_vertices :, SMPLX_INDEX["jaw"]].max() > 0.3


def test_glasses_sit_before_both_eyes_and_behind_the_nose_tip(rest, face):
    frame, colors = glasses_surface(rest, 0)
    assert colors.shape == frame.vertices.shape
    assert frame.vertices[:, 0].max() == pytest.approx(-frame.vertices[:, 0].min(), abs=1e-6)
    rims = frame.vertices[frame.vertices[:, 2] > face.eye[2]]
    eyes = rest.vertices[rest.weight_of("left_eye", "right_eye") > 0.9]
    assert rims[:, 2].max() > eyes[:, 2].max() + 0.005
    assert rims[:, 1].min() < face.eye[1] < rims[:, 1].max()
