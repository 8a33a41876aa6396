"""The skin that garments must stay outside of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from odah.body.mesh import vertex_face_incidence, vertex_normals


@dataclass(frozen=True)
class SkinPatch:
    """Part of a body's skin: vertex indices, and faces among them, numbered within the patch."""

    index: np.ndarray
    faces: np.ndarray
    incidence: sp.csr_matrix

    @classmethod
    def of(cls, index: np.ndarray, faces: np.ndarray) -> SkinPatch:
        """The vertices `index` of a body with `faces` (F, 3)."""
        renumber = np.full(faces.max() + 1, -1)
        renumber[index] = np.arange(len(index))
        faces = renumber[faces]
        faces = faces[(faces >= 0).all(1)]
        return cls(index, faces, vertex_face_incidence(faces, len(index)))

    def points_and_normals(self, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of the patch, for all of the body's vertices (N, 3)."""
        points = vertices[self.index]
        return points, vertex_normals(points, self.faces, self.incidence)
