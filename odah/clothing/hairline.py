"""Where hair grows on a head, by style."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from odah.clothing.face import FaceFrame
from odah.clothing.rest_body import RestBody

_LINE_DEG = np.array([0, 30, 46, 58, 68, 76, 84, 106, 118, 135, 180])
_LINE = np.array([0.60, 0.58, 0.50, 0.30, 0.0, -0.12, 0.08, 0.12, -0.25, -0.55, -0.68])
"""Hairline height above the eyes, in heights of the head above the eyes, by angle from straight ahead:
forehead, temples, sideburns, over the ears, nape."""
_RISE = {
    "fringe": np.array([-0.26, -0.24, -0.12, 0, 0, 0, 0, 0, 0, 0, 0]),
    "receding": np.array([0.10, 0.26, 0.30, 0.22, 0.14, 0.10, 0, 0, 0, 0, 0]),
    "balding": np.array([0.60, 0.60, 0.60, 0.40, 0.20, 0.12, 0, 0, 0, 0, 0]),
    "shaved": np.full(11, 9.0),
}
_CROWN = {"balding": (0.56, 0.28)}
"""Bald from this height above the eyes on, and how much lower in front, in heights of the head above them."""

_AROUND_EARS = 0.003
"""Skin without hair behind the ears, m."""


def hairline_field(rest: RestBody, face: FaceFrame, style: str = "short") -> np.ndarray:
    """(N,) height above the hairline at the body's vertices, m; negative off the scalp and on the ears."""
    x, y, z = rest.vertices.T
    angle = np.degrees(np.arctan2(np.abs(x), z - face.axis_z))
    line = _LINE + _RISE.get(style, 0.0)
    field = y - (face.eye[1] + face.forehead * np.interp(angle, _LINE_DEG, line))
    if style in _CROWN:
        height, slope = _CROWN[style]
        field = np.minimum(
            field, face.eye[1] + face.forehead * (height - slope * np.cos(np.radians(angle))) - y
        )
    is_head = rest.head_weight > 0.4
    above_ears = is_head & (y > face.eye[1] + 0.35 * face.forehead)
    half_width = np.abs(x[above_ears]).max()
    is_ear = (np.abs(x) > half_width + 0.003) & (y < face.eye[1] + 0.35 * face.forehead)
    is_ear[rest.groups.get("ears", [])] = True
    eye_depth = rest.joint("left_eye")[2]
    field = np.minimum(field, KDTree(rest.vertices[is_ear]).query(rest.vertices)[0] - _AROUND_EARS)
    is_inner = (z < eye_depth) & (np.abs(x) < 0.6 * half_width) & (y < face.eye[1]) & (z > face.axis_z)
    return np.where(is_head & ~is_inner, field, -0.02)


def scalp_shade(rest: RestBody, face: FaceFrame, style: str) -> np.ndarray:
    """(N,) how much of the hair's colour the scalp shows: dense below hair, a shadow where shaved or thin."""
    dense = np.clip(hairline_field(rest, face, style) / 0.016 + 0.55, 0, 1)
    thin = np.clip(hairline_field(rest, face) / 0.02, 0, 1)
    return np.maximum(dense, {"shaved": 0.38, "balding": 0.06, "receding": 0.10}.get(style, 0.0) * thin)


def beard_field(positions: np.ndarray, face: FaceFrame, style: str) -> np.ndarray:
    """(Q,) distance into the bearded region at points (Q, 3) in the T-pose, m; negative outside."""
    x, y, z = positions.T
    aside, half = np.abs(x), face.half
    down = face.nose_tip - (face.nose_tip - face.mouth) * 0.35
    depth = (z - face.axis_z) / max(face.eye[2] - face.axis_z, 1e-6)
    cheek = np.interp(
        aside / half,
        [0, 0.75, 1.2, 1.9, 2.4],
        [down, down, face.mouth + 0.004, face.mouth + 0.016, face.nose_tip],
    )
    neck = face.chin - np.interp(depth, [-0.2, 0.2, 1.0], [-0.012, 0.008, 0.016])
    whole = np.minimum.reduce([cheek - y, y - neck, 0.05 * (depth + 0.05), 0.03 + 0 * y])
    moustache = np.minimum.reduce([down - y, y - (face.mouth + 0.001), 0.92 * half - aside])
    if style == "moustache":
        return moustache
    if style == "goatee":
        round_off = 12.0 * (y - 0.5 * (face.mouth + face.chin)) ** 2
        chin = np.minimum.reduce([face.mouth - y, 0.85 * half - aside - round_off, y - face.chin + 0.008])
        return np.maximum(moustache, np.minimum(chin, whole + 0.01))
    return whole
