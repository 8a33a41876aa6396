"""The same motion at another frame rate: zero-phase low-pass below the new Nyquist, then cubic splines."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.signal import butter, sosfiltfilt
from scipy.spatial.transform import Rotation

from odah.motion.skeleton import check_rate
from odah.motion.types import CoordinateTrajectory, MarkerTrajectories, Motion

Trajectory = TypeVar("Trajectory", Motion, MarkerTrajectories, CoordinateTrajectory)

# Run forwards and backwards: -6 dB at the cut-off, -50 dB at the new Nyquist frequency and beyond.
_FILTER_ORDER = 10
_CUTOFF_TO_NYQUIST = 0.75
_SAME_RATE = 1e-5  # AMASS files state 120.00004577 Hz and mean 120


def resample(trajectory: Trajectory, rate: float) -> Trajectory:
    """`trajectory` at `rate` Hz, from its first frame to the last new one that its time span holds.

    Slower: what the new rate cannot carry is filtered out before frames are dropped. Faster: interpolated.
    Rates within 1e-5 of each other count as equal. Rotations are filtered and interpolated as unit
    quaternions on one hemisphere along time. Marker gaps stay gaps: nothing is filtered or interpolated
    across them. Coordinates must be continuous in time (no jumps by a turn).

    Raises:
        InputError: `rate` is no frame rate.
    """
    check_rate(rate, "option rate")
    if abs(rate / trajectory.rate - 1) < _SAME_RATE:
        return replace(trajectory, rate=float(rate))
    resampler = _Resampler(trajectory.num_frames, trajectory.rate, rate)
    if isinstance(trajectory, Motion):
        changed = {
            "poses": resampler.rotvecs(trajectory.poses),
            "transl": resampler.values(trajectory.transl),
        }
    elif isinstance(trajectory, MarkerTrajectories):
        changed = {"positions": resampler.values_with_gaps(trajectory.positions)}
    else:
        changed = {"values": resampler.values(trajectory.values)}
    return replace(trajectory, rate=float(rate), **changed)


class _Resampler:
    """From `num_frames` at `old_rate` to the frames at `new_rate` that lie between the first and the last."""

    def __init__(self, num_frames: int, old_rate: float, new_rate: float) -> None:
        self.old_time = np.arange(num_frames) / old_rate
        duration = (num_frames - 1) / old_rate
        self.new_time = np.minimum(np.arange(int(duration * new_rate + 1e-6) + 1) / new_rate, duration)
        self.sos = None
        if new_rate < old_rate:
            cutoff = _CUTOFF_TO_NYQUIST * new_rate / 2
            self.sos = butter(_FILTER_ORDER, cutoff, fs=old_rate, output="sos")

    def values(self, values: np.ndarray) -> np.ndarray:
        """(T, ...) values without gaps at the new times."""
        return self._resampled(values, self.old_time, self.new_time)

    def rotvecs(self, rotvecs: np.ndarray) -> np.ndarray:
        """(T, J, 3) rotation vectors at the new times."""
        unitquats = Rotation.from_rotvec(rotvecs.reshape(-1, 3)).as_quat()
        unitquats = _on_one_hemisphere(unitquats.reshape(*rotvecs.shape[:-1], 4))
        smooth = self.values(unitquats)
        return Rotation.from_quat(smooth.reshape(-1, 4)).as_rotvec().reshape(*smooth.shape[:-1], 3)

    def values_with_gaps(self, positions: np.ndarray) -> np.ndarray:
        """(T, M, 3) positions with NaN gaps at the new times; each stretch between gaps on its own."""
        is_seen = np.isfinite(positions).all(axis=-1)
        result = np.full((len(self.new_time), *positions.shape[1:]), np.nan)
        for pattern in np.unique(is_seen, axis=1).T:
            markers = np.flatnonzero((is_seen == pattern[:, None]).all(axis=0))
            for first, last in _stretches(pattern):
                old_time = self.old_time[first : last + 1]
                inside = (self.new_time >= old_time[0] - 1e-9) & (self.new_time <= old_time[-1] + 1e-9)
                stretch = positions[first : last + 1, markers]
                result[np.ix_(inside, markers)] = self._resampled(stretch, old_time, self.new_time[inside])
        return result

    def _resampled(self, values: np.ndarray, old_time: np.ndarray, new_time: np.ndarray) -> np.ndarray:
        if len(values) == 1:
            return np.repeat(values, len(new_time), axis=0)
        if self.sos is not None:
            default = 3 * (2 * len(self.sos) + 1)  # sosfiltfilt's own choice for this filter
            values = sosfiltfilt(self.sos, values, axis=0, padlen=min(default, len(values) - 1))
        return CubicSpline(old_time, values, axis=0)(new_time)


def _on_one_hemisphere(unitquats: np.ndarray) -> np.ndarray:
    """(T, J, 4) with signs chosen so that neighbours in time are on the same side of the 3-sphere."""
    is_flipped = (unitquats[1:] * unitquats[:-1]).sum(axis=-1) < 0
    signs = np.where(np.cumsum(is_flipped, axis=0) % 2 == 1, -1.0, 1.0)
    aligned = unitquats.copy()
    aligned[1:] *= signs[..., None]
    return aligned


def _stretches(is_seen: np.ndarray) -> list[tuple[int, int]]:
    """First and last index of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_seen, [False]]).astype(np.int8)))
    return [(int(first), int(after) - 1) for first, after in edges.reshape(-1, 2)]
