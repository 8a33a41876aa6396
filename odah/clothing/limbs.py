"""Limbs that come where cloth stands off the body: an arm at the side, a thigh under the belly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from odah.clothing.rest_body import RestBody
from odah.names import SIDES

_PURE, _FOREIGN = 0.5, 0.45
"""Skin is a limb's own above this weight; cloth is no part of a limb below that one."""
_STEPS = np.array([0.2, 0.4, 0.6, 0.8, 1.0])
"""Where between skin and cloth a limb is looked for, as shares of the way."""
_CLEARANCE = 0.002
_REACH = 0.07
"""m; no limb is twice as thick."""
_TIGHT = 0.003
"""Cloth nearer to its own skin than this has nothing between, m."""


@dataclass(frozen=True)
class Limb:
    """skin: the body vertices of an arm or a leg. cloth: the vertices of a garment that are no part of it."""

    skin: np.ndarray
    cloth: np.ndarray


def foreign_limbs(rest: RestBody, weights: np.ndarray) -> tuple[Limb, ...]:
    """The limbs that can get between a garment, skinned with `weights` (N, 55), and its skin."""
    whole = RestBody(rest.vertices, rest.faces, weights, rest.joints)
    limbs = []
    for side in SIDES:
        for of_body, of_cloth in (
            (rest.arm_weight(side), whole.arm_weight(side)),
            (rest.leg_weight(side), whole.leg_weight(side)),
        ):
            is_skin = (of_body > _PURE) & (rest.hand_weight < 0.5)
            limbs.append(Limb(np.flatnonzero(is_skin), np.flatnonzero(of_cloth < _FOREIGN)))
    return tuple(limbs)


def drawn_in(
    points: np.ndarray, anchors: np.ndarray, limbs: tuple[Limb, ...], body: np.ndarray, normals: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Cloth points (N, 3) moved towards their skin (anchors) until no limb is between, and which were moved.

    body, normals: (N_body, 3) of the posed skin.
    """
    share = np.ones(len(points))
    loose = np.linalg.norm(points - anchors, axis=1) > _TIGHT
    for limb in limbs:
        cloth = limb.cloth[loose[limb.cloth]]
        skin = body[limb.skin]
        middle = skin.mean(0)
        around = np.linalg.norm(skin - middle, axis=1).max() + _REACH
        cloth = cloth[np.linalg.norm(points[cloth] - middle, axis=1) < around]
        if not len(cloth):
            continue
        way = (points - anchors)[cloth]
        places = anchors[cloth, None] + _STEPS[:, None] * way[:, None]
        height = _heights(places.reshape(-1, 3), skin, normals[limb.skin])
        share[cloth] = np.minimum(share[cloth], _free_share(height.reshape(-1, len(_STEPS)) - _CLEARANCE))
    return anchors + share[:, None] * (points - anchors), share < 1


def _heights(places: np.ndarray, skin: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """(P,) m over the skin nearby, `_REACH` where there is none."""
    distance, index = KDTree(skin, balanced_tree=False, compact_nodes=False).query(
        places, k=3, distance_upper_bound=_REACH
    )
    found = np.isfinite(distance)
    index = np.where(found, index, 0)
    weight = np.where(found, 1 / (np.where(found, distance, 1.0) + 1e-3) ** 2, 0.0)
    total = weight.sum(1)
    height = np.einsum("pkc,pkc,pk->p", places[:, None] - skin[index], normals[index], weight)
    return np.where(total > 0, height / np.maximum(total, 1e-12), _REACH)


def _free_share(heights: np.ndarray) -> np.ndarray:
    """(P,) share of the way, from the skin on, until the heights (P, steps) over a limb become negative."""
    is_blocked = heights < 0
    first = is_blocked.argmax(1)
    rows = np.arange(len(heights))
    before = np.where(first > 0, heights[rows, first - 1], 0.0)
    start = np.where(first > 0, _STEPS[first - 1], 0.0)
    part = before / np.maximum(before - heights[rows, first], 1e-9)
    return np.where(is_blocked.any(1), start + part * (_STEPS[first] - start), 1.0)
