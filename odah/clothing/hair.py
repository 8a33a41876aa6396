"""Hair and beards as caps that grow out of the skin, with what hangs from them in some styles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.spatial import KDTree

from odah.body.mesh import vertex_normals
from odah.clothing.face import FaceFrame
from odah.clothing.hairline import beard_field, hairline_field, scalp_shade
from odah.clothing.hanging_hair import PARTING, curtain, falling, tied
from odah.clothing.rest_body import RestBody
from odah.clothing.subdivision import loop_subdivision
from odah.clothing.surface import (
    Surface,
    boundary_edges,
    clip,
    largest_component,
    smoothing_matrix,
)

__all__ = ["HAIR_STYLES", "hair_surface", "hairline_field", "scalp_shade"]


@dataclass(frozen=True)
class _Style:
    """Length (m) of the hair on top and at the sides, how curly 0 to 1, and what hangs from it.

    hangs: a curtain ends `below_chin` m below the chin. has_parting: combed over from one side.
    """

    top: float
    sides: float
    curls: float = 0.0
    hangs: Literal["", "curtain", "bun", "ponytail", "braid"] = ""
    below_chin: tuple[float, float] = (0.0, 0.0)
    has_parting: bool = False


_STYLES = {
    "buzz": _Style(0.005, 0.003),
    "short": _Style(0.020, 0.009),
    "bun": _Style(0.011, 0.008, hangs="bun"),
    "ponytail": _Style(0.011, 0.008, hangs="ponytail"),
    "shaved": _Style(0.0, 0.0),
    "receding": _Style(0.012, 0.007),
    "balding": _Style(0.009, 0.009),
    "side_part": _Style(0.030, 0.010, has_parting=True),
    "fringe": _Style(0.022, 0.014),
    "curly": _Style(0.038, 0.024, curls=0.7),
    "afro": _Style(0.062, 0.055, curls=1.0),
    "bob": _Style(0.018, 0.014, hangs="curtain", below_chin=(-0.01, 0.025), has_parting=True),
    "long": _Style(0.016, 0.012, hangs="curtain", below_chin=(0.14, 0.28), has_parting=True),
    "braid": _Style(0.012, 0.009, hangs="braid", has_parting=True),
}
HAIR_STYLES = tuple(_STYLES)
_FADE = 0.009
"""The rim of hair is as thin as the skin shines through, over this far, m."""
_BEARDS = {"moustache": 0.005, "goatee": 0.007, "beard": 0.009}
"""Lengths, m; shorter ones are painted."""


def _waves(points: np.ndarray, rng: np.random.Generator, low: float, high: float) -> np.ndarray:
    """Smooth random values of about unit size, wave numbers (rad/m) between low and high."""
    directions = rng.standard_normal((10, 3))
    directions *= (rng.uniform(low, high, 10) / np.linalg.norm(directions, axis=1))[:, None]
    return np.sin(points @ directions.T + rng.uniform(0, 2 * np.pi, 10)).sum(1) / np.sqrt(5)


def _subdivided(surface: Surface) -> Surface:
    matrix, faces = loop_subdivision(surface.faces, surface.num_vertices)
    return Surface(matrix @ surface.vertices, faces, matrix @ surface.weights)


def _depth_from_rim(surface: Surface) -> np.ndarray:
    """(N,) straight distance to the nearest rim vertex, m."""
    rim = surface.vertices[np.unique(boundary_edges(surface.faces))]
    return KDTree(rim).query(surface.vertices)[0]


def _grown(surface: Surface, length: np.ndarray, soft_rim: float) -> Surface:
    """The surface moved out by `length` (N,), less towards its rim, and smoothed."""
    normals = vertex_normals(surface.vertices, surface.faces)
    grown = 0.0008 + length * (1 - np.exp(-((_depth_from_rim(surface) / soft_rim) ** 1.3)))
    vertices = surface.vertices + grown[:, None] * normals
    mean = smoothing_matrix(surface.faces, surface.num_vertices)
    for _ in range(3):
        vertices = 0.5 * vertices + 0.5 * (mean @ vertices)
    return replace(surface, vertices=vertices)


def _cover(surface: Surface, rng: np.random.Generator) -> np.ndarray:
    """(N,) how much of the skin below the hair hides: half at an uneven rim, all of it further in."""
    uneven = 0.15 * _waves(surface.vertices, rng, 400, 1500)
    return np.clip(0.45 + _depth_from_rim(surface) / _FADE + uneven, 0.25, 1)


def _cap(
    rest: RestBody, face: FaceFrame, name: str, parted: float, rng: np.random.Generator
) -> tuple[Surface, np.ndarray, np.ndarray]:
    """Hair on the scalp, its texture coordinates, and how much it covers. parted: +1 left, -1 right."""
    style = _STYLES[name]
    uneven = 0.0025 * _waves(rest.vertices, rng, 80, 400)
    field = hairline_field(rest, face, name) + uneven
    if style.has_parting:  # the hairline is lower on the side that the hair is combed to
        field += (
            0.006
            * np.clip(-parted * rest.vertices[:, 0] / face.half, -1, 1)
            * (rest.vertices[:, 2] > face.axis_z)
        )
    cap = largest_component(clip(rest.as_surface(), field))
    cap = _subdivided(_subdivided(cap) if cap.num_vertices < 900 else cap)
    falls = style.has_parting and style.hangs != "braid"
    uv = falling(cap.vertices, face, parted) if falls else _combed(cap.vertices, face)
    cover = _cover(cap, rng)
    on_top = np.clip((cap.vertices[:, 1] - face.eye[1]) / face.forehead - 0.2, 0, 1) ** 1.2
    length = style.sides + (style.top - style.sides) * on_top
    length = length * rng.uniform(0.8, 1.25)
    along_strands = np.column_stack([0.1 * uv[:, 0], 0.03 * uv[:, 1], 0 * uv[:, 0]])
    locks = _waves(cap.vertices if style.curls else along_strands, rng, 250, 800)
    length = length * (1 + 0.06 * _waves(cap.vertices, rng, 40, 100) + 0.06 * locks)
    if style.has_parting:
        length = length * _parting(cap.vertices, face, parted, on_top)
    if style.curls:
        low = np.interp(cap.vertices[:, 1], [face.mouth, face.eye[1] + 0.4 * face.forehead], [0.35, 1])
        length = length * low * (1 + 0.05 * style.curls * _waves(cap.vertices, rng, 150, 320))
        length = length + 0.0022 * style.curls * _waves(cap.vertices, rng, 500, 900)
    return _grown(cap, length, 0.020 if style.curls < 0.9 else 0.016), uv, cover


def _parting(points: np.ndarray, face: FaceFrame, side: float, on_top: np.ndarray) -> np.ndarray:
    """(N,) factor of the hair's length: a furrow from forehead to crown, more hair on its far side."""
    across = side * points[:, 0] / face.half - PARTING
    furrow = np.exp(-((across / 0.12) ** 2)) * (points[:, 2] > face.axis_z - 0.02) * (on_top > 0.1)
    return (1 - 0.25 * np.tanh(2 * across) * on_top) * (1 - 0.75 * furrow)


