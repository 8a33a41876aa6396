"""Triangle-mesh operations that garments are cut and draped with."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

_SNAP = 0.12
"""A cut closer than this share of an edge to its end goes through the vertex: no slivers."""


@dataclass(frozen=True)
class Surface:
    """vertices (N, 3) m; faces (F, 3) counter-clockwise seen from outside; weights (N, 55) to the joints."""

    vertices: np.ndarray
    faces: np.ndarray
    weights: np.ndarray

    @property
    def num_vertices(self) -> int:
        return len(self.vertices)


def directed_edges(faces: np.ndarray) -> np.ndarray:
    """(3F, 2) edges in the direction their face runs along them."""
    return np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])


def boundary_edges(faces: np.ndarray) -> np.ndarray:
    """(E, 2) directed edges that belong to one face only."""
    edges = directed_edges(faces)
    _, first, count = np.unique(np.sort(edges, 1), axis=0, return_index=True, return_counts=True)
    return edges[first[count == 1]]


def boundary_loops(faces: np.ndarray) -> list[np.ndarray]:
    """The vertices of each hole's rim, one array a loop."""
    edges = boundary_edges(faces)
    if not len(edges):
        return []
    members, local = np.unique(edges, return_inverse=True)
    local = local.reshape(edges.shape)
    graph = sp.coo_matrix((np.ones(len(edges)), (local[:, 0], local[:, 1])), (len(members),) * 2)
    count, label = connected_components(graph, directed=False)
    return [members[label == k] for k in range(count)]


def compact(surface: Surface, faces: np.ndarray) -> Surface:
    """Only `faces`, and only the vertices they use."""
    used, inverse = np.unique(faces, return_inverse=True)
    return Surface(surface.vertices[used], inverse.reshape(-1, 3), surface.weights[used])


def largest_component(surface: Surface) -> Surface:
    """The connected piece with the most faces."""
    edges = directed_edges(surface.faces)
    n = surface.num_vertices
    _, label = connected_components(sp.coo_matrix((np.ones(len(edges)), edges.T), (n, n)), directed=False)
    of_face = label[surface.faces[:, 0]]
    return compact(surface, surface.faces[of_face == np.bincount(of_face).argmax()])


def _snapped_signs(surface: Surface, field: np.ndarray, edges: np.ndarray) -> tuple[Surface, np.ndarray]:
    """Signs of the field, after moving vertices that nearly lie on the line onto it (sign 0)."""
    sign = np.sign(field).astype(int)
    i, j = edges[sign[edges[:, 0]] * sign[edges[:, 1]] < 0].T
    t = field[i] / (field[i] - field[j])
    near, far = np.where(t < 0.5, i, j), np.where(t < 0.5, j, i)
    t = np.minimum(t, 1 - t)
    order = np.argsort(-t)  # the nearest crossing is written last, so it wins
    order = order[t[order] < _SNAP]
    near, far, t = near[order], far[order], t[order, None]
    vertices, weights = surface.vertices.copy(), surface.weights.copy()
    vertices[near] = (1 - t) * surface.vertices[near] + t * surface.vertices[far]
    weights[near] = (1 - t) * surface.weights[near] + t * surface.weights[far]
    sign[near] = 0
    return replace(surface, vertices=vertices, weights=weights), sign


def cut(surface: Surface, field: np.ndarray) -> tuple[Surface, np.ndarray, np.ndarray]:
    """Split the triangles along `field == 0`.

    field: (N,) value at each vertex, linear inside a triangle.

    Returns the refined surface (weights interpolated on the new vertices) and, for each face, whether it lies
    on the positive side and which face it came from. Vertices within 12 % of an edge of the line are moved
    onto it.
    """
    edges = np.unique(np.sort(directed_edges(surface.faces), 1), axis=0)
    surface, sign = _snapped_signs(surface, field, edges)
    crossed = edges[sign[edges[:, 0]] * sign[edges[:, 1]] < 0]
    i, j = crossed.T
    t = (field[i] / (field[i] - field[j]))[:, None]
    n = surface.num_vertices
    keys = i * n + j  # ascending, as np.unique returned the edges
    s = sign[surface.faces]
    is_mixed = (s.min(1) < 0) & (s.max(1) > 0)
    pieces, sides, parents = (
        [surface.faces[~is_mixed]],
        [s[~is_mixed].sum(1) > 0],
        [np.flatnonzero(~is_mixed)],
    )

    def extended(x: np.ndarray) -> np.ndarray:
        return np.concatenate([x, (1 - t) * x[i] + t * x[j]])

    def at(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return n + np.searchsorted(keys, np.minimum(a, b) * n + np.maximum(a, b))

    def emit(chosen: np.ndarray, positive: np.ndarray, *corners: np.ndarray) -> None:
        pieces.append(np.stack(corners, 1))
        sides.append(positive)
        parents.append(np.flatnonzero(chosen))

    for k in range(3):  # the corner to start at: alone on its side, or on the line between the other two
        a, b, c = (surface.faces[:, (k + r) % 3] for r in range(3))
        sa, sb, sc = (s[:, (k + r) % 3] for r in range(3))
        alone = is_mixed & (sa != 0) & (sb == -sa) & (sc == -sa)
        a1, b1, c1, up = a[alone], b[alone], c[alone], sa[alone] > 0
        ab, ac = at(a1, b1), at(a1, c1)
        emit(alone, up, a1, ab, ac)
        emit(alone, ~up, ab, b1, c1)
        emit(alone, ~up, ab, c1, ac)
        between = is_mixed & (sa == 0)
        a2, b2, c2, up = a[between], b[between], c[between], sb[between] > 0
        bc = at(b2, c2)
        emit(between, up, a2, b2, bc)
        emit(between, ~up, a2, bc, c2)
    refined = Surface(extended(surface.vertices), np.concatenate(pieces), extended(surface.weights))
    return refined, np.concatenate(sides), np.concatenate(parents)


def clip(surface: Surface, field: np.ndarray) -> Surface:
    """The part where `field` is positive."""
    surface, is_inside, _ = cut(surface, field)
    return compact(surface, surface.faces[is_inside])


def smoothing_matrix(faces: np.ndarray, num_vertices: int) -> sp.csr_matrix:
    """Row-stochastic mean over neighbours; rim vertices average along the rim only, so that hems stay."""
    edges, rim = directed_edges(faces), boundary_edges(faces)

    def adjacency(e: np.ndarray) -> sp.csr_matrix:
        both = np.concatenate([e, e[:, ::-1]]).T
        matrix = sp.csr_matrix((np.ones(both.shape[1]), both), (num_vertices, num_vertices))
        matrix.data[:] = 1.0
        return matrix

    on_rim = np.zeros(num_vertices)
    on_rim[rim.ravel()] = 1.0
    matrix = sp.diags(1 - on_rim) @ adjacency(edges) + sp.diags(on_rim) @ adjacency(rim)
    return sp.csr_matrix(sp.diags(1 / np.maximum(np.asarray(matrix.sum(1)).ravel(), 1.0)) @ matrix)


def grid_faces(rows: int, columns: int) -> np.ndarray:
    """Triangles of a tube of `rows` closed rings of `columns` vertices; outward where (towards the
    next ring) x (towards the next column) points outward."""
    r, c = np.mgrid[0 : rows - 1, 0:columns]
    a, b = (r * columns + c).ravel(), (r * columns + (c + 1) % columns).ravel()
    return np.concatenate([np.stack([a, a + columns, b], 1), np.stack([b, a + columns, b + columns], 1)])
