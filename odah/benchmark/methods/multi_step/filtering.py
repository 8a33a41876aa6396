"""Short gaps filled, high frequencies removed."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float
from scipy.interpolate import PchipInterpolator
from scipy.signal import butter, sosfiltfilt

_ORDER = 4
"""Of the filter after both passes, as in Winter, "Biomechanics and Motor Control of Human Movement"."""
_PADDED = 9
"""Frames by which a run is continued at its ends: three times the length of one pass."""
_BOTH_PASSES = (2**0.5 - 1) ** 0.25
"""The analog cutoff over that of one pass of half the order, so that both together lose 3 dB there."""


def fill_gaps(points: Float[np.ndarray, "T M 3"], max_frames: int) -> Float[np.ndarray, "T M 3"]:
    """Gaps of up to `max_frames` between seen frames interpolated, by cubics that do not overshoot.

    Longer ones and those at either end stay NaN.
    """
    filled = points.copy()
    for m in range(points.shape[1]):
        seen = np.flatnonzero(np.isfinite(points[:, m]).all(axis=-1))
        if len(seen) < 2:
            continue
        curve = PchipInterpolator(seen, points[seen, m], axis=0)
        for before, after in pairwise(seen.tolist()):
            if 1 < after - before <= max_frames + 1:
                gap = np.arange(before + 1, after)
                filled[gap, m] = curve(gap)
    return filled


def low_pass(points: Float[np.ndarray, "T M 3"], rate: float, cutoff: float) -> Float[np.ndarray, "T M 3"]:
    """Zero-phase Butterworth of 4th order over each run of seen frames; `cutoff` < `rate` / 2, Hz.

    There the amplitude is 1 / sqrt 2: the frequency of the single passes is corrected for there being two.
    """
    analog = np.tan(np.pi * cutoff / rate) / _BOTH_PASSES
    single = float(np.arctan(analog)) * rate / np.pi
    sections = butter(_ORDER // 2, single, fs=rate, output="sos")
    filtered = points.copy()
    for m in range(points.shape[1]):
        is_seen = np.asarray(np.isfinite(points[:, m]).all(axis=-1))
        for run in _runs(is_seen):
            if len(run) > 1:
                pad = min(_PADDED, len(run) - 1)
                filtered[run, m] = sosfiltfilt(sections, points[run, m], axis=0, padlen=pad)
    return filtered


def _runs(is_seen: Bool[np.ndarray, " T"]) -> list[np.ndarray]:
    """Numbers of the frames of each unbroken run."""
    frames = np.flatnonzero(is_seen)
    return [run for run in np.split(frames, np.flatnonzero(np.diff(frames) > 1) + 1) if len(run)]
