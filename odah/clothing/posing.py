"""Garments follow the body: linear blend skinning, the body's correctives, and staying outside the skin."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from odah.body.mesh import vertex_face_incidence, vertex_normals
from odah.clothing.contact import FacingSkin, Neighbours
from odah.clothing.limbs import Limb, drawn_in, foreign_limbs
from odah.clothing.rest_body import RestBody
from odah.clothing.tailor import Garment
from odah.names import SMPLX_INDEX

_SQUEEZED_GAPS = (0.0015, 0.003)
"""m kept from the skin where cloth is caught between two parts of the body; the latter about the hips, where
one garment lies over another."""
_HIPS = [SMPLX_INDEX[name] for name in ("pelvis", "left_hip", "right_hip")]
_COMING_ALONG = (0.6, 2)
"""Share and rings of the vertices around one that is lifted."""


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
    squeezed_gap: np.ndarray

    @classmethod
    def of(cls, garment: Garment, rest: RestBody) -> FollowingCloth:
        surface = garment.surface
        incidence = vertex_face_incidence(surface.faces, surface.num_vertices)
        patch = SkinPatch.of(rest)
        at_hips = surface.weights[:, _HIPS].sum(1)
        squeezed_gap = _SQUEEZED_GAPS[0] + (_SQUEEZED_GAPS[1] - _SQUEEZED_GAPS[0]) * at_hips
        return cls(garment, patch, incidence, patch.limbs(rest, surface.weights), squeezed_gap)

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
        points, is_squeezed = drawn_in(
            points, garment.to_skin @ body, self.limbs, skin_points, skin_normals, garment.smoothing
        )
        gap = np.where(is_squeezed, np.minimum(garment.gap, self.squeezed_gap), garment.gap)
        facing = self._facing(points, skin_normals)
        if below is not None:
            skin_points = np.concatenate([skin_points, below[0]])
            skin_normals = np.concatenate([skin_normals, below[1]])
        near = FacingSkin.near(points, facing, skin_points, skin_normals)
        return near.cleared(points, gap, Neighbours(garment.smoothing, *_COMING_ALONG))

    def _facing(self, points: np.ndarray, skin_normals: np.ndarray) -> np.ndarray:
        """(N, 3) which way the skin under the cloth faces: as the cloth does, but for a folded collar."""
        facing, collar = self.normals(points), self.garment.collar_from
        if collar is not None:
            facing[collar:] = self.garment.to_skin[collar:, self.skin_patch.index] @ skin_normals
        return facing
