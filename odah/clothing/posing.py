"""Garments follow the body: linear blend skinning, the body's correctives, and staying outside the skin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.spatial import KDTree

from odah.body.mesh import vertex_face_incidence, vertex_normals
from odah.clothing.patterns import cloth_field
from odah.clothing.rest_body import RestBody
from odah.clothing.tailor import Garment

_NORMAL_SCALE = 0.06
"""Normals times this (m) join the search, so that cloth heeds skin that faces the same way."""
_BEYOND_HEM = 0.10
_REACH = 0.12


def joint_transforms(joint_rotmats: np.ndarray, joints: np.ndarray, rest_joints: np.ndarray) -> np.ndarray:
    """(T, 55, 3, 4) maps from T-pose to posed: x -> R_j (x - J_j) + p_j, as in SMPL (Loper et al. 2015)."""
    shift = joints - np.einsum("tjab,jb->tja", joint_rotmats, rest_joints)
    return np.concatenate([joint_rotmats, shift[..., None]], -1)


def skin(vertices: np.ndarray, weights: np.ndarray | sp.csr_matrix, transforms: np.ndarray) -> np.ndarray:
    """(N, 3) linear blend skinning of one frame; transforms (55, 3, 4)."""
    blended = np.asarray(weights @ transforms.reshape(len(transforms), 12)).reshape(-1, 3, 4)
    return np.einsum("nab,nb->na", blended[..., :3], vertices) + blended[..., 3]


@dataclass(frozen=True)
class SkinPatch:
    """The part of the body that a garment must stay outside of: vertex indices, and faces among them."""

    index: np.ndarray
    faces: np.ndarray
    incidence: sp.csr_matrix

    @classmethod
    def under(cls, rest: RestBody, garment: Garment) -> SkinPatch:
        """The skin below the cloth and up to 10 cm past its hems."""
        near = cloth_field(rest, garment.pattern) > -_BEYOND_HEM
        near &= (rest.hand_weight < 0.5) & (rest.head_weight < 0.5)
        index = np.flatnonzero(near)
        renumber = np.full(len(rest.vertices), -1)
        renumber[index] = np.arange(len(index))
        faces = renumber[rest.faces[near[rest.faces].all(1)]]
        return cls(index, faces, vertex_face_incidence(faces, len(index)))

    def points_and_normals(self, body_vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        points = body_vertices[self.index]
        return points, vertex_normals(points, self.faces, self.incidence)


@dataclass(frozen=True)
class FollowingCloth:
    """A garment with what it needs to follow its body frame by frame."""

    garment: Garment
    skin_patch: SkinPatch
    incidence: sp.csr_matrix

    @classmethod
    def of(cls, garment: Garment, rest: RestBody) -> FollowingCloth:
        surface = garment.surface
        incidence = vertex_face_incidence(surface.faces, surface.num_vertices)
        return cls(garment, SkinPatch.under(rest, garment), incidence)

    def normals(self, points: np.ndarray) -> np.ndarray:
        return vertex_normals(points, self.garment.surface.faces, self.incidence)

    def posed(
        self, transforms: np.ndarray, body: np.ndarray, corrective: np.ndarray,
        below: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> np.ndarray:  # fmt: skip
        """(N, 3) cloth in one frame, m.

        transforms: (55, 3, 4). body: (N_body, 3) posed skin. corrective: (N_body, 3) its difference from
        plain skinning. below: points and normals of a garment worn under this one.
        """
        garment = self.garment
        points = skin(garment.surface.vertices, garment.surface.weights, transforms)
        points += garment.to_skin @ corrective
        for _ in range(2):
            points = 0.5 * points + 0.5 * (garment.smoothing @ points)
        obstacle, normals = self.skin_patch.points_and_normals(body)
        if below is not None:
            obstacle, normals = np.concatenate([obstacle, below[0]]), np.concatenate([normals, below[1]])
        return self._outside(points, obstacle, normals)

    def _outside(self, points: np.ndarray, obstacle: np.ndarray, obstacle_normals: np.ndarray) -> np.ndarray:
        """Lifted off the skin; the first lift is spread to neighbours so that no single vertex stands out."""
        near = FacingSkin.near(points, self.normals(points), obstacle, obstacle_normals)
        lift = near.lift(points, self.garment.gap)
        is_lifted = np.linalg.norm(lift, axis=1, keepdims=True) > 0
        for _ in range(2):
            lift = np.where(is_lifted, lift, 0.6 * (self.garment.smoothing @ lift))
        points = points + lift
        return points + near.lift(points, self.garment.gap)


@dataclass(frozen=True)
class FacingSkin:
    """For each cloth vertex the nearest skin points that face the same way: positions and normals (N, k, 3),
    distance weights (N, k), all zero where none is within reach."""

    points: np.ndarray
    normals: np.ndarray
    weights: np.ndarray

    @classmethod
    def near(
        cls, points: np.ndarray, normals: np.ndarray, obstacle: np.ndarray, obstacle_normals: np.ndarray
    ) -> FacingSkin:
        """Search in position and scaled normal together: a step to opposite skin costs as much as 12 cm."""
        space = np.concatenate([obstacle, _NORMAL_SCALE * obstacle_normals], 1)
        query = np.concatenate([points, _NORMAL_SCALE * normals], 1)
        tree = KDTree(space, balanced_tree=False, compact_nodes=False)
        distance, index = tree.query(query, k=4, distance_upper_bound=_REACH)
        found = np.isfinite(distance)
        index = np.where(found, index, 0)
        weights = np.where(found, 1 / (np.where(found, distance, 1.0) + 1e-3) ** 2, 0.0)
        weights /= np.maximum(weights.sum(1, keepdims=True), 1e-12)
        return cls(obstacle[index], obstacle_normals[index], weights)

    def lift(self, points: np.ndarray, gap: np.ndarray) -> np.ndarray:
        """(N, 3) displacement that clears the skin by `gap` m, at most 6 cm."""
        height = np.einsum("nkc,nkc,nk->n", points[:, None] - self.points, self.normals, self.weights)
        normal = np.einsum("nk,nkc->nc", self.weights, self.normals)
        length = np.linalg.norm(normal, axis=1, keepdims=True)
        amount = np.where(length[:, 0] > 0, np.clip(gap - height, 0, 0.06), 0.0)
        return amount[:, None] * normal / np.maximum(length, 1e-9)
