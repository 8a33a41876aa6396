"""Which triangle of a mesh each pixel centre sees, and how far away: a z-buffer, drawn row by row.

A pixel belongs to a triangle when its centre lies between the triangle's two edges in its row, the left one
included, the right one not, and rows from the top corner included to the bottom one not. Where an edge meets
a row is computed from its upper to its lower end, whichever triangle asks: two triangles that share an edge
get the same number, so that no pixel is drawn twice or left out between them. Depth is interpolated as 1/z,
which is linear in the picture, and between points on the edges, which keeps slivers stable.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba import njit

from odah.scene.camera import Camera

NEAR = 0.02
"""Depth in front of the camera from which on geometry is drawn, m; the renderer's own clipping distance."""


def compiled(function: Callable) -> Callable:
    """Machine code, kept on disk where a folder can be written; other threads run beside it."""
    try:
        return njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        return njit(nogil=True, error_model="numpy")(function)


@dataclass(frozen=True)
class Raster:
    """What the pixels of a picture see.

    triangle: (H, W) int32 number of the nearest triangle, -1 where there is none.
    nearness: (H, W) float32, 1/z of it, 1/m; 0 where there is none.
    """

    triangle: np.ndarray
    nearness: np.ndarray

    @cached_property
    def depth(self) -> np.ndarray:
        """(H, W) float32 distance along the camera's z axis, m; inf where there is no triangle."""
        nearness = np.where(self.triangle >= 0, self.nearness, np.float32(0))
        with np.errstate(divide="ignore"):
            return 1 / nearness


class Rasterizer:
    """Draws a mesh from pinhole cameras; of triangles at the very same depth the first is kept.

    faces: (F, 3) vertex numbers; both sides of a triangle are seen.
    """

    def __init__(self, faces: np.ndarray) -> None:
        self.faces = np.ascontiguousarray(np.reshape(faces, (-1, 3)), dtype=np.int32)
        if self.faces.min(initial=0) < 0:
            raise ValueError("faces hold a negative vertex number")
        self._num_vertices = int(self.faces.max(initial=-1)) + 1

    def draw(self, vertices: np.ndarray, camera: Camera) -> Raster:
        """The mesh at `vertices` (N, 3), world, m, but for triangles with corners that are not finite."""
        if vertices.ndim != 2 or vertices.shape[1] != 3 or len(vertices) < self._num_vertices:
            raise ValueError(f"vertices {vertices.shape} for faces that name {self._num_vertices}")
        if camera.is_distorted:
            raise ValueError(f"camera {camera.name} is no pinhole: draw from the one its LensMap has")
        shape = (camera.height, camera.width)
        triangle = np.full(shape, -1, np.int32)
        nearness = np.zeros(shape, np.float32)
        numbers = np.arange(len(self.faces))
        with np.errstate(all="ignore"):  # what is not finite is left out
            cam = camera.to_cam(vertices)
            _draw(_to_picture(cam, camera.K), self.faces, numbers, triangle, nearness)
            cut = self._reaching_behind(cam)
            pieces, piece_of = _cut(cam[self.faces[cut]])
            faces = np.arange(len(pieces), dtype=np.int32).reshape(-1, 3)
            _draw(_to_picture(pieces, camera.K), faces, cut[piece_of], triangle, nearness)
        return Raster(triangle, nearness)

    def _reaching_behind(self, cam: np.ndarray) -> np.ndarray:
        """Numbers of the triangles on both sides of the near plane."""
        if np.all(cam[:, 2] >= NEAR):
            return np.zeros(0, dtype=int)
        num_before = np.sum(cam[self.faces, 2] >= NEAR, axis=1)
        is_finite = np.all(np.isfinite(cam[self.faces]), axis=(1, 2))
        return np.flatnonzero(is_finite & (num_before > 0) & (num_before < 3))


def _to_picture(cam: np.ndarray, K: np.ndarray) -> np.ndarray:
    """(N, 3) pixel x, y and 1/z of points in camera axes (N, 3); NaN for those not before the near plane."""
    nearness = 1 / np.where(cam[:, 2:] >= NEAR, cam[:, 2:], np.nan)
    return np.hstack([cam[:, :2] * nearness * np.diag(K)[:2] + K[:2, 2], nearness])


def _cut(triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The parts of triangles (K, 3, 3) before the near plane: corners (3 P, 3) of P triangles, and the number
    of the triangle that each is a piece of."""
    pieces, piece_of = [np.zeros((0, 3))], []
    for number, triangle in enumerate(triangles):
        corners = _before_near(triangle)
        for k in range(1, len(corners) - 1):
            pieces.append(np.stack([corners[0], corners[k], corners[k + 1]]))
            piece_of.append(number)
    return np.concatenate(pieces), np.array(piece_of, dtype=int)


def _before_near(triangle: np.ndarray) -> list[np.ndarray]:
    """Corners of the part of a triangle before the near plane; an edge is cut from its visible end, so that
    both its triangles find the same point."""
    corners = []
    for start, end in zip(triangle, np.roll(triangle, -1, axis=0), strict=True):
        if start[2] >= NEAR:
            corners.append(start)
        if (start[2] >= NEAR) != (end[2] >= NEAR):
            before, behind = (start, end) if start[2] >= NEAR else (end, start)
            point = before + (behind - before) * (before[2] - NEAR) / (before[2] - behind[2])
            corners.append(np.array([*point[:2], NEAR]))
    return corners


@compiled
def _draw(picture, faces, numbers, triangle, nearness):
    """Triangles of corners (x, y, 1/z) into `triangle` and `nearness`, which hold what is already there."""
    for f in range(len(faces)):
        a, b, c = _point(picture[faces[f, 0]]), _point(picture[faces[f, 1]]), _point(picture[faces[f, 2]])
        if math.isfinite(a[0] + a[1] + b[0] + b[1] + c[0] + c[1]):
            _fill(a, b, c, numbers[f], triangle, nearness)


@compiled
def _point(row):
    return row[0], row[1], row[2]


@compiled
def _on_edge(upper, lower, row):
    """(x, 1/z) where an edge between two points (x, y, 1/z) meets a row."""
    share = (row - upper[1]) / (lower[1] - upper[1])
    return upper[0] + share * (lower[0] - upper[0]), upper[2] + share * (lower[2] - upper[2])


@compiled
def _first_centre(coordinate, size):
    """Number of the first pixel centre at or after a coordinate, within 0 .. size."""
    return int(min(max(np.ceil(coordinate), 0.0), float(size)))


@compiled
def _fill(a, b, c, number, triangle, nearness):
    """One triangle whose corners are (x, y, 1/z)."""
    height, width = triangle.shape
    if a[1] > b[1]:
        a, b = b, a
    if b[1] > c[1]:
        b, c = c, b
    if a[1] > b[1]:
        a, b = b, a
    for row in range(_first_centre(a[1], height), _first_centre(c[1], height)):
        left = _on_edge(a, c, row)
        right = _on_edge(a, b, row) if row < b[1] else _on_edge(b, c, row)
        if left[0] > right[0]:
            left, right = right, left
        first, end = _first_centre(left[0], width), _first_centre(right[0], width)
        if first < end:
            slope = (right[1] - left[1]) / (right[0] - left[0])
            for column in range(first, end):
                value = np.float32(left[1] + (column - left[0]) * slope)
                if value > nearness[row, column]:
                    nearness[row, column] = value
                    triangle[row, column] = number
