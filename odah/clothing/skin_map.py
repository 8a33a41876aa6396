"""Where every pixel of a skin texture lies on the body."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp
from scipy.ndimage import distance_transform_edt

from odah.clothing.pictures import numbered_triangles

if TYPE_CHECKING:
    from odah.body.body_model import BodyModel

SIZE = 1024
"""Pixels along a side of the texture: about 0.8 mm on the open body's head, 2 mm elsewhere."""
_SUBPIXEL_BITS = 4


@dataclass(frozen=True, eq=False)
class SkinMap:
    """The pixels of a texture that lie on the skin, the texels.

    matrix: (P, N) takes values at the vertices to the P texels. pixel: (P,) their flat places in the picture,
    ascending. nearest: (SIZE * SIZE,) the texel that every pixel of the picture shows, so that seams have no
    fringe. uv: (F, 3, 2) at the corners of the body's faces.
    """

    matrix: sp.csr_matrix
    pixel: np.ndarray
    nearest: np.ndarray
    uv: np.ndarray

    def image(self, values: np.ndarray) -> np.ndarray:
        """(SIZE, SIZE, ...) picture of values (P, ...) at the texels."""
        return values[self.nearest].reshape(SIZE, SIZE, *values.shape[1:])

    def texels(self, field: np.ndarray) -> np.ndarray:
        """(P, ...) values of a picture (SIZE, SIZE, ...) at the texels."""
        return field.reshape(-1, *field.shape[2:])[self.pixel]


@lru_cache(maxsize=2)
def skin_map(body: BodyModel) -> SkinMap | None:
    """The map of a body's own texture coordinates, the same for all betas; None where it has none."""
    if body.uv is None or body.uv_faces is None:
        return None
    uv = np.asarray(body.uv, float)[body.uv_faces]
    corners = np.stack([uv[..., 0] * SIZE - 0.5, (1 - uv[..., 1]) * SIZE - 0.5], 2)
    scaled = np.round(corners * 2**_SUBPIXEL_BITS).astype(np.int32)
    order = np.argsort(_twice_area(uv) > 0, kind="stable")  # what is folded over lies below
    face_at = numbered_triangles(scaled, order, SIZE, _SUBPIXEL_BITS)
    pixel = np.flatnonzero(face_at.ravel() >= 0)
    face = face_at.ravel()[pixel]
    rows, columns = np.divmod(pixel, SIZE)
    weights = _barycentric(corners[face], np.stack([columns, rows], 1).astype(float))
    vertices = np.asarray(body.faces)[face]
    matrix = sp.csr_matrix(
        (weights.astype(np.float32).ravel(), vertices.ravel(), np.arange(0, 3 * len(face) + 1, 3)),
        (len(face), body.num_vertices),
    )
    number = np.zeros(SIZE * SIZE, np.int32)
    number[pixel] = np.arange(len(pixel))
    row, column = np.asarray(distance_transform_edt(face_at < 0, return_distances=False, return_indices=True))
    return SkinMap(matrix, pixel, number[(row * SIZE + column).ravel()], uv.astype(np.float32))


def _twice_area(triangles: np.ndarray) -> np.ndarray:
    """(P,) signed, of triangles (P, 3, 2)."""
    u, v = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    return u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]


def _barycentric(triangles: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(P, 3) weights of the corners (P, 3, 2) at points (P, 2), moved into the triangle where outside."""
    a, b, c = (triangles[:, k] for k in range(3))
    area = _twice_area(triangles)
    area = np.where(np.abs(area) < 1e-9, 1e-9, area)
    second = _twice_area(np.stack([a, points, c], 1)) / area
    third = _twice_area(np.stack([a, b, points], 1)) / area
    weights = np.clip(np.stack([1 - second - third, second, third], 1), 0, 1)
    return weights / weights.sum(1, keepdims=True)
