"""Shoes built around the feet: convex outlines from sole to ankle, so that toes share one cap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import ConvexHull

from odah.clothing.rest_body import RestBody
from odah.clothing.surface import Surface, directed_edges, grid_faces
from odah.names import SIDES, SMPLX_INDEX

_COLUMNS = 48
_ROW = 0.0055
"""Height between the rings of the upper, m."""
_SOLE_BELOW, _SOLE_EDGE = 0.004, 0.004
"""How far soles reach under the foot, and how far they stand out, m."""


@dataclass(frozen=True)
class _ShoeKind:
    """collar: height of the rim above the ankle joint; leather: distance from the foot; sole: height of the
    sole's side, m. laces: share of the upper's rows, from the top, that laces cross."""

    collar: float
    leather: float
    sole: float
    laces: float


_KINDS = {
    "sneaker": _ShoeKind(collar=0.012, leather=0.007, sole=0.020, laces=0.6),
    "boot": _ShoeKind(collar=0.095, leather=0.008, sole=0.026, laces=0.75),
    "slip_on": _ShoeKind(collar=-0.012, leather=0.007, sole=0.011, laces=0.0),
}
SHOE_KINDS = (*_KINDS, "barefoot")


def collar_height(rest: RestBody, kind: str) -> float:
    """Height of a shoe's rim in the T-pose, m; negative infinity for bare feet."""
    if kind == "barefoot":
        return -np.inf
    return float(rest.joint("left_ankle")[1] + _KINDS[kind].collar)


def _foot_sections(rest: RestBody, side: str, heights: np.ndarray) -> list[np.ndarray]:
    """Points (P, 2), x and z, where the foot's edges pass each height."""
    of_foot = rest.leg_weight(side) > 0.5
    edges = directed_edges(rest.faces[of_foot[rest.faces].all(1)])
    a, b = rest.vertices[edges[:, 0]], rest.vertices[edges[:, 1]]
    sections = []
    for height in heights:
        crossing = (a[:, 1] - height) * (b[:, 1] - height) < 0
        t = ((height - a[crossing, 1]) / (b[crossing, 1] - a[crossing, 1]))[:, None]
        sections.append((a[crossing] + t * (b[crossing] - a[crossing]))[:, [0, 2]])
    return sections


def _outline(points: np.ndarray, margin: float, forward: np.ndarray) -> np.ndarray:
    """(columns, 2) convex outline grown by `margin`, even steps counter-clockwise from the rearmost point."""
    circle = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    grown = (points[:, None] + margin * np.stack([np.cos(circle), np.sin(circle)], 1)[None]).reshape(-1, 2)
    hull = grown[ConvexHull(grown).vertices]
    hull = np.roll(hull, -int((hull @ forward).argmin()), axis=0)
    closed = np.concatenate([hull, hull[:1]])
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    at = np.linspace(0, length[-1], _COLUMNS, endpoint=False)
    return np.stack([np.interp(at, length, c) for c in closed.T], 1)


def _upper(rest: RestBody, side: str, heights: np.ndarray, leather: float) -> np.ndarray:
    """(rows, columns, 2) outlines of the upper, x and z, at the heights."""
    ankle, ball = rest.joint(f"{side}_ankle"), rest.joint(f"{side}_foot")
    forward = (ball - ankle)[[0, 2]] / np.linalg.norm((ball - ankle)[[0, 2]])
    sections = _foot_sections(rest, side, heights)
    shaft = int(np.searchsorted(heights, ankle[1] + _KINDS["sneaker"].collar))
    outlines = []
    for row, height in enumerate(heights):
        first = min(
            int(np.searchsorted(heights, height - leather)), row
        )  # leather is on top of the foot, too
        last = max(row, min(shaft, len(heights) - 1))  # the foot's rows cover all that is above them
        outlines.append(_outline(np.concatenate(sections[first : last + 1]), leather, forward))
    smooth = gaussian_filter1d(np.array(outlines), 0.8, axis=0, mode="nearest")
    return gaussian_filter1d(smooth, 1.0, axis=1, mode="wrap")