def _beard(
    rest: RestBody, face: FaceFrame, style: str, rng: np.random.Generator
) -> tuple[Surface, np.ndarray, np.ndarray]:
    field = np.where(rest.head_weight > 0.4, beard_field(rest.vertices, face, style), -0.02)
    for group in ("lips", "mouth_inside", "ears"):
        field[rest.groups.get(group, [])] = -0.01
    field = np.where(rest.normals[:, 2] > -0.6, field, -0.02)
    beard = _subdivided(clip(rest.as_surface(), field + 0.0015 * _waves(rest.vertices, rng, 100, 500)))
    length = _BEARDS[style] * rng.uniform(0.6, 1.6) * (1 + 0.2 * _waves(beard.vertices, rng, 400, 900))
    return _grown(beard, length, 0.010), beard.vertices[:, [0, 1]] / 0.12, _cover(beard, rng)


def _combed(points: np.ndarray, face: FaceFrame) -> np.ndarray:
    """(N, 2) texture coordinates of hair that lies from front to back."""
    x, y, z = points.T
    angle = np.arctan2(x, y - (face.eye[1] - 0.6 * face.forehead))
    return np.stack([angle * 0.12 / 0.10, (z + 0.7 * (face.crown - y)) / 0.15], 1)


def hair_surface(
    rest: RestBody, style: str, seed: int, facial_hair: str = "none"
) -> list[tuple[Surface, np.ndarray, np.ndarray]]:
    """The hair and beard in the T-pose; its (N, 2) texture coordinates, strands along v; and (N,) how much it
    hides of the skin: its rims are thin. Empty where there is nothing but skin."""
    face, chosen, rng = FaceFrame.of(rest), _STYLES[style], np.random.default_rng(seed)
    parted = float(rng.choice([-1.0, 1.0]))
    pieces: list[tuple[Surface, np.ndarray, np.ndarray]] = []
    if chosen.top > 0:
        pieces.append(_cap(rest, face, style, parted, rng))
    if chosen.hangs == "curtain":
        length = rng.uniform(*chosen.below_chin)
        pieces.append(_whole(*curtain(rest, face, pieces[0][0], parted, length, rng)))
    elif chosen.hangs:
        pieces.append(_whole(*tied(chosen.hangs, rest, face, rng)))
    if facial_hair in _BEARDS:
        pieces.append(_beard(rest, face, facial_hair, rng))
    return [_joined(pieces)] if pieces else []


def _whole(surface: Surface, uv: np.ndarray) -> tuple[Surface, np.ndarray, np.ndarray]:
    return surface, uv, np.ones(surface.num_vertices)


def _joined(
    pieces: list[tuple[Surface, np.ndarray, np.ndarray]],
) -> tuple[Surface, np.ndarray, np.ndarray]:
    surfaces = [surface for surface, _, _ in pieces]
    starts = np.cumsum([0, *(surface.num_vertices for surface in surfaces)])
    faces = [surface.faces + start for surface, start in zip(surfaces, starts, strict=False)]
    joined = Surface(
        np.concatenate([surface.vertices for surface in surfaces]),
        np.concatenate(faces),
        np.concatenate([surface.weights for surface in surfaces]),
    )
    uv = np.concatenate([uv for _, uv, _ in pieces])
    return joined, uv, np.concatenate([cover for _, _, cover in pieces])
