"""A moving mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class MeshClip:
    """vertices: (T, N, 3) float32, world, m; faces: (F, 3) int64; rate in frames a second."""

    vertices: np.ndarray
    faces: np.ndarray
    rate: float

    @property
    def num_frames(self) -> int:
        return len(self.vertices)
