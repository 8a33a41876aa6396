"""Which of the people in each view is the one: the same in all views, large, and not jumping about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from jaxtyping import Float

from odah.benchmark.methods.multi_step.triangulation import triangulate
from odah.scene.camera import Camera

_MISFIT_PX = 20.0
"""By which keypoints of one person miss each other in the views, root mean square; more is unlikely."""
_STEADY = 2.0
"""Of what someone further away must be larger by, in natural logarithms a m; as for `predict`."""


@dataclass(frozen=True, eq=False)
class _Candidate:
    """people: number in each view, -1 for nobody. place: median of the keypoints, world, m. score: log."""

    people: tuple[int, ...]
    place: Float[np.ndarray, " 3"]
    score: float


def one_person(
    cameras: Sequence[Camera],
    pixels: Sequence[Float[np.ndarray, "T _ M 2"]],
    confidence: Sequence[Float[np.ndarray, "T _ M"]],
) -> tuple[Float[np.ndarray, "V T M 2"], Float[np.ndarray, "V T M"]]:
    """The keypoints of one person in all views, whose numbers of people may differ.

    In every frame all sets of one person a view are triangulated; the sequence of sets is taken that has the
    highest sum of scores, less the ways from frame to frame. A set scores by how large its people are in
    their pictures, how sure their keypoints are, and how well the views agree.
    """
    num_frames, points = pixels[0].shape[0], pixels[0].shape[2]
    chosen_pixels = np.full((len(cameras), num_frames, points, 2), np.nan)
    chosen_confidence = np.zeros((len(cameras), num_frames, points))
    frames = [
        _candidates(cameras, [p[t] for p in pixels], [c[t] for c in confidence]) for t in range(num_frames)
    ]
    for t, candidate in _steadiest(frames).items():
        for v, n in enumerate(candidate.people):
            if n >= 0:
                chosen_pixels[v, t] = pixels[v][t, n]
                chosen_confidence[v, t] = confidence[v][t, n]
    return chosen_pixels, chosen_confidence


def _candidates(
    cameras: Sequence[Camera],
    pixels: Sequence[Float[np.ndarray, "_ M 2"]],
    confidence: Sequence[Float[np.ndarray, "_ M"]],
) -> list[_Candidate]:
    """All sets that share a point in two views."""
    there = [[n for n in range(len(c)) if (c[n] > 0).any()] or [-1] for c in confidence]
    sets = [people for people in product(*there) if sum(n >= 0 for n in people) >= 2]
    if not sets:
        return []
    chosen = np.stack([_of_sets(p, sets, v, np.nan) for v, p in enumerate(pixels)])
    sure = np.stack([_of_sets(c, sets, v, 0.0) for v, c in enumerate(confidence)])
    found = triangulate(cameras, chosen, sure)
    candidates = []
    for k, people in enumerate(sets):
        known = np.isfinite(found.points[k, :, 0])
        if known.any():
            misfit = float(np.sqrt(np.median(found.errors_px[k, known] ** 2)))
            score = _prominence(cameras, chosen[:, k], sure[:, k]) - misfit / _MISFIT_PX
            candidates.append(_Candidate(people, np.median(found.points[k, known], axis=0), score))
    return candidates


def _of_sets(
    values: Float[np.ndarray, "_ M *D"], sets: Sequence[tuple[int, ...]], view: int, nobody: float
) -> Float[np.ndarray, "_ M *D"]:
    """A view's people, one a set; `nobody` where a set has none of them."""
    padded = np.concatenate([values, np.full((1, *values.shape[1:]), nobody)])  # -1 is the last
    return padded[[people[view] for people in sets]]


def _prominence(
    cameras: Sequence[Camera], pixels: Float[np.ndarray, "V M 2"], confidence: Float[np.ndarray, "V M"]
) -> float:
    """Sum over the views of the logarithms of height in the picture and of confidence."""
    total = 0.0
    for camera, places, sure in zip(cameras, pixels, confidence, strict=True):
        if (sure > 0).any():
            rows = places[sure > 0, 1]
            total += np.log(max(float(np.ptp(rows)), 1.0) / camera.height) + np.log(float(sure.mean()))
    return total


def _steadiest(frames: Sequence[Sequence[_Candidate]]) -> dict[int, _Candidate]:
    """One candidate for each frame that has any."""
    numbers = [t for t, candidates in enumerate(frames) if candidates]
    if not numbers:
        return {}
    best = np.array([candidate.score for candidate in frames[numbers[0]]])
    came_from: list[np.ndarray] = []
    for before, after in pairwise(numbers):
        places = [np.stack([c.place for c in frames[t]]) for t in (before, after)]
        ways = np.linalg.norm(places[1][:, None] - places[0][None], axis=-1)
        total = best[None] - _STEADY * ways
        came_from.append(total.argmax(axis=1))
        best = total.max(axis=1) + [c.score for c in frames[after]]
    index = int(best.argmax())
    chosen = {numbers[-1]: frames[numbers[-1]][index]}
    for t, origin in zip(reversed(numbers[:-1]), reversed(came_from), strict=True):
        index = int(origin[index])
        chosen[t] = frames[t][index]
    return chosen