def _rings(rest: RestBody, side: str, kind: _ShoeKind) -> tuple[np.ndarray, int]:
    """(R, columns, 3) rings from the sole's middle over the collar to its inside; first ring of the upper."""
    floor = rest.vertices[rest.leg_weight(side) > 0.5, 1].min()
    top = rest.joint(f"{side}_ankle")[1] + kind.collar
    heights = np.linspace(floor + 0.003, top, max(int((top - floor) / _ROW), 8))
    upper = _upper(rest, side, heights, kind.leather)
    middle = upper[0].mean(0)
    out = upper[0] - middle
    edge = upper[0] + _SOLE_EDGE * out / np.linalg.norm(out, axis=1, keepdims=True)
    below = floor - _SOLE_BELOW
    starts = max(int(np.searchsorted(heights, floor + kind.sole)), 1)
    sole = [
        (middle + 1e-3 * out, below),
        (edge - 0.08 * out, below),
        (edge, below + 0.003),
        (edge, floor + kind.sole - 0.002),
        (upper[starts], floor + kind.sole),
    ]
    body = [(upper[k], heights[k]) for k in range(starts, len(heights))]
    centre = upper[-1].mean(0)
    lip = [
        (centre + 0.97 * (upper[-1] - centre), top + 0.002),
        (centre + 0.90 * (upper[-1] - centre), top - 0.004),
        (centre + 0.86 * (upper[-1] - centre), top - 0.02),
    ]
    rings = [np.insert(xz, 1, y, axis=1) for xz, y in (*sole, *body, *lip)]
    return np.array(rings), len(sole)


def _weights(vertices: np.ndarray, rest: RestBody, side: str) -> np.ndarray:
    """The sole bends at the ball of the foot; a collar gives a little with the shin, a shaft follows it."""
    ankle, ball = rest.joint(f"{side}_ankle"), rest.joint(f"{side}_foot")
    direction = (ball - ankle) * [1, 0, 1]
    along = (vertices - ankle) @ direction / (direction @ direction)
    toe = np.clip((along - 0.88) / 0.4, 0, 1)
    toe = toe * toe * (3 - 2 * toe)
    above = vertices[:, 1] - ankle[1]
    shin = 0.4 * np.clip((above + 0.03) / 0.042, 0, 1) + 0.6 * np.clip((above - 0.012) / 0.05, 0, 1)
    shin *= 1 - toe
    weights = np.zeros((len(vertices), len(SMPLX_INDEX)))
    weights[:, SMPLX_INDEX[f"{side}_foot"]] = toe * (1 - shin)
    weights[:, SMPLX_INDEX[f"{side}_knee"]] = shin
    weights[:, SMPLX_INDEX[f"{side}_ankle"]] = 1 - toe * (1 - shin) - shin
    return weights


def _vertex_colors(
    rings: np.ndarray, first_upper: int, kind: _ShoeKind, upper: np.ndarray, sole: np.ndarray
) -> np.ndarray:
    """Sole, upper, a darker lining, and light laces across the instep."""
    colors = np.broadcast_to(upper, rings.shape).copy()
    colors[: first_upper - 1] = sole
    colors[-2:] = 0.45 * upper
    lace_columns = np.abs(np.arange(_COLUMNS) - _COLUMNS // 2) <= 2
    rows, last = np.arange(len(rings)), len(rings) - 4
    lace_rows = (rows > last - kind.laces * (last - first_upper)) & (rows < last) & (rows % 2 == 0)
    colors[np.ix_(lace_rows, lace_columns)] = 0.5 * upper + 0.5 * np.array([0.8, 0.8, 0.8])
    return colors.reshape(-1, 3)


def shoe_surface(
    rest: RestBody, kind: str, upper_color: np.ndarray, sole_color: np.ndarray
) -> tuple[Surface, np.ndarray]:
    """Both shoes in the T-pose and their (N, 3) linear RGB vertex colours; any kind but bare feet."""
    shoe = _KINDS[kind]
    vertices, faces, weights, colors, count = [], [], [], [], 0
    for side in SIDES:
        rings, first_upper = _rings(rest, side, shoe)
        points = rings.reshape(-1, 3)
        vertices.append(points)
        faces.append(grid_faces(len(rings), _COLUMNS) + count)
        weights.append(_weights(points, rest, side))
        colors.append(_vertex_colors(rings, first_upper, shoe, upper_color, sole_color))
        count += len(points)
    surface = Surface(np.concatenate(vertices), np.concatenate(faces), np.concatenate(weights))
    return surface, np.concatenate(colors)
