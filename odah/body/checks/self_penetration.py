"""How deep hands, arms and legs are inside other parts of the body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.spatial import KDTree

from odah.body.checks.body_sample import BodySample
from odah.body.checks.thresholds import MAX_ARMPIT_PENETRATION, MAX_SELF_PENETRATION
from odah.names import SIDES

_REST_DISTANCE = 0.05
"""m; what is nearer than this in the T-pose is a neighbour (armpit, groin) and may touch."""
_REACH = 0.10
"""m; no limb is that thick, so nothing is deeper, and what is further from the surface is elsewhere."""
_ARM, _LEG = ("hand", "forearm", "upper arm"), ("thigh", "shank", "foot")


@dataclass(frozen=True)
class Overlap:
    """`part` inside `other`: the greatest depth over the clip, mm, and the share of the frames in which it is
    deeper than `allowed_depth`."""

    part: str
    other: str
    depth_mm: float
    share: float


@dataclass(frozen=True)
class _Limb:
    """points: of a limb (indices) that may meet others, which are on the parts it may be inside of.

    is_open: (P,) the others beside the limb in the T-pose, where taking it away leaves a hole.
    """

    points: np.ndarray
    others: np.ndarray
    is_open: np.ndarray


def allowed_depth(part: str, other: str) -> float:
    """How deep `part` may be inside `other`, m, as flesh gives."""
    is_armpit = part.endswith("upper arm") and other == "trunk"
    return MAX_ARMPIT_PENETRATION if is_armpit else MAX_SELF_PENETRATION


def self_penetration(
    sample: BodySample, points: Float[np.ndarray, "T P 3"], normals: Float[np.ndarray, "T P 3"]
) -> tuple[Overlap, ...]:
    """Every pair of parts that is anywhere deeper than `allowed_depth`, the deepest first.

    A limb's points are held against the nearest points of the other parts: below the plane through the
    nearest one they are inside. Arms against all but themselves, each leg against the other.

    Args:
        points, normals: of the sample, as `BodySample.posed` gives them.
    """
    names, codes = np.unique(sample.parts, return_inverse=True)
    limbs = _limbs(sample)
    depths = np.zeros((len(points), len(names), len(names)))
    for frame, frame_points, frame_normals in zip(depths, points, normals, strict=True):
        for limb in limbs:
            own, nearest, depth = _depths(limb, frame_points, frame_normals)
            np.maximum.at(frame, (codes[own], codes[nearest]), depth)
    allowed = np.array([[allowed_depth(str(part), str(other)) for other in names] for part in names])
    overlaps = [
        Overlap(str(names[i]), str(names[j]), 1e3 * float(depths[:, i, j].max()), float(share))
        for (i, j), share in np.ndenumerate((depths > allowed).mean(axis=0))
        if share > 0
    ]
    return tuple(sorted(overlaps, key=lambda o: (-o.depth_mm, o.part, o.other)))


def _limbs(sample: BodySample) -> list[_Limb]:
    limbs = []
    for side in SIDES:
        for names in (_ARM, _LEG):
            own = np.isin(sample.parts, [f"{side} {name}" for name in names])
            opposite = [f"{other} {name}" for other in SIDES if other != side for name in names]
            others = np.flatnonzero(~own if names is _ARM else np.isin(sample.parts, opposite))
            points = np.flatnonzero(own)
            is_near = _distances(sample.rest[points], sample.rest[others]) < _REST_DISTANCE
            is_open = np.zeros(len(own), bool)
            is_open[others] = _distances(sample.rest[others], sample.rest[points]) < _REST_DISTANCE
            limbs.append(_Limb(points[~is_near], others, is_open))
    return limbs


def _distances(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(P,) distance of each point to the nearest of the others, m."""
    return KDTree(others).query(points)[0]


def _depths(
    limb: _Limb, points: np.ndarray, normals: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points of the limb that are inside others, the other points nearest to them, and the depth, m."""
    near = limb.others[_in_box(points[limb.others], points[limb.points])]
    if not len(near):
        return near, near, np.zeros(0)
    own = limb.points[_in_box(points[limb.points], points[near])]
    distance, index = KDTree(points[near]).query(points[own], distance_upper_bound=_REACH)
    is_found = np.isfinite(distance)
    own, nearest = own[is_found], near[np.asarray(index)[is_found]]
    depth = -((points[own] - points[nearest]) * normals[nearest]).sum(axis=1)
    is_inside = (depth > 0) & ~limb.is_open[nearest]
    return own[is_inside], nearest[is_inside], depth[is_inside]


def _in_box(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(P,) which points lie in the box around the others, `_REACH` wider."""
    low, high = others.min(axis=0) - _REACH, others.max(axis=0) + _REACH
    return ((points > low) & (points < high)).all(axis=1)
