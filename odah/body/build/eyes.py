"""Eyeballs with crisp edges of pupil and iris, in place of MakeHuman's coarse ones.

Each new vertex is an affine combination of the old eyeball's vertices, so the new eyes follow every
shape just as the old ones do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

_RINGS_DEG = (7.0, 8.5, 15.0, 21.0, 23.5, 40.0, 60.0, 85.0, 120.0)
"""Angles from the gaze direction; the iris' edge at 21 degrees is 5.7 mm on MakeHuman's 16 mm eyeball."""

_PUPIL_DEG, _IRIS_DEG = 7.0, 21.0
_SEGMENTS = 16

EYE_GROUPS = ("pupil", "iris", "sclera")


@dataclass(frozen=True)
class Eyeball:
    """A unit sphere of rings around +Z: directions (E, 3), faces, azimuthal uv in -1..1, part a vertex."""

    directions: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    part: np.ndarray


def make_eyeball() -> Eyeball:
    """Front pole first, then the rings, then the back pole."""
    around = 2 * np.pi * np.arange(_SEGMENTS) / _SEGMENTS
    polar = np.deg2rad(np.concatenate([[0.0], np.repeat(_RINGS_DEG, _SEGMENTS), [180.0]]))
    azimuth = np.concatenate([[0.0], np.tile(around, len(_RINGS_DEG)), [0.0]])
    directions = np.stack(
        [np.sin(polar) * np.cos(azimuth), np.sin(polar) * np.sin(azimuth), np.cos(polar)], -1
    )
    uv = (polar / np.pi)[:, None] * np.stack([np.cos(azimuth), np.sin(azimuth)], -1)
    part = np.digitize(np.rad2deg(polar), [_PUPIL_DEG + 0.1, _IRIS_DEG + 0.1])
    return Eyeball(directions, _sphere_faces(len(_RINGS_DEG)), uv, part)


def _sphere_faces(num_rings: int) -> np.ndarray:
    k = np.arange(_SEGMENTS)
    following = (k + 1) % _SEGMENTS
    last = 1 + (num_rings - 1) * _SEGMENTS
    faces = [np.stack([np.zeros_like(k), 1 + k, 1 + following], -1)]
    for start in range(1, last, _SEGMENTS):
        inner, outer = start + k, start + _SEGMENTS + k
        inner_next, outer_next = start + following, start + _SEGMENTS + following
        faces += [np.stack([inner, outer, outer_next], -1), np.stack([inner, outer_next, inner_next], -1)]
    faces.append(np.stack([last + k, np.full_like(k, last + _SEGMENTS), last + following], -1))
    return np.concatenate(faces)


def affine_combinations(eye_vertices: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Weights (E, P) that make `directions` on a sphere from the P vertices of the old eyeball (P, 3).

    They reproduce any affine image of the sphere fitted to `eye_vertices`; rows sum to one.
    """
    middle = (eye_vertices.max(0) + eye_vertices.min(0)) / 2
    radius = np.linalg.norm(eye_vertices - middle, axis=1).mean()
    old = np.c_[(eye_vertices - middle) / radius, np.ones(len(eye_vertices))]
    return np.c_[directions, np.ones(len(directions))] @ np.linalg.pinv(old)


def eye_rows(eye_vertices: np.ndarray, columns: np.ndarray, num_columns: int, ball: Eyeball) -> sp.csr_matrix:
    """`affine_combinations` as rows over all base vertices, of which `columns` are the old eyeball's."""
    rows = np.zeros((len(ball.directions), num_columns))
    rows[:, columns] = affine_combinations(eye_vertices, ball.directions)
    return sp.csr_matrix(rows)
