"""Garments follow the body: linear blend skinning, the body's correctives, and staying outside the skin."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from odah.body.mesh import vertex_face_incidence, vertex_normals
from odah.clothing.contact import FacingSkin
from odah.clothing.limbs import Limb, drawn_in, foreign_limbs
from odah.clothing.rest_body import RestBody
from odah.clothing.tailor import Garment

_SQUEEZED_GAP = 0.0015
"""m kept from the skin where cloth is caught between two parts of the body."""


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
    def of(cls, rest: RestBody) -> SkinPatch:
        """All but hands and head."""
        index = rest.trunk_and_limbs
        renumber = np.full(len(rest.vertices), -1)
        renumber[index] = np.arange(len(index))
        faces = renumber[rest.faces]
        faces = faces[(faces >= 0).all(1)]
        return cls(index, faces, vertex_face_incidence(faces, len(index)))

    def limbs(self, rest: RestBody, weights: np.ndarray) -> tuple[Limb, ...]:
        """The limbs that are foreign to cloth skinned with `weights` (N, 55), their skin numbered as here."""
        renumber = np.full(len(rest.vertices), -1)
        renumber[self.index] = np.arange(len(self.index))
        return tuple(replace(limb, skin=renumber[limb.skin]) for limb in foreign_limbs(rest, weights))

    def points_and_normals(self, body_vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        points = body_vertices[self.index]
        return points, vertex_normals(points, self.faces, self.incidence)


@dataclass(frozen=True)
class FollowingCloth:
    """A garment with what it needs to follow its body frame by frame."""

    garment: Garment
    skin_patch: SkinPatch
    incidence: sp.csr_matrix
    limbs: tuple[Limb, ...]

    @classmethod
    def of(cls, garment: Garment, rest: RestBody) -> FollowingCloth:
        surface = garment.surface
        incidence = vertex_face_incidence(surface.faces, surface.num_vertices)
        patch = SkinPatch.of(rest)
        return cls(garment, patch, incidence, patch.limbs(rest, surface.weights))

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
        skin_points, skin_normals = self.skin_patch.points_and_normals(body)
        points, is_squeezed = drawn_in(points, garment.to_skin @ body, self.limbs, skin_points, skin_normals)
        gap = np.where(is_squeezed, np.minimum(garment.gap, _SQUEEZED_GAP), garment.gap)
        if below is not None:
            skin_points = np.concatenate([skin_points, below[0]])
            skin_normals = np.concatenate([skin_normals, below[1]])
        return self._lifted(points, skin_points, skin_normals, gap)

    def _lifted(
        self, points: np.ndarray, obstacle: np.ndarray, obstacle_normals: np.ndarray, gap: np.ndarray
    ) -> np.ndarray:
        """Outside of what faces the same way, by `gap`."""
        near = FacingSkin.near(points, self.normals(points), obstacle, obstacle_normals)
        points = points + self._spread(near.lift(points, gap))
        return points + near.lift(points, gap)

    def _spread(self, lift: np.ndarray) -> np.ndarray:
        """The neighbours come along, so that no single vertex stands out."""
        is_lifted = (lift != 0).any(1, keepdims=True)
        for _ in range(2):
            lift = np.where(is_lifted, lift, 0.6 * (self.garment.smoothing @ lift))
        return lift
