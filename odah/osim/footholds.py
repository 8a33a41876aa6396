"""Where each foot, knee and hand should stand, stance by stance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from odah.osim.contact_points import ContactPoint
from odah.osim.travel import runs


@dataclass(frozen=True)
class _Limb:
    """Points (columns) that rest on the floor together; layout (P, 2): where they lie when flat (x, z)."""

    columns: list[int]
    layout: np.ndarray


def _limbs(points: tuple[ContactPoint, ...], toe_joint: np.ndarray) -> list[_Limb]:
    """Both soles (heel, ball, toe), and every other point on its own.

    toe_joint: (2, 3) toe joints in calcn, right and left.
    """
    limbs = []
    for side, joint in zip("rl", toe_joint, strict=True):
        columns = [
            i
            for i, point in enumerate(points)
            if point.part in (f"heel_{side}", f"ball_{side}", f"toe_{side}")
        ]
        layout = np.stack(
            [points[i].offset + (joint if points[i].body == f"toes_{side}" else 0) for i in columns]
        )
        limbs.append(_Limb(columns, layout[:, (0, 2)]))
    on_soles = {i for limb in limbs for i in limb.columns}
    limbs += [_Limb([i], np.zeros((1, 2))) for i in range(len(points)) if i not in on_soles]
    return limbs


def _foothold(places: np.ndarray, weights: np.ndarray, layout: np.ndarray) -> np.ndarray:
    """The rigid planar placement of `layout` (P, 2) nearest to `places` (T, P, 2) under weights (T, P)."""
    # Moments of full contact count most: a rolling foot is not yet where it will stand.
    weight = weights * weights.sum(axis=1, keepdims=True) ** 2
    share = weight / weight.sum()
    place_mean = np.einsum("tp,tpk->k", share, places)
    layout_mean = np.einsum("tp,pk->k", share, layout)
    places, layout_centred = places - place_mean, layout - layout_mean
    along = np.einsum("tp,tpk,pk->", share, places, layout_centred)
    across = (share * _cross(layout_centred, places)).sum()
    angle = np.arctan2(across, along)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return layout_centred @ turn.T + place_mean


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def footholds(
    points: tuple[ContactPoint, ...], toe_joint: np.ndarray, places: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Targets (T, P, 3), m in ground, y = 0: constant through each stance of a limb.

    places: (T, P, 3) where the points are before correction. weights: (T, P) contact. Between two
    stances the target changes in the middle of the swing, where its weight is nothing.
    """
    targets = places * [1.0, 0.0, 1.0]
    for limb in _limbs(points, toe_joint):
        weight = weights[:, limb.columns]
        stances = runs(weight.max(axis=1) > 0.5)
        for k, (start, end) in enumerate(stances):
            span = slice(start, end)
            held = _foothold(places[span][:, limb.columns][..., (0, 2)], weight[span], limb.layout)
            first = 0 if k == 0 else (stances[k - 1][1] + start) // 2
            last = len(places) if k == len(stances) - 1 else (end + stances[k + 1][0]) // 2
            for column, place in zip(limb.columns, held, strict=True):
                targets[first:last, column, 0], targets[first:last, column, 2] = place
    return targets
