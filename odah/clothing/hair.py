"""Hair as a cap that grows out of the scalp, thicker on top, with a bun or a ponytail in some styles."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import KDTree

from odah.body.mesh import vertex_normals
from odah.clothing.face import FaceFrame
from odah.clothing.rest_body import RestBody
from odah.clothing.subdivision import loop_subdivision
from odah.clothing.surface import (
    Surface,
    boundary_edges,
    clip,
    grid_faces,
    largest_component,
    smoothing_matrix,
)
from odah.names import SMPLX_INDEX

_LINE_DEG = np.array([0, 30, 46, 58, 68, 76, 84, 106, 118, 135, 180])
_LINE = np.array([0.60, 0.58, 0.50, 0.30, 0.0, -0.12, 0.08, 0.12, -0.25, -0.55, -0.68])
"""Hairline height above the eyes, in heights of the head above the eyes, by angle from straight ahead:
forehead, temples, sideburns, over the ears, nape."""


@dataclass(frozen=True)
class _Style:
    """Length (m) of the hair on top and at the sides."""

    top: float
    sides: float
    knot: str = "none"


_STYLES = {
    "buzz": _Style(0.005, 0.003),
    "short": _Style(0.020, 0.009),
    "bun": _Style(0.011, 0.008, "bun"),
    "ponytail": _Style(0.011, 0.008, "ponytail"),
}
HAIR_STYLES = tuple(_STYLES)


def hairline_field(rest: RestBody, face: FaceFrame) -> np.ndarray:
    """(N,) height above the hairline at the body's vertices, m; negative off the scalp and on the ears."""
    x, y, z = rest.vertices.T
    angle = np.degrees(np.arctan2(np.abs(x), z - face.axis_z))
    field = y - (face.eye[1] + face.forehead * np.interp(angle, _LINE_DEG, _LINE))
    is_head = rest.head_weight > 0.4
    above_ears = is_head & (y > face.eye[1] + 0.35 * face.forehead)
    half_width = np.abs(x[above_ears]).max()
    is_ear = (np.abs(x) > half_width + 0.003) & (y < face.eye[1] + 0.35 * face.forehead)
    is_ear[rest.groups.get("ears", [])] = True
    eye_depth = rest.joint("left_eye")[2]
    is_inner = (z < eye_depth) & (np.abs(x) < 0.6 * half_width) & (y < face.eye[1]) & (z > face.axis_z)
    return np.where(is_head & ~is_ear & ~is_inner, field, -0.02)


def _waves(points: np.ndarray, rng: np.random.Generator, low: float, high: float) -> np.ndarray:
    """Smooth random values of about unit size, wave numbers (rad/m) between low and high."""
    directions = rng.standard_normal((10, 3))
    directions *= (rng.uniform(low, high, 10) / np.linalg.norm(directions, axis=1))[:, None]
    return np.sin(points @ directions.T + rng.uniform(0, 2 * np.pi, 10)).sum(1) / np.sqrt(5)


def _subdivided(surface: Surface) -> Surface:
    matrix, faces = loop_subdivision(surface.faces, surface.num_vertices)
    return Surface(matrix @ surface.vertices, faces, matrix @ surface.weights)


def _cap(rest: RestBody, face: FaceFrame, style: _Style, rng: np.random.Generator) -> Surface:
    uneven = 0.0025 * _waves(rest.vertices, rng, 80, 400)
    cap = largest_component(clip(rest.as_surface(), hairline_field(rest, face) + uneven))
    cap = _subdivided(_subdivided(cap) if cap.num_vertices < 900 else cap)
    normals = vertex_normals(cap.vertices, cap.faces)
    depth = _depth_from_rim(cap)
    on_top = np.clip((cap.vertices[:, 1] - face.eye[1]) / face.forehead - 0.2, 0, 1) ** 1.2
    length = style.sides + (style.top - style.sides) * on_top
    length = length * (
        1 + 0.05 * _waves(cap.vertices, rng, 40, 100) + 0.05 * _waves(cap.vertices, rng, 300, 700)
    )
    grown = 0.001 + length * (1 - np.exp(-depth / 0.022))
    vertices = cap.vertices + grown[:, None] * normals
    mean = smoothing_matrix(cap.faces, cap.num_vertices)
    for _ in range(3):
        vertices = 0.5 * vertices + 0.5 * (mean @ vertices)
    return replace(cap, vertices=vertices)


def _depth_from_rim(surface: Surface) -> np.ndarray:
    """(N,) straight distance to the nearest rim vertex, m."""
    rim = surface.vertices[np.unique(boundary_edges(surface.faces))]
    return KDTree(rim).query(surface.vertices)[0]


def _tube(path: np.ndarray, radii: np.ndarray, columns: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """Closed tube around a path in the plane x = 0: path (R, 3), radii (R,)."""
    tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    side = np.array([1.0, 0.0, 0.0])
    other = np.cross(tangent, side)
    phi = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    ring = np.cos(phi)[None, :, None] * side + np.sin(phi)[None, :, None] * other[:, None]
    vertices = path[:, None] + radii[:, None, None] * ring
    return vertices.reshape(-1, 3), grid_faces(len(path), columns)[:, ::-1]


def _knot(kind: str, rest: RestBody, face: FaceFrame) -> Surface:
    """A bun or ponytail at the back of the head; it moves with the head."""
    head = rest.vertices[rest.head_weight > 0.5]
    y = face.eye[1] + 0.45 * face.forehead
    back = head[np.abs(head[:, 1] - y) < 0.015, 2].min()
    t = np.linspace(0, 1, 14)
    if kind == "bun":
        radii = 0.036 * np.sqrt(np.maximum(1 - (2 * t - 1) ** 2, 1e-4))
        path = np.stack([0 * t, y + 0.020 * t, back + 0.012 - 0.062 * t], 1)
    else:
        radii = np.interp(t, [0, 0.06, 0.14, 0.4, 0.85, 1], [0.012, 0.018, 0.020, 0.028, 0.020, 0.004])
        drop = np.stack(
            [
                0 * t,
                0.012 - 0.26 * np.maximum(t - 0.12, 0) ** 1.15,
                -0.055 * np.sin(np.minimum(2.4 * t, 1.9)),
            ],
            1,
        )
        path = np.array([0.0, y, back + 0.012]) + drop
    vertices, faces = _tube(path, radii)
    weights = np.zeros((len(vertices), len(SMPLX_INDEX)))
    weights[:, SMPLX_INDEX["head"]] = 1.0
    return Surface(vertices, faces, weights)


def hair_surface(rest: RestBody, style: str, seed: int) -> tuple[Surface, np.ndarray]:
    """The hair in the T-pose, and its (N, 2) texture coordinates: strands run from front to back."""
    face = FaceFrame.of(rest)
    chosen = _STYLES[style]
    surface = _cap(rest, face, chosen, np.random.default_rng(seed))
    if chosen.knot != "none":
        knot = _knot(chosen.knot, rest, face)
        surface = Surface(
            np.concatenate([surface.vertices, knot.vertices]),
            np.concatenate([surface.faces, knot.faces + surface.num_vertices]),
            np.concatenate([surface.weights, knot.weights]),
        )
    x, y, z = surface.vertices.T
    angle = np.arctan2(x, y - (face.eye[1] - 0.6 * face.forehead))
    return surface, np.stack([angle * 0.12 / 0.10, (z + 0.7 * (face.crown - y)) / 0.15], 1)
