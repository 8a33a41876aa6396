"""The skin of a person: a texture on the body's own map, painted in three dimensions in the T-pose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp
from scipy.ndimage import gaussian_filter
from scipy.spatial import KDTree

from odah.clothing.appearance import Appearance
from odah.clothing.face import FaceFrame
from odah.clothing.face_paint import FacePoints, Strands, blend, paint_eye, paint_face
from odah.clothing.hairline import scalp_shade
from odah.clothing.layers import Material
from odah.clothing.rest_body import RestBody
from odah.clothing.skin_map import SIZE, SkinMap, skin_map
from odah.clothing.tones import linear_to_srgb, srgb_to_linear
from odah.names import FINGERS, SIDES

if TYPE_CHECKING:
    from odah.body.body_model import BodyModel


@dataclass(frozen=True)
class SkinLook:
    """How the skin is drawn: uv (F, 3, 2) at the corners of all the body's faces, or, on a body without a
    map, colors (N, 3), linear RGB, at the vertices."""

    material: Material
    uv: np.ndarray | None
    colors: np.ndarray | None

    def on_faces(self, which: np.ndarray) -> SkinLook:
        """The same for some of the faces only; which: (F,) bool."""
        return self if self.uv is None else replace(self, uv=self.uv[which])


def skin_look(body: BodyModel, rest: RestBody, look: Appearance) -> SkinLook:
    """The skin of a person (about half a second, and one more for the first person of a body)."""
    rng = np.random.default_rng(look.detail_seed)
    of_body, tones = skin_map(body), _vertex_tones(rest, look, rng)
    roughness = float(np.interp(look.age, [20, 70], [0.46, 0.56]))
    if of_body is None:
        at_vertices = sp.csr_matrix(sp.identity(len(tones)))
        colors = np.clip(_with_head(tones, at_vertices, rest, look, rng), 0, 1)
        return SkinLook(Material("skin", roughness=roughness), None, colors)
    colors = (of_body.matrix @ tones.astype(np.float32)).astype(float)
    colors = _spotted(colors, of_body, rest, look, rng)
    colors = _with_head(colors, of_body.matrix, rest, look, rng)
    texture = of_body.image((linear_to_srgb(colors) + 0.5).astype(np.uint8))
    return SkinLook(Material("skin", roughness=roughness, texture=texture), of_body.uv, None)


def _vertex_tones(rest: RestBody, look: Appearance, rng: np.random.Generator) -> np.ndarray:
    """(N, 3) linear RGB of the skin where it changes softly: flushed joints, ears and cheeks, pale palms."""
    base, face = srgb_to_linear(look.skin_color), FaceFrame.of(rest)
    depth = 1 - float(np.clip(base.mean() / 0.45, 0, 1))
    colors = base * _mottle(rest, rng)[:, None]
    x, y, z = rest.vertices.T
    front = (rest.head_weight > 0.3) & (rest.normals[:, 2] > 0.0) & (z > face.axis_z)
    cheek = np.hypot(np.abs(x) - 1.15 * face.half, y - 0.5 * (face.nose_tip + face.mouth)) / face.half
    nose = np.hypot(x, y - face.nose_tip) / (0.6 * face.half)
    flush = (0.55 * np.exp(-(cheek**2)) + 0.6 * np.exp(-(nose**2))) * front
    flush = np.maximum(flush, 0.6 * _group(rest, "ears"))
    flush = np.maximum(flush, 0.8 * _near_joints(rest))
    strength = 1.25 - 0.5 * depth
    colors = blend(colors, colors * [0.97, 0.76, 0.72], strength * flush)
    palms = (rest.hand_weight > 0.5) & (rest.normals[:, 1] < -0.2)
    soles = (rest.weight_of(*(f"{s}_{j}" for s in SIDES for j in ("foot", "ankle"))) > 0.5) & (
        rest.normals[:, 1] < -0.5
    )
    pale = srgb_to_linear((203, 152, 130))
    colors = blend(
        colors, 0.62 * pale + 0.38 * base, np.clip(1.1 * depth - 0.1, 0.15, 0.75) * (palms | soles)
    )
    nails = np.maximum(_group(rest, "left_nails"), _group(rest, "right_nails"))
    return blend(colors, 0.5 * base + 0.5 * srgb_to_linear((222, 172, 160)), 0.6 * nails)


def _mottle(rest: RestBody, rng: np.random.Generator) -> np.ndarray:
    """(N,) smooth random field about 1: the skin is not one colour."""
    waves = rng.normal(0, 1, (12, 3)) * rng.uniform(8, 60, (12, 1))
    phases = rng.uniform(0, 2 * np.pi, 12)
    return 1 + 0.018 * np.sin(rest.vertices @ waves.T + phases).sum(1) / np.sqrt(6)


def _group(rest: RestBody, name: str) -> np.ndarray:
    """(N,) 1 in a named region, 0 elsewhere and on bodies that do not know it."""
    inside = np.zeros(len(rest.vertices))
    inside[rest.groups.get(name, [])] = 1.0
    return inside


def _near_joints(rest: RestBody) -> np.ndarray:
    """(N,) 1 over knuckles, knees (in front) and elbows (behind), falling to 0 around them."""
    near = np.zeros(len(rest.vertices))
    places = [
        (f"{side}_{finger}{k}", 0.011, 1, 1.0) for side in SIDES for finger in FINGERS for k in (1, 2, 3)
    ]
    places += [(f"{side}_knee", 0.05, 2, 1.0) for side in SIDES]
    places += [(f"{side}_elbow", 0.04, 2, -1.0) for side in SIDES]
    for name, radius, axis, sign in places:
        offset = rest.vertices - rest.joint(name)
        outward = np.clip(sign * rest.normals[:, axis], 0, 1)
        across = (offset**2).sum(1) - offset[:, axis] ** 2
        near = np.maximum(near, np.exp(-across / radius**2) * outward * (np.abs(offset[:, axis]) < 0.09))
    return near


def _noise(of_body: SkinMap, rng: np.random.Generator, sigma: float) -> np.ndarray:
    """(P,) of unit deviation, blurred by sigma pixels: one field four times, the body does not show it."""
    field = gaussian_filter(rng.standard_normal((SIZE // 2, SIZE // 2), np.float32), sigma, mode="wrap")
    return of_body.texels(np.tile(field / field.std(), (2, 2)))


def _spotted(
    colors: np.ndarray, of_body: SkinMap, rest: RestBody, look: Appearance, rng: np.random.Generator
) -> np.ndarray:
    """Fine and coarse unevenness, freckles on light skin, age spots, a few moles."""
    base = srgb_to_linear(look.skin_color)
    lightness = float(np.clip(base.mean() / 0.40, 0, 1))
    fine, coarse = _noise(of_body, rng, 1.2), _noise(of_body, rng, 7)
    colors = colors * (1 + 0.030 * fine + 0.028 * coarse)[:, None]
    sunny = of_body.matrix @ _sunlit(rest, FaceFrame.of(rest)).astype(np.float32)
    old = np.clip((look.age - 50) / 30, 0, 1)
    if look.freckles > 0:
        speckle = _noise(of_body, rng, 1.1) + 0.4 * _noise(of_body, rng, 18)
        freckles = np.clip(speckle - 2.6 + 1.3 * look.freckles, 0, 1) * sunny
        colors = blend(colors, colors * [0.74, 0.60, 0.50], freckles * lightness)
    if old > 0:
        spots = np.clip(2 * (_noise(of_body, rng, 2.6) - 2.35), 0, 1) * sunny
        colors = blend(colors, colors * [0.72, 0.62, 0.55], 0.7 * old * spots)
    return _with_moles(colors, of_body, base, rng)


def _sunlit(rest: RestBody, face: FaceFrame) -> np.ndarray:
    """(N,) 1 where the sun gets: mid-face, forearms and hands from above, shoulders."""
    x, y, _ = rest.vertices.T
    middle = np.exp(-((np.hypot(x / 1.6, y - 0.5 * (face.nose_tip + face.eye[1])) / (0.9 * face.half)) ** 2))
    on_arms = sum(rest.arm_weight(side) for side in SIDES) * np.clip(0.4 + rest.normals[:, 1], 0, 1)
    return np.where(rest.head_weight > 0.5, 0.25 + 0.75 * middle, 0.6 * np.clip(on_arms, 0, 1) + 0.1)


def _with_moles(
    colors: np.ndarray, of_body: SkinMap, base: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Dots of 2 to 5 mm anywhere."""
    moles = np.zeros((SIZE, SIZE), np.float32)
    row, column = np.divmod(
        of_body.pixel[rng.integers(len(of_body.pixel), size=int(rng.integers(8, 45)))], SIZE
    )
    moles[row, column] = rng.uniform(3, 11, len(row))
    share = np.clip(of_body.texels(gaussian_filter(moles, 1.0)), 0, 1)
    return blend(colors, base * [0.42, 0.32, 0.28], 0.85 * share)


