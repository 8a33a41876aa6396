"""Scale factors from distances between markers, and marker places from what remains.

The distances are compared with the model's in the same pose, frame by frame, so that a pair that spans a
joint (waist to knee) does not mistake a bent joint for a short bone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from odah.osim.markersets import MarkerSet, Measurement
from odah.osim.root_pose import rigid_alignment

_LONGEST = 0.7  # quantile of distances above which the spine counts as straight

MIN_FACTOR, MAX_FACTOR = 0.6, 1.6
"""Outside of these a scale factor is reported: few adults' bones leave [0.8, 1.25] of the generic model's."""


def varied_frames(positions: np.ndarray, count: int) -> np.ndarray:
    """Indices, in order, of up to `count` complete frames (T, M, 3) whose shapes differ most.

    Farthest-point sampling over the distances between markers, which no turn or shift of the person changes.
    """
    seen = np.isfinite(positions).all(axis=-1)
    complete = np.flatnonzero(seen.sum(axis=1) == seen.sum(axis=1).max())
    candidates = complete[:: max(1, len(complete) // 400)]
    points = np.nan_to_num(positions[candidates])
    shapes = np.linalg.norm(points[:, :, None] - points[:, None, :], axis=-1).reshape(len(points), -1)
    chosen = [int(np.argmin(np.linalg.norm(shapes - np.median(shapes, axis=0), axis=1)))]
    nearest = np.full(len(points), np.inf)
    while len(chosen) < min(count, len(points)):
        nearest = np.minimum(nearest, np.linalg.norm(shapes - shapes[chosen[-1]], axis=1))
        chosen.append(int(np.argmax(nearest)))
    return np.sort(candidates[chosen])


def hold_root(positions: np.ndarray, root_markers: Sequence[int]) -> np.ndarray:
    """Frames (T, M, 3) moved rigidly so that the root's markers stay where they are in the first."""
    indices = list(root_markers) if len(root_markers) >= 3 else list(range(positions.shape[1]))
    held = positions.copy()
    for frame in range(1, len(positions)):
        both = [k for k in indices if np.isfinite(positions[[0, frame], k]).all()]
        rotmat, shift = rigid_alignment(positions[frame, both], positions[0, both])
        held[frame] = positions[frame] @ rotmat.T + shift
    return held


def measurement_ratios(
    marker_set: MarkerSet, measured: Mapping[str, np.ndarray], modelled: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """Measured over modelled mean distance of each measurement, for those with a pair that both have.

    measured, modelled: positions (T, 3) by marker, m, of the same frames (or one modelled frame for all).
    """
    ratios = {}
    for measurement in marker_set.measurements:
        pairs = [pair for pair in measurement.pairs if all(n in measured and n in modelled for n in pair)]
        values = [_distance_ratio(measured, modelled, pair, measurement.is_bending) for pair in pairs]
        if np.isfinite(values).any():
            ratios[measurement.name] = float(np.nanmean(values))
    return ratios


def whole_body_factor(marker_set: MarkerSet, measured: Mapping[str, float]) -> float:
    """Geometric mean over the long bones measured, else over all measurements."""
    long_bones = [m.name for m in marker_set.measurements if m.is_long_bone and m.name in measured]
    values = [measured[name] for name in long_bones] or list(measured.values())
    return float(np.exp(np.mean(np.log(values))))


def trusted_factor(measurement: Measurement, measured: Mapping[str, float], whole_body: float) -> float:
    """The measured factor, drawn towards the whole body's as far as it is not trusted."""
    value = measured.get(measurement.name, whole_body)
    return float(whole_body ** (1.0 - measurement.trust) * value**measurement.trust)


def body_factors(
    marker_set: MarkerSet, measured: Mapping[str, float], body_names: Sequence[str]
) -> dict[str, np.ndarray]:
    """Factors (3,) of every body: a measurement's on the axes that it scales, the whole body's elsewhere."""
    whole_body = whole_body_factor(marker_set, measured)
    factors = {body: np.full(3, whole_body) for body in body_names}
    for measurement in marker_set.measurements:
        for body, axes in measurement.scales.items():
            if body in factors:
                factors[body][axes] = trusted_factor(measurement, measured, whole_body)
    return factors


def extreme_factors(factors: Mapping[str, np.ndarray]) -> list[str]:
    """What to tell about scale factors that no human bone is likely to need."""
    return [
        f"scale factor {value:.2f} of {body} along {axis} is outside [{MIN_FACTOR}, {MAX_FACTOR}]"
        for body, values in factors.items()
        for axis, value in zip("XYZ", values, strict=True)
        if not MIN_FACTOR <= value <= MAX_FACTOR
    ]


def mean_body_residual(rotmats: np.ndarray, residuals: np.ndarray) -> np.ndarray:
    """Mean over frames of ground vectors (T, 3) in the axes of a body turned by rotmats (T, 3, 3)."""
    local = np.einsum("tji,tj->ti", rotmats, residuals)
    seen = np.isfinite(local).all(axis=1)
    return local[seen].mean(axis=0) if seen.any() else np.zeros(3)


def _distance_ratio(
    measured: Mapping[str, np.ndarray],
    modelled: Mapping[str, np.ndarray],
    pair: tuple[str, str],
    is_bending: bool,
) -> float:
    """Mean measured over mean modelled distance; NaN if no frame shows both markers."""
    first, second = pair
    distances = np.linalg.norm(measured[first] - measured[second], axis=-1)
    lengths = np.broadcast_to(np.linalg.norm(modelled[first] - modelled[second], axis=-1), distances.shape)
    used = np.isfinite(distances)
    if not used.any():
        return np.nan
    if is_bending:
        used &= np.nan_to_num(distances) >= np.quantile(distances[used], _LONGEST)
    return float(distances[used].mean() / lengths[used].mean())
