"""Hair of every style sits on the head, hangs outside the back, and follows the head."""

from __future__ import annotations

import numpy as np
import pytest

from odah.clothing.face import FaceFrame
from odah.clothing.glasses import glasses_surface
from odah.clothing.hair import HAIR_STYLES, hair_surface
from odah.clothing.hairline import beard_field, hairline_field
from odah.names import SMPLX_INDEX


@pytest.fixture(scope="module")
def face(rest):
    return FaceFrame.of(rest)


@pytest.mark.parametrize("style", HAIR_STYLES)
def test_every_style_is_whole_and_moves_with_the_body(rest, face, style):
    for surface, uv in hair_surface(rest, style, 3):
        assert np.isfinite(surface.vertices).all()
        assert surface.weights.sum(1) == pytest.approx(1.0, abs=1e-4)
        assert (surface.weights > -1e-6).all()
        assert uv.shape == (surface.num_vertices, 2)
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


def test_long_hair_lies_behind_the_back_and_moves_with_the_chest_at_its_ends(rest, face):
    surface, _ = hair_surface(rest, "long", 2)[0]
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
