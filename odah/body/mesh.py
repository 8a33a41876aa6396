"""Triangle meshes: a moving one, normals, volume. Faces (F, 3) run counter-clockwise seen from outside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp


@dataclass(frozen=True)
class MeshClip:
    """vertices: (T, N, 3) float32, world, m; faces: (F, 3) int64; rate in frames a second."""

    vertices: np.ndarray
    faces: np.ndarray
    rate: float

    @property
    def num_frames(self) -> int:
        return len(self.vertices)


def vertex_face_incidence(faces: np.ndarray, num_vertices: int) -> sp.csr_matrix:
    """(N, F) matrix that sums face values onto their corners."""
    columns = np.repeat(np.arange(len(faces)), 3)
    return sp.csr_matrix((np.ones(faces.size), (faces.ravel(), columns)), (num_vertices, len(faces)))


def vertex_normals(
    vertices: np.ndarray, faces: np.ndarray, incidence: sp.csr_matrix | None = None
) -> np.ndarray:
    """Area-weighted unit normals (N, 3); zero where no face touches a vertex."""
    if incidence is None:
        incidence = vertex_face_incidence(faces, len(vertices))
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    normals = incidence @ np.cross(b - a, c - a)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def thinned(vertices: np.ndarray, members: np.ndarray, spacing: float) -> np.ndarray:
    """Of `members`, numbers of vertices (N, 3), the first in each cube of side `spacing` (m); sorted."""
    cells = np.floor(vertices[members] / spacing).astype(np.int64)
    return members[np.sort(np.unique(cells, axis=0, return_index=True)[1])]


def enclosed_volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    """Volume inside a closed mesh by the divergence theorem, m^3."""
    a, b, c = (vertices[faces[:, k]].astype(np.float64) for k in range(3))
    return float(np.einsum("fi,fi->", np.cross(a, b), c) / 6)