def _with_head(
    colors: np.ndarray, matrix: sp.csr_matrix, rest: RestBody, look: Appearance,
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Colours (P, 3) with face, scalp and eyes painted; matrix (P, N) takes vertex values to them."""
    face = FaceFrame.of(rest)
    eyes = {side: rest.weight_of(f"{side}_eye") > 0.9 for side in SIDES}
    is_eye = np.logical_or(*eyes.values())
    lid, _ = KDTree(rest.vertices[is_eye]).query(rest.vertices, distance_upper_bound=0.02)
    fields = np.column_stack(
        [
            rest.vertices, rest.normals, _group(rest, "lips"), _group(rest, "mouth_inside"),
            np.minimum(lid, 0.02), scalp_shade(rest, face, look.hair_style), is_eye, rest.head_weight,
        ]
    ).astype(np.float32)  # fmt: skip
    on_head = np.flatnonzero(matrix @ fields[:, -1] > 0.3)
    at = (matrix[on_head] @ fields).astype(float)
    on_skin, colors = at[:, 10] < 0.5, colors.copy()
    points = FacePoints(at[:, :3], at[:, 3:6], at[:, 6], at[:, 7], at[:, 8], face)
    painted = paint_face(colors[on_head], points, look, rng)
    hair = srgb_to_linear(look.hair_color) * 0.9 + 0.04 * srgb_to_linear(look.skin_color)
    cover = _hair_by_hair(at[:, 9], points, np.random.default_rng([look.detail_seed, 1]))
    colors[on_head] = np.where(on_skin[:, None], blend(painted, hair, cover), colors[on_head])
    for which in eyes.values():
        eye = on_head[(matrix[on_head] @ which.astype(np.float32)) > 0.5]
        if len(eye):
            colors[eye] = paint_eye(np.asarray(matrix[eye] @ rest.vertices), look, rng)
    return colors


def _hair_by_hair(shade: np.ndarray, points: FacePoints, rng: np.random.Generator) -> np.ndarray:
    """The scalp's shade (Q,), broken into single hairs where it is neither nothing nor all."""
    x, y, z = points.positions.T
    strands = Strands(rng, 0.010, 0.0010).at(np.arctan2(x, z - points.face.axis_z) * 0.09, y)
    return np.clip(shade + 1.6 * strands * shade * (1 - shade), 0, 1)
