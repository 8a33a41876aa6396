"""Which frames are seen at another rate: the nearest ones."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Int


def rate_steps(have: float, want: float | None, length: int) -> Int[np.ndarray, " T"]:
    """Which frames of a run make one of `length` frames at the wanted rate, the nearest of each; from 0."""
    ratio = 1.0 if want is None else have / want
    return np.floor(np.arange(length) * ratio + 0.5).astype(np.int64)


def frames_at_rate(num_frames: int, have: float, want: float | None) -> Int[np.ndarray, " F"]:
    """Which frames of a clip are seen at a rate, all in order."""
    ratio = 1.0 if want is None else have / want
    steps = rate_steps(have, want, math.ceil(num_frames / ratio) + 1)
    return steps[steps < num_frames]
