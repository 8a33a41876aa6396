"""A skeleton over a picture, in the colours of the sides: right orange, left blue, spine white."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from odah.names import OPENSIM_JOINTS, SKELETON_BONES, side_of

SIDE_COLORS_RGB = {"right": (255, 140, 0), "left": (40, 150, 255), "middle": (255, 255, 255)}

_BONES = [
    (OPENSIM_JOINTS.index(start), OPENSIM_JOINTS.index(end), side_of(end)) for start, end in SKELETON_BONES
]
_FARTHEST = 4
"""In sides of the picture: what is farther outside overflows the drawing's integers."""


def draw_skeleton(
    picture: UInt8[np.ndarray, "H W 3"],
    joints: Float[np.ndarray, "J 2"],
    *,
    thickness: int,
    color: tuple[int, int, int] | None = None,
) -> None:
    """The bones of the OpenSim skeleton, drawn into an RGB picture.

    joints: px, not finite where they are not seen; no bone leads there. color: RGB, of the sides if None.
    """
    limit = _FARTHEST * max(picture.shape[:2])
    is_drawn = (np.abs(np.nan_to_num(joints, nan=np.inf)) < limit).all(axis=1)
    for start, end, side in _BONES:
        if is_drawn[start] and is_drawn[end]:
            ends = _place(joints[start]), _place(joints[end])
            cv2.line(picture, *ends, color or SIDE_COLORS_RGB[side], thickness, cv2.LINE_AA)
    if color is None:
        for joint, name in zip(joints[is_drawn], np.array(OPENSIM_JOINTS)[is_drawn], strict=True):
            cv2.circle(picture, _place(joint), thickness + 1, SIDE_COLORS_RGB[side_of(name)], -1, cv2.LINE_AA)


def _place(point: np.ndarray) -> tuple[int, int]:
    x, y = np.rint(point).astype(int).tolist()
    return x, y
