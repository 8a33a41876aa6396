"""Masks as outlines: small enough to keep for a whole video, and all that drawing and asking need."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

Outline = list[np.ndarray]
"""Closed lines (N, 1, 2) int32, px; holes have lines of their own."""


def outline_of(mask: UInt8[np.ndarray, "H W"]) -> Outline:
    """The edges of what is not 0 in a mask."""
    return list(cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)[0])


def filled(outline: Outline, width: int, height: int) -> UInt8[np.ndarray, "H W"]:
    """The mask again, 255 on the person; the edge of a hole belongs to the person."""
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, outline, 255)
    return mask


def joints_inside(
    keypoints: Float[np.ndarray, "P 2"], outline: Outline, width: int, height: int
) -> Bool[np.ndarray, " P"]:
    """Which keypoints, px, lie on the person; NaN and what is outside the picture do not."""
    mask = filled(outline, width, height)
    pixels = np.rint(np.nan_to_num(keypoints, nan=-1.0, posinf=-1.0, neginf=-1.0))
    is_shown = np.all((pixels >= 0) & (pixels < (width, height)), axis=1)
    columns, rows = np.where(is_shown[:, None], pixels, 0).astype(int).T
    return is_shown & (mask[rows, columns] > 0)
