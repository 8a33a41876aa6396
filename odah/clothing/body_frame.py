"""One frame of a moving body, as what is worn on it sees it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from odah.clothing.rest_body import RestBody


def joint_transforms(joint_rotmats: np.ndarray, joints: np.ndarray, rest_joints: np.ndarray) -> np.ndarray:
    """(T, 55, 3, 4) maps from T-pose to posed: x -> R_j (x - J_j) + p_j, as in SMPL (Loper et al. 2015)."""
    shift = joints - np.einsum("tjab,jb->tja", joint_rotmats, rest_joints)
    return np.concatenate([joint_rotmats, shift[..., None]], -1)


def skin(vertices: np.ndarray, weights: np.ndarray | sp.csr_matrix, transforms: np.ndarray) -> np.ndarray:
    """(N, 3) linear blend skinning of one frame; transforms (55, 3, 4)."""
    blended = np.asarray(weights @ transforms.reshape(len(transforms), 12)).reshape(-1, 3, 4)
    return np.einsum("nab,nb->na", blended[..., :3], vertices) + blended[..., 3]


@dataclass(frozen=True)
class BodyFrame:
    """transforms: (55, 3, 4) from the T-pose. vertices: (N, 3), world, m. corrective: (N, 3) what they differ
    from plain skinning by. skin_points, skin_normals: (S, 3) of the skin patch."""

    transforms: np.ndarray
    vertices: np.ndarray
    corrective: np.ndarray
    skin_points: np.ndarray
    skin_normals: np.ndarray

    @classmethod
    def of(cls, rest: RestBody, vertices: np.ndarray, transforms: np.ndarray) -> BodyFrame:
        """The body `rest` with vertices (N, 3) and transforms (55, 3, 4)."""
        corrective = vertices - skin(rest.vertices, rest.sparse_weights, transforms)
        return cls(transforms, vertices, corrective, *rest.skin_patch.points_and_normals(vertices))
