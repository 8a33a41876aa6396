"""The full-body model in the size of another: scale factors from the distances between joint centres."""

from __future__ import annotations

import numpy as np

from odah.errors import InputError
from odah.osim.transfer.rest import RestPair

_JOINT_SIGMA, _SHEAR_SIGMA = 0.005, 0.15
"""m by which models disagree where a joint centre is, and how much a bone's factors differ among its axes."""
_LARGEST_SHEAR = 1.5
_PLAUSIBLE = (0.25, 4.0)
_TOLD_BY = {
    "patella": ("femur",), "toes": ("calcn",), "talus": ("talus", "calcn"),
    "ulna": ("radius",), "hand": ("radius",),
}  # fmt: skip
"""Bones whose size that of others says, in order of preference; all others have a length of their own."""
_OF_STATURE = ("femur_r", "femur_l", "tibia_r", "tibia_l", "torso")


def size_factors(pair: RestPair, where: str) -> np.ndarray:
    """(K, 3) factors for our bodies, along their axes.

    Least squares over the joint centres on a bone, from its own joint, with all axes drawn to their common
    mean, for a few millimetres tell nothing of an axis along which a bone has little extent. Bones of which
    the other model tells nothing take the mean of thighs, shanks and trunk.

    Raises:
        InputError: a bone is mirrored, or of no person's size.
    """
    matched = pair.matched_rotmats()
    found = {}
    for body, turn in matched.items():
        ours, theirs = _extents(pair, body, turn)
        if (ours**2).sum() > (2 * _JOINT_SIGMA) ** 2:
            found[body] = _factors(ours, theirs, f"{where}: model {pair.theirs.model.name!r}, {body}")
    overall = np.full(3, np.mean([found[body].mean() for body in _OF_STATURE if body in found]))
    rows = []
    for body in pair.ours.model.body_names:
        bone, _, side = body.partition("_")
        told_by = [f"{other}_{side}" for other in _TOLD_BY.get(bone, ())] or [body]
        rows.append(next((found[other] for other in told_by if other in found), overall))
    return np.array(rows)


def _extents(pair: RestPair, body: str, turn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N, 3) joint centres on a bone from where it is held, in our axes: on ours and on theirs, m."""
    anchors = pair.anchors(body)
    hung = [joint.name for joint in pair.ours.model.joints if joint.parent == body]
    far = [name for name in hung if name in pair.parts.centres]
    to_ours, to_theirs = pair.ours.rotmat(body), pair.theirs.rotmat(pair.parts.bodies[body]) @ turn
    if body == "torso" and "back" in pair.parts.centres:
        anchors = ("back",)
    ours = np.array([pair.ours.centre(name) - pair.ours.centre(*anchors) for name in far])
    theirs = np.array([pair.their_centre(name) - pair.their_centre(*anchors) for name in far])
    return ours.reshape(-1, 3) @ to_ours, theirs.reshape(-1, 3) @ to_theirs


def _factors(ours: np.ndarray, theirs: np.ndarray, where: str) -> np.ndarray:
    extent, seen = (ours**2).sum(axis=0), (ours * theirs).sum(axis=0)
    mean = float(seen.sum() / extent.sum())
    if not _PLAUSIBLE[0] < mean < _PLAUSIBLE[1]:
        raise InputError(where, f"a size of {mean:.3g} times the average person's", "a person's, in metres")
    doubt = (_JOINT_SIGMA / _SHEAR_SIGMA) ** 2
    factors = (seen + doubt * mean) / (extent + doubt)
    return np.clip(factors, mean / _LARGEST_SHEAR, mean * _LARGEST_SHEAR)
