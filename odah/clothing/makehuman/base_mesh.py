"""MakeHuman's base mesh hm08, helper geometry included, as it hangs on the open body."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from odah.body.files import Shape, read_arrays
from odah.names import SMPLX_INDEX

BASE_MESH_FILE = Path(__file__).parents[1] / "data" / "makehuman_base.npz"
NUM_BASE_VERTICES = 19158
NUM_CARRIERS = 8
NUM_WEIGHTS = 4

_ARRAYS: dict[str, Shape] = {
    "carriers": (NUM_BASE_VERTICES, NUM_CARRIERS),
    "shares": (NUM_BASE_VERTICES, NUM_CARRIERS),
    "offset": (NUM_BASE_VERTICES, 3),
    "weight_joints": (NUM_BASE_VERTICES, NUM_WEIGHTS),
    "weights": (NUM_BASE_VERTICES, NUM_WEIGHTS),
    "to_t_pose": (len(SMPLX_INDEX), 3, 3),
    "num_skin_vertices": (1,),
}


@dataclass(frozen=True)
class BaseMesh:
    """Where the B base vertices are on an open body of N vertices in the T-pose.

    from_skin: (B, N), rows sum to one; offset: (B, 3) m, added in the T-pose's axes. weights: (B, 55)
    skinning weights. to_t_pose: (55, 3, 3) turns that take directions at each joint from MakeHuman's A-pose
    to the T-pose. skin_vertex: (B,) number of the same vertex on the open body, -1 off its skin.
    """

    from_skin: sp.csr_matrix
    offset: np.ndarray
    weights: np.ndarray
    to_t_pose: np.ndarray
    skin_vertex: np.ndarray
    num_skin_vertices: int

    def vertices(self, skin: np.ndarray) -> np.ndarray:
        """(B, 3) base vertices of a T-pose body (N, 3), m."""
        return self.from_skin @ skin + self.offset


@cache
def base_mesh() -> BaseMesh:
    """The one that ships with the package, made by `odah.clothing.makehuman.build`."""
    arrays = read_arrays(BASE_MESH_FILE, _ARRAYS, "the base mesh's file")
    shares = arrays["shares"].astype(float)
    shares /= shares.sum(1, keepdims=True)
    rows = np.repeat(np.arange(NUM_BASE_VERTICES), NUM_CARRIERS)
    num_skin_vertices = int(arrays["num_skin_vertices"][0])
    shape = (NUM_BASE_VERTICES, num_skin_vertices)
    from_skin = sp.csr_matrix((shares.ravel(), (rows, arrays["carriers"].ravel().astype(int))), shape)
    weights = np.zeros((NUM_BASE_VERTICES, len(SMPLX_INDEX)))
    np.put_along_axis(weights, arrays["weight_joints"].astype(int), arrays["weights"].astype(float), 1)
    weights /= weights.sum(1, keepdims=True)
    is_skin = (shares[:, 0] == 1) & (np.abs(arrays["offset"]).max(1) < 1e-5)
    skin_vertex = np.where(is_skin, arrays["carriers"][:, 0].astype(int), -1)
    return BaseMesh(
        from_skin,
        arrays["offset"].astype(float),
        weights,
        arrays["to_t_pose"].astype(float),
        skin_vertex,
        num_skin_vertices,
    )
