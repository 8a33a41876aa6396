"""How much of a motion the cameras miss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from odah.errors import InputError
from odah.scene.camera import Camera

_ENOUGH = 0.5


@dataclass(frozen=True)
class Coverage:
    """is_outside: by view, for each frame (T,), whether fewer than half of the points are in the picture.

    Whether something stands before them does not count.
    """

    is_outside: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, points: np.ndarray, cameras: Sequence[Camera]) -> Coverage:
        """Of points (T, P, 3) on the person, world, m.

        Raises:
            InputError: no cameras, or no points.
        """
        if not cameras or 0 in points.shape:
            found = f"{len(cameras)} cameras, points of shape {points.shape}"
            raise InputError("coverage", found, "at least one camera, frame and point")
        return cls({camera.name: camera.sees(points).mean(axis=1) < _ENOUGH for camera in cameras})

    @property
    def share_outside(self) -> float:
        """Of frames in which no view holds the person."""
        return float(np.all(list(self.is_outside.values()), axis=0).mean())

    @property
    def share_outside_by_view(self) -> dict[str, float]:
        return {view: float(is_outside.mean()) for view, is_outside in self.is_outside.items()}
