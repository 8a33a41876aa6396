"""Parts of the body that come where cloth stands off another: arm and side, thigh and belly."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from scipy.spatial import KDTree

from odah.clothing.rest_body import RestBody
from odah.names import SIDES

_PURE, _FOREIGN = 0.5, 0.45
"""Skin is a limb's own above this weight; cloth is no part of a limb below that one."""
_STEPS = np.array([0.2, 0.4, 0.6, 0.8, 1.0])
"""Where between skin and cloth a limb is looked for, as shares of the way."""
_CLEARANCE = 0.002
_REACH = 0.07
"""m; no limb is twice as thick, and no deeper place of the trunk is looked for."""
_SPACING = 0.02
"""m; skin vertices are nowhere further apart."""
_EASED = 2
"""Rounds in which neighbours come along."""
_TIGHT = 0.003
"""Cloth nearer to its own skin than this has nothing between, m."""


@dataclass(frozen=True)
class Limb:
    """skin: the vertices of an arm, a leg or the trunk, numbered in the skin patch. cloth: those of a garment
    that are no part of it."""

    skin: np.ndarray
    cloth: np.ndarray


def foreign_limbs(rest: RestBody, weights: np.ndarray) -> tuple[Limb, ...]:
    """The limbs that can get between a garment, skinned with `weights` (N, 55), and its skin; for sleeves the
    trunk, too."""
    cloth = replace(rest, weights=weights)
    patch = rest.skin_patch.index
    is_limb, is_sleeve = np.zeros(len(patch), bool), np.zeros(len(weights), bool)
    limbs = []
    for side in SIDES:
        arm, leg = rest.arm_weight(side)[patch] > _PURE, rest.leg_weight(side)[patch] > _PURE
        limbs.append(Limb(np.flatnonzero(arm), np.flatnonzero(cloth.arm_weight(side) < _FOREIGN)))
        limbs.append(Limb(np.flatnonzero(leg), np.flatnonzero(cloth.leg_weight(side) < _FOREIGN)))
        is_limb |= arm | leg
        is_sleeve |= cloth.arm_weight(side) > 1 - _FOREIGN
    limbs.append(Limb(np.flatnonzero(~is_limb), np.flatnonzero(is_sleeve)))
    return tuple(limbs)


def drawn_in(
    points: np.ndarray, anchors: np.ndarray, limbs: tuple[Limb, ...], patch: np.ndarray, normals: np.ndarray,
    smoothing: sp.csr_matrix,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Cloth points (N, 3) moved towards their skin (anchors) until no limb is between, and which were moved.

    patch, normals: (S, 3) of the posed skin patch. smoothing: (N, N) neighbour mean; neighbours come along,
    so that no single vertex is drawn in.
    """
    way = points - anchors
    length = np.linalg.norm(way, axis=1)
    share = np.ones(len(points))
    for limb in limbs:
        skin = _Skin.of(patch[limb.skin], normals[limb.skin])
        cloth = limb.cloth[length[limb.cloth] > _TIGHT]
        cloth = cloth[skin.is_met(points[cloth], length[cloth])]
        places = anchors[cloth, None] + _STEPS[:, None] * way[cloth, None]
        height = skin.heights(places.reshape(-1, 3))[0].reshape(-1, len(_STEPS))
        share[cloth] = np.minimum(share[cloth], _free_share(height - _CLEARANCE))
    eased = share
    for _ in range(_EASED):
        eased = np.minimum(share, 0.5 * eased + 0.5 * (smoothing @ eased))
    return anchors + eased[:, None] * way, share < 1


@dataclass(frozen=True)
class _Skin:
    """A limb's posed skin: its tree, and normals (S, 3). middle, radius: of a ball around it."""

    tree: KDTree
    normals: np.ndarray
    middle: np.ndarray
    radius: float

    @classmethod
    def of(cls, points: np.ndarray, normals: np.ndarray) -> _Skin:
        middle = points.mean(0)
        radius = float(np.linalg.norm(points - middle, axis=1).max())
        return cls(KDTree(points, balanced_tree=False, compact_nodes=False), normals, middle, radius)

    def is_met(self, ends: np.ndarray, length: np.ndarray) -> np.ndarray:
        """(P,) whether ways of a length (P,) m to the places `ends` (P, 3) may be blocked."""
        is_met = np.linalg.norm(ends - self.middle, axis=1) < self.radius + _REACH
        height, distance = self.heights(ends[is_met])
        is_met[is_met] = (height < _CLEARANCE) | (distance < length[is_met] + _SPACING)
        return is_met

    def heights(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(P,) m over the skin nearby, `_REACH` where there is none, and the distance (P,) to it."""
        distance, index = self.tree.query(places, k=3, distance_upper_bound=_REACH)
        found = np.isfinite(distance)
        index = np.where(found, index, 0)
        weight = np.where(found, 1 / (np.where(found, distance, 1.0) + 1e-3) ** 2, 0.0)
        total = weight.sum(1)
        apart = places[:, None] - self.tree.data[index]
        height = np.einsum("pkc,pkc,pk->p", apart, self.normals[index], weight)
        return np.where(total > 0, height / np.maximum(total, 1e-12), _REACH), distance[:, 0]


def _free_share(heights: np.ndarray) -> np.ndarray:
    """(P,) share of the way, from the skin on, until the heights (P, steps) over a limb become negative."""
    is_blocked = heights < 0
    first = is_blocked.argmax(1)
    rows = np.arange(len(heights))
    before = np.where(first > 0, heights[rows, first - 1], 0.0)
    start = np.where(first > 0, _STEPS[first - 1], 0.0)
    part = before / np.maximum(before - heights[rows, first], 1e-9)
    return np.where(is_blocked.any(1), start + part * (_STEPS[first] - start), 1.0)
