"""Finds the markers of a body by the anatomical rules of `landmark_rules`."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from odah.body.registration.landmark_rules import MIDLINE_RULES, SIDE_RULES, STATURE, LandmarkRule
from odah.body.registration.marker_layout import LayoutMarker, MarkerLayout, check_sides, topology_hash
from odah.errors import OdahError
from odah.names import SMPLX_INDEX

_MIRROR = np.array([-1.0, 1.0, 1.0])
_EDGE = 1e-6
"""Slack in barycentric coordinates, so that a ray along the midline cannot slip between two triangles."""

_WEIGHT_DIGITS = 4
_NEAR_TRIANGLES = 8
"""Nearest vertices whose triangles may hold the mirror image of a point."""

SkinPoint = tuple[tuple[int, ...], tuple[float, ...]]
"""Three vertices of a triangle and their weights."""


def place_markers(vertices: np.ndarray, faces: np.ndarray, joints: np.ndarray) -> MarkerLayout:
    """Find every marker's point on a T-pose body.

    Args:
        vertices, joints: (N, 3), (55, 3) mean shape in SMPL-X's T-pose, m, Y-up, left +X.
        faces: (F, 3), counter-clockwise seen from outside.

    Raises:
        OdahError: a ray finds no skin.
        InputError: a marker comes out on the wrong side.
    """
    markers: dict[str, LayoutMarker] = {}
    for rule in MIDLINE_RULES:
        point = _skin_point(_hit(rule, vertices, faces, joints), vertices, faces)
        markers[rule.name] = LayoutMarker(*point, "middle", rule.bone, rule.description)
    for rule in SIDE_RULES:
        left = _hit(rule, vertices, faces, joints)
        for side, place in (("right", left * _MIRROR), ("left", left)):
            bone = rule.bone if rule.bone in ("pelvis", "torso") else f"{rule.bone}_{side[0]}"
            point = _skin_point(place, vertices, faces)
            markers[f"{side[0].upper()}{rule.name}"] = LayoutMarker(*point, side, bone, rule.description)
    layout = MarkerLayout(markers, len(vertices), topology_hash(faces, len(vertices)))
    check_sides(layout, vertices)
    return layout


def _hit(rule: LandmarkRule, vertices: np.ndarray, faces: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """(3,) where the rule's ray leaves the skin."""
    start = _joint(joints, rule.start)
    origin = start + rule.fraction * (_joint(joints, rule.end or rule.start) - start)
    origin = origin + np.array(rule.offset) * np.ptp(vertices[:, 1]) / STATURE
    direction = np.array(rule.direction, dtype=float)
    direction /= np.linalg.norm(direction)
    distance = _first_exit(origin, direction, vertices, faces)
    if not np.isfinite(distance):
        raise OdahError(f"the ray of marker {rule.name} leaves no skin; is the body a closed mesh in T-pose?")
    return origin + distance * direction


def _joint(joints: np.ndarray, name: str) -> np.ndarray:
    index = SMPLX_INDEX[name] if name in SMPLX_INDEX else SMPLX_INDEX[f"left_{name}"]
    return joints[index]


def _first_exit(origin: np.ndarray, direction: np.ndarray, vertices: np.ndarray, faces: np.ndarray) -> float:
    """How far a ray from inside goes until it leaves the mesh (Moeller and Trumbore 1997), else infinite."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    edge_u, edge_v = b - a, c - a
    cross = np.cross(direction, edge_v)
    determinant = (edge_u * cross).sum(1)
    is_leaving = determinant < -1e-12
    inverse = np.where(is_leaving, 1 / np.where(is_leaving, determinant, 1), 0)
    from_a = origin - a
    u = (from_a * cross).sum(1) * inverse
    other = np.cross(from_a, edge_u)
    v = (other @ direction) * inverse
    distance = (edge_v * other).sum(1) * inverse
    is_hit = is_leaving & (u >= -_EDGE) & (v >= -_EDGE) & (u + v <= 1 + _EDGE) & (distance > 0)
    return float(distance[is_hit].min(initial=np.inf))


def _skin_point(place: np.ndarray, vertices: np.ndarray, faces: np.ndarray) -> SkinPoint:
    """The point of the skin nearest to `place` (3,)."""
    near = KDTree(vertices).query(place, k=min(_NEAR_TRIANGLES, len(vertices)))[1]
    around = faces[np.isin(faces, near).any(1)]
    shares = _nearest_shares(place, vertices[around])
    gaps = np.linalg.norm((vertices[around] * shares[..., None]).sum(1) - place, axis=1)
    best = int(np.argmin(gaps))
    # Sorted by number, a point is told the same way whichever corner its triangle starts with.
    order = np.argsort(around[best])
    weights = np.round(shares[best][order], _WEIGHT_DIGITS)
    weights[np.argmax(weights)] += 1 - weights.sum()
    rounded = tuple(round(float(w), _WEIGHT_DIGITS) for w in weights)
    return tuple(int(v) for v in around[best][order]), rounded


def _nearest_shares(place: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(F, 3) barycentric coordinates of the point of each triangle (F, 3, 3) nearest to `place` (3,).

    Inside by projection; outside the nearest of the three edges' nearest points.
    """
    a, u, v = triangles[:, 0], triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    w = place - a
    uu, uv, vv, wu, wv = ((p * q).sum(1) for p, q in ((u, u), (u, v), (v, v), (w, u), (w, v)))
    area = np.maximum(uu * vv - uv**2, 1e-30)
    second, third = (vv * wu - uv * wv) / area, (uu * wv - uv * wu) / area
    inside = np.stack([1 - second - third, second, third], 1)
    candidates = [np.where(np.all(inside >= 0, axis=1, keepdims=True), inside, np.nan)]
    for start, end in ((0, 1), (1, 2), (2, 0)):
        edge = triangles[:, end] - triangles[:, start]
        along = ((place - triangles[:, start]) * edge).sum(1) / np.maximum((edge**2).sum(1), 1e-30)
        shares = np.zeros((len(triangles), 3))
        shares[:, end] = along.clip(0, 1)
        shares[:, start] = 1 - shares[:, end]
        candidates.append(shares)
    stacked = np.stack(candidates)
    points = (stacked[..., None] * triangles).sum(2)
    gaps = np.nan_to_num(np.linalg.norm(points - place, axis=-1), nan=np.inf)
    return np.take_along_axis(stacked, gaps.argmin(0)[None, :, None], axis=0)[0]
