"""Folds where a pose presses cloth together: at elbows, groin, waist and behind knees.

No simulation and no state: a frame's folds follow from its pose alone. How much each triangle is shortened
against the T-pose, and along which direction of the cloth, gives the height and the run of its folds; their
phase is fixed to the cloth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from odah.body.mesh import vertex_face_incidence
from odah.clothing.surface import smoothing_matrix

_WAVELENGTHS = (0.042, 0.062)
"""m between two folds, for tight and wide cloth."""
_THRESHOLD, _SATURATION = 0.04, 0.35
"""Shortening at which folds begin, and that at which they are highest."""
_HEIGHTS = (0.004, 0.013)
"""Greatest height of folds, m, for tight and wide cloth."""
_DIRECTIONS = 6
_SPREAD = 6
"""Rounds of smoothing of the shortening, so that folds run on over a few centimetres."""


@dataclass(frozen=True)
class Wrinkles:
    """How one garment folds.

    frames: (F, 2, 2) inverse of each triangle's edges in its own plane at rest. axes: (F, 2, 3) that plane's
    directions. directions: (D, 3) across which waves may run; waves: (M, D) what each would be at a drawn
    vertex, -1 to 1. to_vertices: (N, F) mean of the triangles around a cloth vertex, spread. heights: (M,) m,
    of the highest folds.
    """

    faces: np.ndarray
    frames: np.ndarray
    axes: np.ndarray
    directions: np.ndarray
    waves: np.ndarray
    to_vertices: sp.csr_matrix
    heights: np.ndarray

    @classmethod
    def of(
        cls, vertices: np.ndarray, faces: np.ndarray, drawn: np.ndarray, looseness: float, seed: int = 0
    ) -> Wrinkles:
        """For cloth (N, 3) and its drawn vertices (M, 3) in the T-pose. looseness: 0 tight to 1 wide."""
        a, b, c = (vertices[faces[:, k]] for k in range(3))
        first = (b - a) / np.maximum(np.linalg.norm(b - a, axis=1, keepdims=True), 1e-9)
        normal = np.cross(b - a, c - a)
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
        axes = np.stack([first, np.cross(normal, first)], 1)
        flat = np.einsum("fij,fkj->fik", axes, np.stack([b - a, c - a], 1))
        area = np.linalg.det(flat)
        sound = np.where(np.abs(area) > 1e-9, area, 1.0)
        frames = np.stack(
            [np.stack([flat[:, 1, 1], -flat[:, 0, 1]], 1), np.stack([-flat[:, 1, 0], flat[:, 0, 0]], 1)], 1
        )
        frames = np.where((np.abs(area) > 1e-9)[:, None, None], frames / sound[:, None, None], 0.0)
        directions = _half_sphere(_DIRECTIONS)
        length = _WAVELENGTHS[0] + (_WAVELENGTHS[1] - _WAVELENGTHS[0]) * looseness
        incidence = vertex_face_incidence(faces, len(vertices))
        spread = smoothing_matrix(faces, len(vertices))
        mean = sp.diags(1 / np.maximum(np.asarray(incidence.sum(1)).ravel(), 1)) @ incidence
        for _ in range(_SPREAD):
            mean = 0.5 * mean + 0.5 * (spread @ mean)
        height = _HEIGHTS[0] + (_HEIGHTS[1] - _HEIGHTS[0]) * looseness
        waves = _waves(drawn, directions, length, seed)
        return cls(faces, frames, axes, directions, waves, sp.csr_matrix(mean), np.full(len(drawn), height))

    def displacement(self, posed: np.ndarray, combine: sp.csr_matrix, normals: np.ndarray) -> np.ndarray:
        """(M, 3) m along the normals (M, 3) of the drawn vertices, outwards: never towards the skin.

        posed: (N, 3) cloth. combine: (M, N) from cloth to drawn vertices.
        """
        shortening, direction = self._pressed(posed)
        share = (self.directions @ direction[..., None])[..., 0] ** 8
        share /= share.sum(1, keepdims=True)
        pressed = combine @ (self.to_vertices @ (shortening[:, None] * share))
        amount = pressed.sum(1)
        wave = (pressed * self.waves).sum(1) / np.maximum(amount, 1e-6)
        strength = np.clip((amount - _THRESHOLD) / (_SATURATION - _THRESHOLD), 0, 1)
        return (self.heights * strength**0.75 * (0.5 + 0.5 * wave))[:, None] * normals

    def _pressed(self, posed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(F,) by which share each triangle is shortened most, and (F, 3) along what, in the T-pose."""
        a, b, c = (posed[self.faces[:, k]] for k in range(3))
        edges = np.stack([b - a, c - a], 2)
        gradient = edges @ self.frames
        metric = np.einsum("fxi,fxj->fij", gradient, gradient)
        mean, half = (metric[:, 0, 0] + metric[:, 1, 1]) / 2, (metric[:, 0, 0] - metric[:, 1, 1]) / 2
        shear = metric[:, 0, 1]
        least = mean - np.hypot(half, shear)
        angle = 0.5 * np.arctan2(shear, half) + np.pi / 2
        along = np.stack([np.cos(angle), np.sin(angle)], 1)
        shortening = np.clip(1 - np.sqrt(np.maximum(least, 0)), 0, 0.9)
        return shortening, np.einsum("fi,fix->fx", along, self.axes)


def _half_sphere(count: int) -> np.ndarray:
    """The icosahedron's six axes: (6, 3) directions, evenly apart."""
    golden = (1 + 5**0.5) / 2
    axes = np.array([[0, 1, golden], [0, 1, -golden], [1, golden, 0], [1, -golden, 0], [golden, 0, 1],
                     [-golden, 0, 1]])  # fmt: skip
    return axes[:count] / np.linalg.norm(axes[0])


def _waves(vertices: np.ndarray, directions: np.ndarray, length: float, seed: int) -> np.ndarray:
    """(N, D) crests across each direction, bent and uneven as cloth is."""
    rng = np.random.default_rng(seed)
    phases = rng.uniform(0, 2 * np.pi, (4, len(directions)))
    bends = rng.normal(0, 1, (3, len(directions), 3)) * (2 * np.pi / 0.22)
    shift = np.stack([np.sin(vertices @ b.T + p) for b, p in zip(bends, phases[1:], strict=True)]).sum(0)
    return np.sin(2 * np.pi / length * (vertices @ directions.T) + 0.9 * shift + phases[0])
