"""A MakeHuman garment on a posed body: skinned like it, and outside of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from odah.body.mesh import vertex_face_incidence, vertex_normals
from odah.clothing.body_frame import BodyFrame, skin
from odah.clothing.contact import FacingSkin, Neighbours
from odah.clothing.limbs import Limb, drawn_in, foreign_limbs
from odah.clothing.rest_body import RestBody
from odah.clothing.surface import Surface, smoothing_matrix

_GAPS = (0.0025, 0.012)
"""Least and greatest distance from the skin that is kept, m: between them what the T-pose has, so that cloth
over cloth in one garment stays over it."""
_SQUEEZED_GAP = 0.0015
"""The same where cloth is caught between two parts of the body."""
_COMING_ALONG = (0.7, 3)
"""Share and rings of the vertices around one that is lifted."""


@dataclass(frozen=True)
class FollowingGarment:
    """A garment of G vertices in the T-pose, with what it needs to follow its body frame by frame.

    gap: (G,) m kept from the skin. smoothing: (G, G) neighbour mean. to_skin: (G, N) which body vertices each
    vertex follows. limbs: what can come between it and its skin.
    """

    surface: Surface
    limbs: tuple[Limb, ...]
    incidence: sp.csr_matrix
    gap: np.ndarray
    smoothing: sp.csr_matrix
    to_skin: sp.csr_matrix

    @classmethod
    def of(cls, surface: Surface, rest: RestBody) -> FollowingGarment:
        incidence = vertex_face_incidence(surface.faces, surface.num_vertices)
        normals = vertex_normals(surface.vertices, surface.faces, incidence)
        height = _heights(surface.vertices, normals, *rest.skin_patch.points_and_normals(rest.vertices))
        return cls(
            surface=surface,
            limbs=foreign_limbs(rest, surface.weights),
            incidence=incidence,
            gap=height.clip(*_GAPS),
            smoothing=smoothing_matrix(surface.faces, surface.num_vertices),
            to_skin=rest.nearest_skin(surface.vertices),
        )

    def normals(self, points: np.ndarray) -> np.ndarray:
        return vertex_normals(points, self.surface.faces, self.incidence)

    def posed(self, frame: BodyFrame, below: tuple[np.ndarray, np.ndarray] | None = None) -> np.ndarray:
        """(G, 3) garment in one frame, m; arguments as of `FollowingCloth.posed`."""
        points = skin(self.surface.vertices, self.surface.weights, frame.transforms)
        points += self.to_skin @ frame.corrective
        obstacle, normals = frame.skin_points, frame.skin_normals
        points, is_squeezed = drawn_in(
            points, self.to_skin @ frame.vertices, self.limbs, obstacle, normals, self.smoothing
        )
        gap = np.where(is_squeezed, np.minimum(self.gap, _SQUEEZED_GAP), self.gap)
        if below is not None:
            obstacle, normals = np.concatenate([obstacle, below[0]]), np.concatenate([normals, below[1]])
        near = FacingSkin.near(points, self.normals(points), obstacle, normals)
        around = Neighbours(self.smoothing, *_COMING_ALONG)
        points = near.cleared(points, gap, around)
        points = points + around.along(FacingSkin.nearest(points, obstacle, normals).lift(points, 0.0))
        near = FacingSkin.near(points, self.normals(points), obstacle, normals)
        return points + near.lift(points, np.minimum(gap, _SQUEEZED_GAP))


def _heights(
    points: np.ndarray, normals: np.ndarray, obstacle: np.ndarray, obstacle_normals: np.ndarray
) -> np.ndarray:
    """(G,) distance over the skin that faces the same way, m, cut off at +-3 cm."""
    reach = 0.03
    lift = FacingSkin.near(points, normals, obstacle, obstacle_normals).lift(points, reach)
    return reach - np.linalg.norm(lift, axis=1)
