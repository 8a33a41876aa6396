"""Errors of joint angles, rad. Letters as in `measured`.

Coordinates that no range bounds (the full-body model's are `odah.estimator.skeleton.FREE_ANGLES`; ODAH paper,
section 4.2) mean the same pose after a whole turn: they are compared the shorter way round, all others by
their plain difference, as `odah.estimator.evaluation.metrics` does.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from odah.benchmark.metrics.measured import Measured, by_column, root_mean_square


def mae_angle(
    estimated: Float[np.ndarray, "T C"],
    true: Float[np.ndarray, "T C"],
    is_unbounded: Bool[np.ndarray, " C"],
) -> Measured:
    """Mean absolute error, rad (ODAH paper, Eq. 7, over frames; its mean over coordinates is the tables')."""
    return by_column(np.mean, np.isfinite(true), angle_errors(estimated, true, is_unbounded))


def rmse_angle(
    estimated: Float[np.ndarray, "T C"],
    true: Float[np.ndarray, "T C"],
    is_unbounded: Bool[np.ndarray, " C"],
) -> Measured:
    """Root mean square error, rad (D3KE paper, section 3.4 and Table 6)."""
    return by_column(root_mean_square, np.isfinite(true), angle_errors(estimated, true, is_unbounded))


def mve_angle(
    estimated: Float[np.ndarray, "T C"],
    true: Float[np.ndarray, "T C"],
    is_unbounded: Bool[np.ndarray, " C"],
    rate: float,
) -> Measured:
    """Mean angle velocity error, rad/s: how far the changes from frame to frame are apart, times the rate.

    MPJVE's counterpart for angles (Pavllo et al. 2019, 3D human pose estimation in video with temporal
    convolutions); D3KE's MV_angle, which knows no truth, is `mv_angle`. The frames that are
    counted are pairs of neighbours.
    """
    apart = _wrapped(np.diff(estimated - true, axis=0), is_unbounded)
    return by_column(np.mean, both(np.isfinite(true)), np.abs(apart) * rate)


def mv_angle(angles: Float[np.ndarray, "T C"], is_unbounded: Bool[np.ndarray, " C"], rate: float) -> Measured:
    """Mean velocity of an estimate, rad/s: the D3KE paper's measure of smoothness, lower being smoother.

    Eq. 13 there states the sum over the frames; the figures of Tables 3 and 4 do not grow with the length of
    the videos, so it is the mean here. The truth has such a velocity, too, and to undercut it is no virtue:
    see `mve_angle`.
    """
    steps = _wrapped(np.diff(angles, axis=0), is_unbounded)
    return by_column(np.mean, np.ones(steps.shape, dtype=bool), np.abs(steps) * rate)


def angle_errors(
    estimated: Float[np.ndarray, "T C"],
    true: Float[np.ndarray, "T C"],
    is_unbounded: Bool[np.ndarray, " C"],
) -> Float[np.ndarray, "T C"]:
    """Absolute errors, rad; NaN where either is missing."""
    return np.abs(_wrapped(estimated - true, is_unbounded))


def on_true_branch(
    estimated: Float[np.ndarray, "T C"],
    true: Float[np.ndarray, "T C"],
    is_unbounded: Bool[np.ndarray, " C"],
) -> tuple[Float[np.ndarray, "T C"], Float[np.ndarray, "T C"]]:
    """Both as waves to lay over each other: unbounded truths without jumps by a turn, estimates next to them.

    Over a gap the truth is taken to turn by less than half a turn.
    """
    smooth = true.astype(float)
    for column in np.flatnonzero(is_unbounded):
        known = np.isfinite(smooth[:, column])
        smooth[known, column] = np.unwrap(smooth[known, column])
    return smooth + _wrapped(estimated - true, is_unbounded), smooth


def both(is_there: Bool[np.ndarray, "T C"]) -> Bool[np.ndarray, "T-1 C"]:
    """Of neighbouring frames, whether both are there."""
    return is_there[1:] & is_there[:-1]


def _wrapped(
    differences: Float[np.ndarray, "T C"], is_unbounded: Bool[np.ndarray, " C"]
) -> Float[np.ndarray, "T C"]:
    """Those of unbounded coordinates in [-pi, pi)."""
    around = (differences + np.pi) % (2 * np.pi) - np.pi
    return np.where(is_unbounded, around, differences)
