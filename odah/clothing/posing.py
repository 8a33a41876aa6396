"""Garments follow the body: linear blend skinning, the body's correctives, and staying outside the skin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from odah.body.mesh import vertex_face_incidence, vertex_normals
from odah.clothing.body_frame import BodyFrame, skin
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


@dataclass(frozen=True)
class FollowingCloth:
    """A garment with what it needs to follow its body frame by frame."""

    garment: Garment
    incidence: sp.csr_matrix
    limbs: tuple[Limb, ...]
    squeezed_gap: np.ndarray
    collar_to_skin: sp.csr_matrix | None

    @classmethod
    def of(cls, garment: Garment, rest: RestBody) -> FollowingCloth:
        surface = garment.surface
        incidence = vertex_face_incidence(surface.faces, surface.num_vertices)
        at_hips = surface.weights[:, _HIPS].sum(1)
        squeezed_gap = _SQUEEZED_GAPS[0] + (_SQUEEZED_GAPS[1] - _SQUEEZED_GAPS[0]) * at_hips
        start = garment.collar_from
        collar = None if start is None else garment.to_skin[start:, rest.skin_patch.index]
        return cls(garment, incidence, foreign_limbs(rest, surface.weights), squeezed_gap, collar)

    def normals(self, points: np.ndarray) -> np.ndarray:
        return vertex_normals(points, self.garment.surface.faces, self.incidence)

    def posed(self, frame: BodyFrame, below: tuple[np.ndarray, np.ndarray] | None = None) -> np.ndarray:
        """(N, 3) cloth in one frame, m. below: points and normals of a garment worn under this one."""
        garment = self.garment
        points = skin(garment.surface.vertices, garment.surface.weights, frame.transforms)
        points += garment.to_skin @ frame.corrective
        for _ in range(2):
            points = 0.5 * points + 0.5 * (garment.smoothing @ points)
        skin_points, skin_normals = frame.skin_points, frame.skin_normals
        points, is_squeezed = drawn_in(
            points, garment.to_skin @ frame.vertices, self.limbs, skin_points, skin_normals, garment.smoothing
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
        facing = self.normals(points)
        if self.collar_to_skin is not None:
            facing[self.garment.collar_from :] = self.collar_to_skin @ skin_normals
        return facing
