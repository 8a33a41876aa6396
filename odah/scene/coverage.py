"""How much of a motion the cameras miss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from odah.errors import InputError
from odah.scene.camera import Camera

_ENOUGH = 0.5


def outside_shares(points: np.ndarray, cameras: Sequence[Camera]) -> dict[str, float]:
    """Share of frames in which each view holds fewer than half of the person's points (T, J, 3), world, m."""
    return {camera.name: float(_is_outside(points, camera).mean()) for camera in cameras}


def share_outside(points: np.ndarray, cameras: Sequence[Camera]) -> float:
    """Share of frames in which no view holds at least half of the person's points (T, J, 3), world, m.

    Whether something stands before them does not count.

    Raises:
        InputError: no cameras, or no points.
    """
    if not cameras or 0 in points.shape:
        found = f"{len(cameras)} cameras, points of shape {points.shape}"
        raise InputError("coverage", found, "at least one camera, frame and point")
    return float(np.all([_is_outside(points, camera) for camera in cameras], axis=0).mean())


def _is_outside(points: np.ndarray, camera: Camera) -> np.ndarray:
    """(T,)"""
    return camera.sees(points).mean(axis=1) < _ENOUGH
