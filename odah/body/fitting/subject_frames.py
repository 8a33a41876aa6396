"""Which few frames of a motion tell a subject's shape: complete ones, as unlike each other as can be."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

_MAX_CANDIDATES, _MAX_POINTS = 600, 32
_CANDIDATES_PER_FRAME = 4


def choose_frames(points: Float[np.ndarray, "T P 3"], count: int) -> np.ndarray:
    """Numbers, rising, of at most `count` frames (T, P, 3), m, NaN where a point is missing.

    Each next frame is the one whose configuration, the distances between its points, is farthest from
    those chosen (Gonzalez 1985), starting from the one nearest to the mean. Only the most complete
    frames are candidates, at least four times as many as asked for; what they lack counts as the mean.
    """
    seen = np.isfinite(points.sum(-1))
    candidates = _candidates(seen.mean(1), count)
    if len(candidates) <= count:
        return candidates
    features = _configuration(points[candidates], seen[candidates])
    chosen = [int(np.argmin((features**2).sum(1)))]
    distance = np.full(len(features), np.inf)
    while len(chosen) < count:
        distance = np.minimum(distance, ((features - features[chosen[-1]]) ** 2).sum(1))
        chosen.append(int(np.argmax(distance)))
    return np.unique(candidates[chosen])


def _candidates(completeness: np.ndarray, count: int) -> np.ndarray:
    wanted = min(len(completeness), _CANDIDATES_PER_FRAME * count)
    threshold = min(np.sort(completeness)[-wanted], 0.99)
    candidates = np.flatnonzero((completeness >= threshold) & (completeness > 0))
    even = np.linspace(0, len(candidates) - 1, min(len(candidates), _MAX_CANDIDATES)).round().astype(int)
    return candidates[even]


def _configuration(points: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(C, F) distances between points, less their means; those of points often seen."""
    often = np.flatnonzero(seen.mean(0) >= np.median(seen.mean(0)))
    even = np.linspace(0, len(often) - 1, min(len(often), _MAX_POINTS)).round().astype(int)
    points = points[:, often[even]]
    first, second = np.triu_indices(len(even), 1)
    distances = np.linalg.norm(points[:, first] - points[:, second], axis=-1)
    known = np.isfinite(distances)
    mean = np.where(known, distances, 0).sum(0) / known.sum(0).clip(1)
    return np.where(known, distances - mean, 0)
