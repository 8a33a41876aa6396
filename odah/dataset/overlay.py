"""The skeleton drawn over a frame: right side orange, left side blue, spine white."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from odah.names import SKELETON_BONES, side_of

SIDE_COLORS_RGB = {"right": (255, 140, 0), "left": (40, 150, 255), "middle": (255, 255, 255)}
_SHIFT = 4
"""cv2 draws at sub-pixel positions given as integers of 1/16 px."""


def draw_skeleton(image: np.ndarray, keypoints: np.ndarray, joint_names: Sequence[str]) -> np.ndarray:
    """A copy of `image` (H, W, 3) uint8 RGB with the bones between `keypoints` (J, 2) px; NaN is left out."""
    canvas = np.ascontiguousarray(image).copy()
    index = {name: j for j, name in enumerate(joint_names) if np.isfinite(keypoints[j]).all()}
    thickness = max(1, round(image.shape[0] / 200))
    points = np.rint(np.nan_to_num(keypoints) * 2**_SHIFT).astype(int)
    for start, end in SKELETON_BONES:
        if start in index and end in index:
            a, b = (tuple(points[index[name]].tolist()) for name in (start, end))
            cv2.line(canvas, a, b, SIDE_COLORS_RGB[side_of(end)], thickness, cv2.LINE_AA, _SHIFT)
    for name, j in index.items():
        radius = max(1, thickness) * 2**_SHIFT
        color = SIDE_COLORS_RGB[side_of(name)]
        cv2.circle(canvas, tuple(points[j].tolist()), radius, color, -1, cv2.LINE_AA, _SHIFT)
    return canvas
