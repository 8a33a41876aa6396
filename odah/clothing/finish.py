"""From draped cloth to the mesh that is drawn: smooth subdivision, texture coordinates, folded hems."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from scipy.ndimage import gaussian_filter1d

from odah.clothing.drape import HangAxis
from odah.clothing.patterns import LowerPattern, UpperPattern
from odah.clothing.placket import on_front, placket_and_buttons
from odah.clothing.rest_body import RestBody
from odah.clothing.subdivision import loop_subdivision
from odah.clothing.surface import directed_edges
from odah.clothing.tailor import COLLAR_PANEL, Garment
from odah.clothing.wrinkles import Wrinkles
from odah.names import SIDES

TEXTURE_TILE = 0.25
"""Length of cloth that one texture image covers, m."""
_THICKNESS = 0.0025
_BINS = 72


@dataclass(frozen=True)
class ClothMesh:
    """The drawn mesh as a fixed linear map of the posed cloth.

    combine: (M, N) from cloth vertices to drawn vertices. inset: (M,) m moved against the normal (the inner
    side of hems; negative what lies on the cloth). faces: (F, 3). uv: (M, 2), one unit a texture tile.
    colors: (M, 3) linear RGB that the texture is multiplied with, None for white. wrinkles: the folds of
    poses, None for none.
    """

    combine: sp.csr_matrix
    inset: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    colors: np.ndarray | None = None
    wrinkles: Wrinkles | None = None

    def drawn(self, cloth: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """(M, 3) drawn vertices for cloth vertices (N, 3) and their normals."""
        vertices = self.combine @ cloth
        if self.wrinkles is not None:
            outwards = _unit(self.combine @ normals)
            vertices += self.wrinkles.displacement(cloth, self.combine, outwards)
        folded = np.flatnonzero(self.inset)
        vertices[folded] -= self.inset[folded, None] * _unit(self.combine[folded] @ normals)
        return vertices


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def _polar(
    points: np.ndarray, rest: RestBody, is_lower: bool, panel: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Angle around the panel's tube (its wrap where a tailor would sew), radius, and length along it."""
    if is_lower:
        chain = np.array([rest.joint(f"{SIDES[panel]}_{n}") for n in ("ankle", "knee", "hip")])
        angle, radius, _ = HangAxis(chain[:, 1], chain[:, [0, 2]]).polar(points)
        quarter = np.pi / 2 if panel == 0 else -np.pi / 2
        return np.angle(np.exp(1j * (angle - quarter))), radius, points[:, 1]
    if panel == COLLAR_PANEL:
        d = points[:, [0, 2]] - rest.joint("neck")[[0, 2]]
        radius = np.linalg.norm(d, axis=1)
        return np.arctan2(d[:, 0], d[:, 1]), radius, points[:, 1] - radius
    if panel == 0:
        spine = rest.joint("spine2")
        d = points[:, [0, 2]] - [0.0, spine[2]]
        return np.arctan2(d[:, 0], d[:, 1]), np.linalg.norm(d, axis=1), points[:, 1]
    chain = np.array([rest.joint(f"{SIDES[panel - 1]}_{n}") for n in ("shoulder", "elbow", "wrist")])
    x = np.abs(points[:, 0])
    centre = np.stack([np.interp(x, np.abs(chain[:, 0]), c) for c in chain[:, 1:].T], 1)
    d = points[:, 1:] - centre
    return np.arctan2(d[:, 1], d[:, 0]), np.linalg.norm(d, axis=1), x


