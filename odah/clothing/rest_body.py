"""A person's body in the T-pose: what garments are cut from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp
import torch
from scipy.spatial import KDTree

from odah.body.mesh import vertex_normals
from odah.clothing.skin_patch import SkinPatch
from odah.clothing.surface import Surface
from odah.names import FINGERS, SIDES, SMPLX_INDEX

if TYPE_CHECKING:
    from odah.body.body_model import BodyModel

_HAND = tuple(f"{side}_{finger}{k}" for side in SIDES for finger in FINGERS for k in (1, 2, 3))
_HEAD = ("head", "jaw", "left_eye", "right_eye")
_LEG = ("hip", "knee", "ankle", "foot")
_ARM = ("shoulder", "elbow", "wrist")
_NEAREST = 6


@dataclass(frozen=True)
class RestBody:
    """vertices (N, 3) m, Y-up, facing +Z, left = +X; faces (F, 3); weights (N, 55); joints (55, 3) m;
    groups: vertex numbers of named regions, where the body knows them."""

    vertices: np.ndarray
    faces: np.ndarray
    weights: np.ndarray
    joints: np.ndarray
    groups: Mapping[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(cls, body: BodyModel, betas: np.ndarray) -> RestBody:
        """The body of shape `betas` (num_betas,) with all joint rotations zero."""
        with torch.no_grad():
            shaped, joints = body.shaped(torch.as_tensor(np.asarray(betas), dtype=body.v_template.dtype))
        arrays = (shaped, body.faces, body.lbs_weights, joints)
        vertices, faces, weights, joints = (np.asarray(torch.as_tensor(x).cpu()) for x in arrays)
        return cls(
            vertices.astype(float),
            faces.astype(np.int64),
            weights.astype(float),
            joints.astype(float),
            body.groups,
        )

    def joint(self, name: str) -> np.ndarray:
        """(3,) position of a SMPL-X joint."""
        return self.joints[SMPLX_INDEX[name]]

    def weight_of(self, *names: str) -> np.ndarray:
        """(N,) summed skinning weight of the named joints."""
        return self.weights[:, [SMPLX_INDEX[n] for n in names]].sum(1)

    @cached_property
    def normals(self) -> np.ndarray:
        return vertex_normals(self.vertices, self.faces)

    @cached_property
    def sparse_weights(self) -> sp.csr_matrix:
        return sp.csr_matrix(self.weights)

    @cached_property
    def hand_weight(self) -> np.ndarray:
        return self.weight_of(*_HAND)

    @cached_property
    def head_weight(self) -> np.ndarray:
        return self.weight_of(*_HEAD)

    def arm_weight(self, side: str) -> np.ndarray:
        return self.weight_of(*(f"{side}_{n}" for n in _ARM)) + self.weight_of(
            *(n for n in _HAND if n.startswith(side))
        )

    def leg_weight(self, side: str) -> np.ndarray:
        return self.weight_of(*(f"{side}_{n}" for n in _LEG))

    @cached_property
    def tree(self) -> KDTree:
        """Search tree over the vertices below the head, hands left out: what garments stay outside of."""
        return KDTree(self.vertices[self.trunk_and_limbs])

    @cached_property
    def trunk_and_limbs(self) -> np.ndarray:
        """Indices of the vertices that garments can touch."""
        return np.flatnonzero((self.hand_weight < 0.5) & (self.head_weight < 0.5))

    @cached_property
    def skin_patch(self) -> SkinPatch:
        """The skin that garments stay outside of: all but hands and head."""
        return SkinPatch.of(self.trunk_and_limbs, self.faces)

    def nearest_skin(self, points: np.ndarray, among: np.ndarray | None = None) -> sp.csr_matrix:
        """(P, N) inverse-distance weights of the six nearest vertices, of those numbered `among` if given."""
        candidates = np.arange(len(self.vertices)) if among is None else among
        distance, index = KDTree(self.vertices[candidates]).query(points, k=_NEAREST)
        weight = 1 / (np.asarray(distance) + 1e-3) ** 2
        weight /= weight.sum(1, keepdims=True)
        rows = np.repeat(np.arange(len(points)), _NEAREST)
        columns = candidates[np.asarray(index).ravel()]
        return sp.csr_matrix((weight.ravel(), (rows, columns)), (len(points), len(self.vertices)))

    def as_surface(self) -> Surface:
        return Surface(self.vertices, self.faces, self.weights)


def along_limb(proximal: float, middle: float, distal: float, fraction: float) -> float:
    """Coordinate of a cut: 0 at the proximal joint, 1 at the middle, 2 at the distal one; linear outside."""
    if fraction <= 1:
        return proximal + fraction * (middle - proximal)
    return middle + (fraction - 1) * (distal - middle)
