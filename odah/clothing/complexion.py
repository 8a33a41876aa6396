"""Colours of the skin at the body's vertices, and the eyes."""

from __future__ import annotations

import numpy as np

from odah.clothing.face import FaceFrame
from odah.clothing.hair import hairline_field
from odah.clothing.rest_body import RestBody
from odah.clothing.textures import RGB
from odah.names import SIDES

_PUPIL_DEG, _IRIS_DEG = 7.7, 22.0
"""Half angles of pupil and iris from the eyeball's middle; the open body's eyes have rings on either side."""
_EYE_WHITE = np.array([0.62, 0.58, 0.55])


def srgb_to_linear(color: RGB | np.ndarray) -> np.ndarray:
    """sRGB 0-255 to linear 0-1 (IEC 61966-2-1)."""
    c = np.asarray(color, float) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def _blend(colors: np.ndarray, target: np.ndarray, share: np.ndarray) -> np.ndarray:
    return colors + np.clip(share, 0, 1)[:, None] * (target - colors)


def _ramp(distance: np.ndarray, width: float) -> np.ndarray:
    """1 deep inside (distance > 0), 0 outside, linear over `width` m around the line."""
    return np.clip(distance / width + 0.5, 0, 1)


def _mottle(rest: RestBody, rng: np.random.Generator) -> np.ndarray:
    """(N,) smooth random field about 1: the skin is not one colour."""
    waves = rng.normal(0, 1, (12, 3)) * rng.uniform(8, 60, (12, 1))
    phases = rng.uniform(0, 2 * np.pi, 12)
    return 1 + 0.018 * np.sin(rest.vertices @ waves.T + phases).sum(1) / np.sqrt(6)


def _lips(rest: RestBody, face: FaceFrame, is_front: np.ndarray) -> np.ndarray:
    x, y, _ = rest.vertices.T
    across = np.clip(1 - (x / (0.85 * face.half)) ** 2, 0, 1)
    upper = 0.30 * face.half * across - (y - face.mouth)
    lower = (y - face.mouth) + 0.36 * face.half * across
    if "lips" in rest.groups:
        return np.isin(np.arange(len(rest.vertices)), rest.groups["lips"]).astype(float)
    return _ramp(np.minimum(upper, lower), 0.0025) * (across > 0) * is_front


def _brows(rest: RestBody, face: FaceFrame, is_front: np.ndarray) -> np.ndarray:
    x, y, _ = rest.vertices.T
    along = np.abs(x) / face.half
    arch = face.eye[1] + face.half * (
        0.70 + 0.16 * np.clip(along - 0.4, 0, 0.9) - 0.5 * np.clip(along - 1.25, 0, 1)
    )
    thickness = face.half * np.where(along < 1.2, 0.15, 0.15 - 0.12 * (along - 1.2))
    inside = np.minimum(thickness - np.abs(y - arch), face.half * np.minimum(along - 0.35, 1.85 - along))
    return _ramp(inside, 0.004) * is_front


def skin_colors(rest: RestBody, skin: RGB, hair: RGB, eyes: RGB, seed: int) -> np.ndarray:
    """(N, 3) linear RGB at the body's vertices: tone, flush, lips, brows, eyes, scalp in hair colour."""
    rng = np.random.default_rng(seed)
    base, hair_color = srgb_to_linear(skin), srgb_to_linear(hair)
    face = FaceFrame.of(rest)
    x, y, z = rest.vertices.T
    colors = base * _mottle(rest, rng)[:, None]
    is_front = (rest.head_weight > 0.3) & (rest.normals[:, 2] > 0.0) & (z > face.axis_z)

    flush = base * np.array([1.0, 0.80, 0.78])
    cheek = np.hypot(np.abs(x) - 1.1 * face.half, y - 0.5 * (face.nose_tip + face.mouth)) / face.half
    nose = np.hypot(x, y - face.nose_tip) / (0.7 * face.half)
    colors = _blend(colors, flush, 0.6 * np.exp(-(cheek**2)) * is_front + 0.5 * np.exp(-(nose**2)) * is_front)
    colors = _blend(colors, base * np.array([0.92, 0.60, 0.58]), 0.85 * _lips(rest, face, is_front))
    colors[rest.groups.get("mouth_inside", [])] = base * np.array([0.5, 0.2, 0.2])
    socket = np.hypot((np.abs(x) - face.half) / 0.8, (y - face.eye[1]) / 0.55) / face.half
    colors = _blend(colors, base * 0.72, 0.5 * np.exp(-((socket / 0.8) ** 4)) * is_front)
    colors = _blend(colors, 0.75 * hair_color + 0.1 * base, 0.9 * _brows(rest, face, is_front))
    scalp = _ramp(hairline_field(rest, face), 0.012)
    return np.clip(_with_eyes(_blend(colors, hair_color * 0.9 + 0.04 * base, scalp), rest, eyes), 0, 1)


def _with_eyes(colors: np.ndarray, rest: RestBody, eye_color: RGB) -> np.ndarray:
    """Pupil, iris and white by the angle from the gaze (+z) around each eyeball's middle."""
    colors, iris = colors.copy(), srgb_to_linear(eye_color)
    for side in SIDES:
        index = np.flatnonzero(rest.weight_of(f"{side}_eye") > 0.9)
        if not len(index):
            continue
        points = rest.vertices[index]
        rays = points - (points.max(0) + points.min(0)) / 2
        angle = np.degrees(np.arccos(np.clip(rays[:, 2] / np.linalg.norm(rays, axis=1), -1, 1)))
        colors[index] = np.where((angle < 45)[:, None], _EYE_WHITE, _EYE_WHITE * [0.9, 0.7, 0.66])
        colors[index[angle < _IRIS_DEG]] = iris
        colors[index[angle < _PUPIL_DEG]] = 0.004
    return colors
