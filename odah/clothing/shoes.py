"""Low shoes built around the feet: convex outlines from sole to ankle, so that toes share one cap."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import ConvexHull

from odah.clothing.rest_body import RestBody
from odah.clothing.surface import Surface, directed_edges, grid_faces
from odah.names import SIDES, SMPLX_INDEX

_COLUMNS = 48
_UPPER_ROWS = 16
_LEATHER = 0.007
"""Distance of the shoe from the foot, m."""
_SOLE_BELOW, _SOLE_HEIGHT, _SOLE_EDGE = 0.004, 0.020, 0.004
"""How far the sole reaches under the foot, how high its side is, and how far it stands out, m."""
COLLAR_ABOVE_ANKLE = 0.012


def collar_height(rest: RestBody) -> float:
    """Height of a shoe's rim in the T-pose, m."""
    return float(rest.joint("left_ankle")[1] + COLLAR_ABOVE_ANKLE)


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


def _rings(rest: RestBody, side: str) -> tuple[np.ndarray, int]:
    """(R, columns, 3) rings from the sole's middle over the collar to its inside; first ring of the upper."""
    ankle, ball = rest.joint(f"{side}_ankle"), rest.joint(f"{side}_foot")
    forward = (ball - ankle)[[0, 2]] / np.linalg.norm((ball - ankle)[[0, 2]])
    floor = rest.vertices[rest.leg_weight(side) > 0.5, 1].min()
    top = collar_height(rest)
    heights = np.linspace(floor + 0.003, top, _UPPER_ROWS)
    sections = _foot_sections(rest, side, heights)
    outlines = []
    for row, height in enumerate(heights):
        from_row = int(np.searchsorted(heights, height - _LEATHER))  # leather lies on top of the foot, too
        outlines.append(_outline(np.concatenate(sections[min(from_row, row) :]), _LEATHER, forward))
    upper = gaussian_filter1d(
        gaussian_filter1d(np.array(outlines), 0.8, axis=0, mode="nearest"), 1.0, axis=1, mode="wrap"
    )
    middle = upper[0].mean(0)
    out = upper[0] - middle
    edge = upper[0] + _SOLE_EDGE * out / np.linalg.norm(out, axis=1, keepdims=True)
    below = floor - _SOLE_BELOW
    starts = max(int(np.searchsorted(heights, floor + _SOLE_HEIGHT)), 1)
    sole = [
        (middle + 1e-3 * out, below),
        (edge - 0.08 * out, below),
        (edge, below + 0.003),
        (edge, floor + _SOLE_HEIGHT - 0.002),
    ]
    sole.append((upper[starts], floor + _SOLE_HEIGHT))
    body = [(upper[k], heights[k]) for k in range(starts, _UPPER_ROWS)]
    centre = upper[-1].mean(0)
    lip = [
        (centre + 0.97 * (upper[-1] - centre), top + 0.002),
        (centre + 0.90 * (upper[-1] - centre), top - 0.004),
    ]
    lip.append((centre + 0.86 * (upper[-1] - centre), top - 0.02))
    rings = [np.insert(xz, 1, y, axis=1) for xz, y in (*sole, *body, *lip)]
    return np.array(rings), len(sole)


def _weights(vertices: np.ndarray, rest: RestBody, side: str) -> np.ndarray:
    """The sole bends at the ball of the foot; the collar gives a little with the shin."""
    ankle, ball = rest.joint(f"{side}_ankle"), rest.joint(f"{side}_foot")
    direction = (ball - ankle) * [1, 0, 1]
    along = (vertices - ankle) @ direction / (direction @ direction)
    toe = np.clip((along - 0.88) / 0.24, 0, 1)
    toe = toe * toe * (3 - 2 * toe)
    shin = 0.4 * np.clip((vertices[:, 1] - ankle[1] + 0.03) / (0.03 + COLLAR_ABOVE_ANKLE), 0, 1) * (1 - toe)
    weights = np.zeros((len(vertices), len(SMPLX_INDEX)))
    weights[:, SMPLX_INDEX[f"{side}_foot"]] = toe * (1 - shin)
    weights[:, SMPLX_INDEX[f"{side}_knee"]] = shin
    weights[:, SMPLX_INDEX[f"{side}_ankle"]] = 1 - toe * (1 - shin) - shin
    return weights


def _vertex_colors(rings: np.ndarray, first_upper: int, upper: np.ndarray, sole: np.ndarray) -> np.ndarray:
    """Sole, upper, a darker lining, and light laces across the instep."""
    colors = np.broadcast_to(upper, rings.shape).copy()
    colors[: first_upper - 1] = sole
    colors[-2:] = 0.45 * upper
    lace_columns = np.abs(np.arange(_COLUMNS) - _COLUMNS // 2) <= 2
    rows = np.arange(len(rings))
    lace_rows = (rows >= len(rings) - 10) & (rows < len(rings) - 4) & (rows % 2 == 0)
    colors[np.ix_(lace_rows, lace_columns)] = 0.5 * upper + 0.5 * np.array([0.8, 0.8, 0.8])
    return colors.reshape(-1, 3)


def shoe_surface(
    rest: RestBody, upper_color: np.ndarray, sole_color: np.ndarray
) -> tuple[Surface, np.ndarray]:
    """Both shoes in the T-pose and their (N, 3) linear RGB vertex colours."""
    vertices, faces, weights, colors, count = [], [], [], [], 0
    for side in SIDES:
        rings, first_upper = _rings(rest, side)
        points = rings.reshape(-1, 3)
        vertices.append(points)
        faces.append(grid_faces(len(rings), _COLUMNS) + count)
        weights.append(_weights(points, rest, side))
        colors.append(_vertex_colors(rings, first_upper, upper_color, sole_color))
        count += len(points)
    surface = Surface(np.concatenate(vertices), np.concatenate(faces), np.concatenate(weights))
    return surface, np.concatenate(colors)