def _arc_length(angle: np.ndarray, radius: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
    """Arc length (m) of the tube's mean section up to each angle, its circumference, and its radius there."""
    which = ((angle + np.pi) / (2 * np.pi) * _BINS).astype(int) % _BINS
    count = np.bincount(which, minlength=_BINS)
    known = count > 0
    mean = np.bincount(which, radius, _BINS)[known] / count[known]
    at = np.arange(_BINS)
    section = gaussian_filter1d(np.interp(at, at[known], mean, period=_BINS), 2, mode="wrap")
    closed = np.concatenate([section, section[:1]])
    total = np.concatenate([[0.0], np.cumsum(0.5 * (closed[1:] + closed[:-1]) * 2 * np.pi / _BINS)])
    turn = np.linspace(-np.pi, np.pi, _BINS + 1)
    return np.interp(angle, turn, total), float(total[-1]), np.interp(angle, turn, closed)


def _unwrapped(vertices: np.ndarray, faces: np.ndarray, panels: np.ndarray, rest: RestBody, is_lower: bool):
    """Texture coordinates; vertices on seams are doubled, one for each side.

    Returns the (M,) source vertex of each new vertex, the new faces and uv. A whole number of tiles goes
    round each tube, so the pattern closes.
    """
    new_faces = np.empty_like(faces)
    sources, uvs, count = [], [], 0
    for panel in np.unique(panels):
        mine = panels == panel
        corners = faces[mine]
        used = np.unique(corners)
        angle_of, uv_of = np.zeros(len(vertices)), np.zeros((len(vertices), 2))
        angle, radius, length = _polar(vertices[used], rest, is_lower, int(panel))
        arc, around, section = _arc_length(angle, radius)
        if panel == 0 and not is_lower:  # over the shoulders the cloth runs inwards, not up
            above_armpit = vertices[used, 1] - rest.joint("left_shoulder")[1] + 0.06
            length = length + np.clip(above_armpit / 0.05, 0, 1) * np.maximum(section - radius, 0)
        tiles = max(1, round(around / TEXTURE_TILE))
        angle_of[used] = angle
        uv_of[used] = np.stack([arc / around * tiles, length / TEXTURE_TILE], 1)
        turn = np.round((angle_of[corners[:, :1]] - angle_of[corners]) / (2 * np.pi)).astype(int)
        key, inverse = np.unique(np.stack([corners.ravel(), turn.ravel()], 1), axis=0, return_inverse=True)
        new_faces[mine] = inverse.reshape(-1, 3) + count
        sources.append(key[:, 0])
        uvs.append(uv_of[key[:, 0]] + np.stack([key[:, 1] * tiles, np.zeros(len(key))], 1))
        count += len(key)
    return np.concatenate(sources), new_faces, np.concatenate(uvs)


def _rim_corners(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(face, k) of each rim edge, which runs from corner k to corner k + 1."""
    edges = directed_edges(faces)
    _, first, count = np.unique(np.sort(edges, 1), axis=0, return_index=True, return_counts=True)
    rim = first[count == 1]
    return rim % len(faces), rim // len(faces)


def finish(garment: Garment, rest: RestBody, wrinkles: bool = False) -> ClothMesh:
    """The drawn mesh of a garment: once subdivided, with uv, and hems folded inwards.

    wrinkles: whether poses press folds into the cloth.
    """
    mesh = _hemmed(garment, rest)
    if isinstance(garment.pattern, UpperPattern) and garment.pattern.has_collar:
        mesh = _buttoned(mesh, garment)
    return _wrinkling(mesh, garment, rest) if wrinkles else mesh


def _wrinkling(mesh: ClothMesh, garment: Garment, rest: RestBody) -> ClothMesh:
    """What a garment worn over it covers stays nearly flat."""
    cloth = garment.surface
    drawn = mesh.combine @ cloth.vertices
    wrinkles = Wrinkles.of(cloth.vertices, cloth.faces, drawn, garment.looseness)
    if isinstance(garment.pattern, LowerPattern):
        hip, knee = rest.joint("left_hip")[1], rest.joint("left_knee")[1]
        covered = np.clip((drawn[:, 1] - hip) / (0.2 * (hip - knee)) + 1, 0, 1)
        wrinkles = replace(wrinkles, heights=wrinkles.heights * (1 - 0.75 * covered))
    return replace(mesh, wrinkles=wrinkles)


def _hemmed(garment: Garment, rest: RestBody) -> ClothMesh:
    surface = garment.surface
    refine, fine = loop_subdivision(surface.faces, surface.num_vertices)
    panels = np.tile(garment.panels, 4)
    is_lower = isinstance(garment.pattern, LowerPattern)
    source, faces, uv = _unwrapped(refine @ surface.vertices, fine, panels, rest, is_lower)
    face, k = _rim_corners(fine)
    rim, inverse = np.unique(np.stack([faces[face, k], faces[face, (k + 1) % 3]]), return_inverse=True)
    a, b = inverse.reshape(2, -1)
    third = np.zeros(len(rim), int)
    third[a] = third[b] = fine[face, (k + 2) % 3]
    base = len(source)
    edge, inner = base + np.arange(len(rim)), base + len(rim) + np.arange(len(rim))
    lips = [
        (rim[b], rim[a], edge[a]), (rim[b], edge[a], edge[b]),
        (edge[b], edge[a], inner[a]), (edge[b], inner[a], inner[b]),
    ]  # fmt: skip
    inside = 0.5 * (refine[source[rim]] + refine[third])
    combine = sp.csr_matrix(sp.vstack([refine[source], refine[source[rim]], inside]))
    inset = np.concatenate([np.zeros(base), np.full(2 * len(rim), _THICKNESS)])
    faces = np.concatenate([faces, *(np.stack(lip, 1) for lip in lips)])
    return ClothMesh(combine, inset, faces, np.concatenate([uv, uv[rim], uv[rim]]))


def _buttoned(mesh: ClothMesh, garment: Garment) -> ClothMesh:
    """With placket and buttons along the middle of the front."""
    fine = 4 * len(garment.panels)
    body_faces = mesh.faces[:fine][np.tile(garment.panels, 4) == 0]
    points = mesh.combine @ garment.surface.vertices
    middle = points[np.unique(body_faces)]
    middle = middle[(np.abs(middle[:, 0]) < 0.01) & (middle[:, 2] > np.median(middle[:, 2]))]
    trims = placket_and_buttons(middle[:, 1].max() - 0.002, middle[:, 1].min() + 0.001)
    combine, inset, faces, uv = [mesh.combine], [mesh.inset], [mesh.faces], [mesh.uv]
    colors, count = [np.ones((len(mesh.inset), 3))], len(mesh.inset)
    for trim in trims:
        face, shares = on_front(trim.places, points, body_faces)
        corners = body_faces[face]
        rows = np.repeat(np.arange(len(face)), 3)
        place = sp.csr_matrix((shares.ravel(), (rows, corners.ravel())), (len(face), len(mesh.inset)))
        combine.append(place @ mesh.combine)
        inset.append(-trim.heights)
        faces.append(trim.faces + count)
        uv.append(np.einsum("pk,pkc->pc", shares, mesh.uv[corners]))
        colors.append(np.repeat(trim.shades[:, None], 3, axis=1))
        count += len(face)
    return ClothMesh(
        sp.csr_matrix(sp.vstack(combine)),
        np.concatenate(inset),
        np.concatenate(faces),
        np.concatenate(uv),
        np.concatenate(colors),
    )
