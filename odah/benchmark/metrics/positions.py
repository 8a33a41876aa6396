"""Errors of points in ground, m. Letters as in `measured`; J joints or landmarks.

Told from a root, a frame needs that root; aligned, it needs all points of both: on fewer it would be another
measure, so a frame that lacks one has failed with all its points.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from odah.benchmark.metrics.angles import both
from odah.benchmark.metrics.measured import Measured, by_column


def mpjpe(estimated: Float[np.ndarray, "T J 3"], true: Float[np.ndarray, "T J 3"], root: int) -> Measured:
    """Mean per joint position error, root-relative, m: both told from joint number `root`, whose own error,
    which is 0, counts as one of the J (Ionescu et al. 2014, Human3.6M)."""
    return mpblpe(estimated, true, estimated[:, root], true[:, root])


def mpblpe(
    estimated: Float[np.ndarray, "T J 3"],
    true: Float[np.ndarray, "T J 3"],
    estimated_root: Float[np.ndarray, "T 3"],
    true_root: Float[np.ndarray, "T 3"],
) -> Measured:
    """Mean per bony landmark position error, m: of landmarks on the skin over bone, told from the root joint,
    which is the pelvis and none of them; without any alignment else (D3KE paper, section 3.1.1)."""
    from_root = estimated - estimated_root[:, None], true - true_root[:, None]
    return by_column(np.mean, _is_known(from_root[1]), distances(*from_root))


def pa_mpjpe(estimated: Float[np.ndarray, "T J 3"], true: Float[np.ndarray, "T J 3"]) -> Measured:
    """Mean per joint position error after `aligned`, m (ODAH paper, Eq. 8)."""
    return by_column(np.mean, _is_complete(true), distances(aligned(estimated, true), true))


def mpjve(
    estimated: Float[np.ndarray, "T J 3"], true: Float[np.ndarray, "T J 3"], rate: float, root: int
) -> Measured:
    """Mean per joint velocity error, m/s: between one frame and the next how far the velocities of points
    told from joint number `root` are apart (Pavllo et al. 2019). Pairs of frames are counted."""
    moved, truly = estimated - estimated[:, root, None], true - true[:, root, None]
    return by_column(np.mean, both(_is_known(truly)), velocity_errors(moved, truly, rate))


def pa_mpjve(
    estimated: Float[np.ndarray, "T J 3"], true: Float[np.ndarray, "T J 3"], rate: float
) -> Measured:
    """The same of points after `aligned`, frame by frame, m/s: PA-MPJVE of the ODAH paper's Table 3."""
    errors = velocity_errors(aligned(estimated, true), true, rate)
    return by_column(np.mean, both(_is_complete(true)), errors)


def mv_points(points: Float[np.ndarray, "T J 3"], rate: float) -> Measured:
    """Mean speed of an estimate's points, m/s: MV_BL of the D3KE paper (Eq. 13, Table 4), as
    `angles.mv_angle` is MV_angle."""
    steps = np.linalg.norm(np.diff(points, axis=0), axis=-1) * rate
    return by_column(np.mean, np.ones(steps.shape, dtype=bool), steps)


def distances(
    estimated: Float[np.ndarray, "T J 3"], true: Float[np.ndarray, "T J 3"]
) -> Float[np.ndarray, "T J"]:
    """m; NaN where either is missing."""
    return np.linalg.norm(estimated - true, axis=-1)


def velocity_errors(
    estimated: Float[np.ndarray, "T J 3"], true: Float[np.ndarray, "T J 3"], rate: float
) -> Float[np.ndarray, "T-1 J"]:
    """m/s between one frame and the next; NaN where either misses one of the two. rate: frames/s."""
    return np.linalg.norm(np.diff(estimated - true, axis=0), axis=-1) * rate


def aligned(
    estimated: Float[np.ndarray, "T J 3"], true: Float[np.ndarray, "T J 3"]
) -> Float[np.ndarray, "T J 3"]:
    """The estimate moved, turned and stretched in each frame to lie on the truth with least squares.

    A Procrustes alignment (Gower 1975) with scale and without reflection (Umeyama 1991, Eq. 40-43), which a
    mirrored estimate must not be forgiven. Points that all coincide are put on the true centre. Frames that
    lack a point are NaN.
    """
    is_whole = np.isfinite(estimated).all(axis=(1, 2)) & np.isfinite(true).all(axis=(1, 2))
    found = np.full(true.shape, np.nan)
    found[is_whole] = _aligned(estimated[is_whole].astype(float), true[is_whole].astype(float))
    return found


def _aligned(
    estimated: Float[np.ndarray, "F J 3"], true: Float[np.ndarray, "F J 3"]
) -> Float[np.ndarray, "F J 3"]:
    centre = true.mean(axis=1, keepdims=True)
    shape, true_shape = estimated - estimated.mean(axis=1, keepdims=True), true - centre
    u, strengths, vh = np.linalg.svd(shape.swapaxes(1, 2) @ true_shape)
    signs = np.ones_like(strengths)
    signs[:, 2] = np.sign(np.linalg.det(u) * np.linalg.det(vh))
    size = np.square(shape).sum(axis=(1, 2))
    stretch = (strengths * signs).sum(axis=1) / np.maximum(size, np.finfo(float).tiny)
    return stretch[:, None, None] * (shape @ (u * signs[:, None]) @ vh) + centre


def _is_known(points: Float[np.ndarray, "T J 3"]) -> Bool[np.ndarray, "T J"]:
    return np.all(np.isfinite(points), axis=-1)


def _is_complete(points: Float[np.ndarray, "T J 3"]) -> Bool[np.ndarray, "T J"]:
    """Of frames with all points."""
    is_known = _is_known(points)
    return np.broadcast_to(is_known.all(axis=1, keepdims=True), is_known.shape)
