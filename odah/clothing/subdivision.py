"""Loop subdivision as a fixed sparse matrix: smooth cloth from a coarse draped mesh."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from odah.clothing.surface import boundary_edges, directed_edges


def _opposite_corners(faces: np.ndarray, inverse: np.ndarray, num_edges: int) -> sp.csr_matrix:
    """(E, N) one in the column of each vertex that faces an edge across a triangle."""
    corner = np.concatenate([faces[:, 2], faces[:, 0], faces[:, 1]])
    return sp.csr_matrix((np.ones(len(corner)), (inverse, corner)), (num_edges, faces.max() + 1))


def loop_subdivision(faces: np.ndarray, num_vertices: int) -> tuple[sp.csr_matrix, np.ndarray]:
    """One step of Loop's scheme (Loop 1987; rims: cubic B-spline).

    Returns the (N + E, N) matrix from coarse to fine vertices, and the (4F, 3) fine faces: the four children
    of face k are k, F + k, 2F + k and 3F + k.
    """
    edges, inverse = np.unique(np.sort(directed_edges(faces), 1), axis=0, return_inverse=True)
    inverse = inverse.ravel()
    count, n = len(edges), num_vertices
    is_rim = np.bincount(inverse, minlength=count) == 1
    ends = sp.csr_matrix((np.ones(2 * count), (np.repeat(np.arange(count), 2), edges.ravel())), (count, n))
    across = _opposite_corners(faces, inverse, count)
    across.resize(count, n)
    odd = sp.diags(np.where(is_rim, 0.5, 0.375)) @ ends + sp.diags(np.where(is_rim, 0.0, 0.125)) @ across

    rim = boundary_edges(faces)
    on_rim = np.zeros(n, bool)
    on_rim[rim.ravel()] = True

    def neighbours(e: np.ndarray) -> sp.csr_matrix:
        return sp.csr_matrix((np.ones(2 * len(e)), np.concatenate([e, e[:, ::-1]]).T), (n, n))

    inner, along = neighbours(edges), neighbours(rim)
    valence = np.maximum(np.asarray(inner.sum(1)).ravel(), 1)
    beta = np.where(valence > 3, 3 / (8 * valence), 3 / 16)
    rim_valence = np.maximum(np.asarray(along.sum(1)).ravel(), 1)  # 2, but 4 where two rims touch
    even = sp.diags(np.where(on_rim, 0.75, 1 - valence * beta))
    even = (
        even + sp.diags(np.where(on_rim, 0.0, beta)) @ inner + sp.diags(0.25 * on_rim / rim_valence) @ along
    )

    a, b, c = faces.T
    ab, bc, ca = np.split(n + inverse, 3)
    fine = np.concatenate([np.stack(f, 1) for f in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))])
    return sp.csr_matrix(sp.vstack([even, odd])), fine
