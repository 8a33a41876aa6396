"""Spectacles: two rims, a bridge and two temples, without lenses."""

from __future__ import annotations

import numpy as np

from odah.clothing.face import FaceFrame
from odah.clothing.rest_body import RestBody
from odah.clothing.surface import Surface, grid_faces
from odah.clothing.tones import srgb_to_linear
from odah.names import SMPLX_INDEX

_FRAME_COLORS = ((18, 18, 20), (60, 38, 24), (40, 44, 52), (120, 118, 116), (96, 30, 34))
_BEFORE_EYE = 0.013
"""From the eyeball's front to the rims, m."""


def glasses_surface(rest: RestBody, seed: int) -> tuple[Surface, np.ndarray]:
    """Spectacles in the T-pose that move with the head, and linear RGB (N, 3) at their vertices."""
    rng = np.random.default_rng(seed)
    face = FaceFrame.of(rest)
    tubes = [_tube(path, rng_radius) for path, rng_radius in _paths(rest, face, rng)]
    starts = np.cumsum([0, *(len(vertices) for vertices, _ in tubes)])
    vertices = np.concatenate([vertices for vertices, _ in tubes])
    faces = np.concatenate([faces + start for (_, faces), start in zip(tubes, starts, strict=False)])
    weights = np.zeros((len(vertices), len(SMPLX_INDEX)))
    weights[:, SMPLX_INDEX["head"]] = 1.0
    color = srgb_to_linear(_FRAME_COLORS[rng.integers(len(_FRAME_COLORS))])
    return Surface(vertices, faces, weights), np.tile(color, (len(vertices), 1))


def _paths(rest: RestBody, face: FaceFrame, rng: np.random.Generator) -> list[tuple[np.ndarray, float]]:
    """Middle lines (R, 3) and half thicknesses of the parts, m."""
    eyes = rest.vertices[rest.weight_of("left_eye", "right_eye") > 0.9]
    front = (eyes[:, 2].max() if len(eyes) else face.eye[2] + 0.012) + _BEFORE_EYE
    wide, high = face.half * rng.uniform(0.74, 0.84), face.half * rng.uniform(0.52, 0.72)
    squareness, thickness = rng.uniform(2.0, 4.0), rng.uniform(0.0010, 0.0019)
    phi = np.linspace(0, 2 * np.pi, 33)
    c, s = np.cos(phi), np.sin(phi)
    size = (np.abs(c) ** squareness + np.abs(s) ** squareness) ** (-1 / squareness)
    rim_x, rim_y = wide * size * c + 1.02 * face.half, high * size * s + face.eye[1] - 0.005
    level = np.abs(rest.vertices[:, 1] - face.eye[1]) < 0.012
    sides = rest.vertices[
        level & (rest.head_weight > 0.5) & (np.abs(rest.vertices[:, 2] - face.axis_z) < 0.02)
    ]
    ear = np.array([np.abs(sides[:, 0]).max() + 0.001, face.eye[1] + 0.006, face.axis_z - 0.012])
    paths: list[tuple[np.ndarray, float]] = []
    for side in (1.0, -1.0):
        rim = np.stack([side * rim_x, rim_y, front - 0.18 * np.abs(rim_x - face.half)], 1)
        hinge = np.array([rim_x.max(), face.eye[1] + 0.006, front - 0.18 * wide])
        t = np.linspace(0, 1, 8)[:, None]
        temple = (hinge + t * (ear - hinge)) * [side, 1, 1]
        paths += [(rim, thickness), (temple, thickness)]
    gap = rim_x.min()
    x = np.linspace(-gap, gap, 7)
    arch = 0.004 * (1 - (x / gap) ** 2)
    paths.append((np.stack([x, face.eye[1] + 0.002 + arch, front - 0.002 + 0.5 * arch], 1), thickness))
    return paths


def _tube(path: np.ndarray, radius: float, columns: int = 6) -> tuple[np.ndarray, np.ndarray]:
    tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    helper = np.where(np.abs(tangent[:, 2:]) < 0.8, [[0.0, 0.0, 1.0]], [[0.0, 1.0, 0.0]])
    first = np.cross(tangent, helper)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(tangent, first)
    phi = np.linspace(0, 2 * np.pi, columns, endpoint=False)[None, :, None]
    ring = path[:, None] + radius * (np.cos(phi) * first[:, None] + np.sin(phi) * second[:, None])
    return ring.reshape(-1, 3), grid_faces(len(path), columns)
