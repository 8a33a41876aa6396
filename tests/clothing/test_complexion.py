"""The skin's texture: right things in the right places, on both sides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from odah.clothing import sample_appearance
from odah.clothing.complexion import skin_look
from odah.clothing.face import FaceFrame
from odah.clothing.skin_map import skin_map
from odah.clothing.tones import srgb_to_linear

LOOK = replace(
    sample_appearance(np.random.default_rng(0), "male", 30.0),
    skin_color=(190, 150, 128), hair_color=(30, 24, 20), eye_color=(92, 118, 138), hair_style="short",
    facial_hair="none", freckles=0.0, detail_seed=7,
)  # fmt: skip


def map_of(body):
    """The body's map, which it has."""
    of_body = skin_map(body)
    assert of_body is not None
    return of_body


def texture_of(body, rest, look):
    texture = skin_look(body, rest, look).material.texture
    assert texture is not None
    return texture


def positions_and_colors(body, rest, texture):
    """Positions (P, 3) in the T-pose and linear colours (P, 3) of all texels."""
    of_body = map_of(body)
    return of_body.matrix @ rest.vertices, srgb_to_linear(of_body.texels(texture).astype(float))


@pytest.fixture(scope="module")
def texture(body, rest):
    return texture_of(body, rest, LOOK)


@pytest.fixture(scope="module")
def painted(body, rest, texture):
    return positions_and_colors(body, rest, texture)


def test_every_texel_lies_on_its_face(body, rest):
    of_body = map_of(body)
    assert np.asarray(of_body.matrix.sum(1)).ravel() == pytest.approx(1.0, abs=1e-5)
    assert of_body.uv.shape == (len(rest.faces), 3, 2)
    values = np.arange(len(of_body.pixel))
    assert (of_body.texels(of_body.image(values)) == values).all()


def test_the_texture_shows_at_a_corner_what_was_painted_there(body, rest):
    """Looked up at the faces' uv, a picture of positions gives the vertices back: nothing is flipped."""
    of_body = map_of(body)
    picture = of_body.image(of_body.matrix @ rest.vertices)
    on_trunk = np.flatnonzero((rest.head_weight[rest.faces] + rest.hand_weight[rest.faces] < 0.1).all(1))
    middle = of_body.uv[on_trunk].mean(1)
    column, row = (middle * [1, -1] + [0, 1]).T * len(picture)
    found = picture[row.astype(int), column.astype(int)]
    wanted = rest.vertices[rest.faces[on_trunk]].mean(1)
    assert np.percentile(np.linalg.norm(found - wanted, axis=1), 95) < 0.006


@pytest.mark.parametrize("side", ["left", "right"])
def test_both_eyes_look_ahead_and_have_iris_and_white(body, rest, texture, side):
    """Seen through the texture at each eye's own corners, for the eyes may share one place on it."""
    texture = srgb_to_linear(texture.astype(float))
    faces = np.flatnonzero((rest.weight_of(f"{side}_eye") > 0.9)[rest.faces].all(1))
    column, row = (map_of(body).uv[faces].mean(1) * [1, -1] + [0, 1]).T * len(texture)
    seen = texture[row.astype(int), column.astype(int)]
    middles = rest.vertices[rest.faces[faces]].mean(1)
    rays = middles - (middles.max(0) + middles.min(0)) / 2
    angle = np.degrees(np.arccos(rays[:, 2] / np.linalg.norm(rays, axis=1)))
    assert np.median(seen[angle < 5]) < 0.02
    iris, white = (
        np.median(seen[(low < angle) & (angle < high)], axis=0) for low, high in ((10, 18), (28, 40))
    )
    assert iris[2] > iris[0]
    assert white.min() > 2 * iris.max() * 0.5


def test_brows_are_dark_and_lie_above_the_eyes(rest, painted):
    positions, colors = painted
    face = FaceFrame.of(rest)
    base = srgb_to_linear(LOOK.skin_color).mean()
    in_front = positions[:, 2] > face.eye[2]
    for side in (1, -1):
        aside = np.abs(positions[:, 0] - side * face.half) < 0.01
        brow = in_front & aside & (np.abs(positions[:, 1] - face.eye[1] - 0.75 * face.half) < 0.003)
        cheek = in_front & aside & (np.abs(positions[:, 1] - face.eye[1] + 1.0 * face.half) < 0.003)
        assert colors[brow].mean() < 0.6 * base
        assert colors[cheek].mean() > 0.75 * base


def test_a_beard_darkens_the_chin_and_only_the_lower_face(body, rest, painted):
    positions, shaved = painted
    look = replace(LOOK, facial_hair="beard")
    _, bearded = positions_and_colors(body, rest, texture_of(body, rest, look))
    face = FaceFrame.of(rest)
    is_front = positions[:, 2] > face.eye[2] - 0.01
    chin = (
        is_front & (np.abs(positions[:, 1] - face.chin - 0.008) < 0.005) & (np.abs(positions[:, 0]) < 0.015)
    )
    forehead = is_front & (positions[:, 1] > face.eye[1] + 1.2 * face.half)
    assert bearded[chin].mean() < 0.5 * shaved[chin].mean()
    np.testing.assert_allclose(bearded[forehead], shaved[forehead], atol=0.02)


def test_palms_of_dark_skin_are_paler_than_the_backs_of_the_hands(body, rest):
    look = replace(LOOK, skin_color=(80, 58, 48))
    positions, colors = positions_and_colors(body, rest, texture_of(body, rest, look))
    of_body = map_of(body)
    is_hand = of_body.matrix @ rest.hand_weight > 0.9
    up = of_body.matrix @ rest.normals[:, 1]
    for side in (1, -1):
        here = is_hand & (side * positions[:, 0] > 0)
        assert colors[here & (up < -0.6)].mean() > 1.5 * colors[here & (up > 0.6)].mean()


def test_a_body_without_a_map_gets_colours_at_its_vertices(body, rest):
    look = skin_look(replace(body, uv=None, uv_faces=None), rest, LOOK)
    assert look.uv is None
    assert look.material.texture is None
    assert look.colors is not None
    assert look.colors.shape == rest.vertices.shape
    assert look.colors[rest.weight_of("left_eye") > 0.9].mean(1).min() < 0.02


def test_the_same_person_always_has_the_same_skin(body, rest, texture):
    other = texture_of(body, rest, replace(LOOK, detail_seed=8))
    assert (texture_of(body, rest, LOOK) == texture).all()
    assert not (other == texture).all()
