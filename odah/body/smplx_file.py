"""SMPL-X model files: read a user's licensed one, or write a body in the same format.

Keys as in `SMPLX_NEUTRAL.npz` (version 1.1): v_template (N, 3), shapedirs (N, 3, 400) with shape in
the first 300 and expression in the last 100, posedirs (N, 3, 486), J_regressor (55, N), weights
(N, 55), f (F, 3), kintree_table (2, 55), vt, ft, hands_meanl and hands_meanr (45,).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from odah.body.body_model import BodyModel
from odah.body.files import NUM_JOINTS, NUM_POSE_FEATURES, Shape, read_arrays
from odah.errors import InputError
from odah.names import SMPLX_PARENTS

_KIND = "an SMPL-X model (SMPLX_NEUTRAL.npz, SMPLX_MALE.npz or SMPLX_FEMALE.npz)"

_ARRAYS: dict[str, Shape] = {
    "v_template": (None, 3),
    "shapedirs": (None, 3, None),
    "posedirs": (None, 3, NUM_POSE_FEATURES),
    "J_regressor": (NUM_JOINTS, None),
    "weights": (None, NUM_JOINTS),
    "f": (None, 3),
    "kintree_table": (2, NUM_JOINTS),
    "vt": (None, 2),
    "ft": (None, 3),
    "hands_meanl": (45,),
    "hands_meanr": (45,),
}

NUM_SHAPE_COMPONENTS, NUM_EXPRESSION_COMPONENTS = 300, 100
_OTHER_BODIES = {24: "an SMPL model", 52: "an SMPL-H model"}
"""Bodies of the same makers, by their number of joints."""

_SHORT_SHAPE_COMPONENTS = 10
"""Files of version 1.0 hold 10 shape and 10 expression components."""


def read_smplx(path: str | Path, gender: str = "neutral", num_betas: int = 16) -> BodyModel:
    """SMPL-X from its `.npz`, with its first `num_betas` shape components and no expression.

    `gender` is what the file's name says; the argument counts when the name does not say.

    Raises:
        InputError: not such a file, damaged, another skeleton, or fewer shape components than asked for.
    """
    path = Path(path)
    _check_kind(path)
    arrays = read_arrays(path, _ARRAYS, _KIND)
    _check_consistent(path, arrays, num_betas)
    shapedirs = torch.as_tensor(arrays["shapedirs"][..., :num_betas].astype(np.float64))
    v_template = torch.as_tensor(arrays["v_template"].astype(np.float64))
    regressor = torch.as_tensor(arrays["J_regressor"].astype(np.float64))
    return BodyModel(
        name=path.stem,
        gender=next((g for g in ("female", "male", "neutral") if g in path.stem.lower()), gender),
        v_template=v_template,
        shapedirs=shapedirs,
        joint_template=regressor @ v_template,
        joint_shapedirs=torch.einsum("jn,ncs->jcs", regressor, shapedirs),
        lbs_weights=torch.as_tensor(arrays["weights"].astype(np.float64)),
        posedirs=torch.as_tensor(arrays["posedirs"].astype(np.float64)),
        faces=arrays["f"].astype(np.int64),
        hand_mean=np.concatenate([arrays["hands_meanl"], arrays["hands_meanr"]]).reshape(-1, 3),
        uv=arrays["vt"].astype(np.float32),
        uv_faces=arrays["ft"].astype(np.int64),
    )


def _check_kind(path: Path) -> None:
    """A body with another skeleton is told by its joint tree, before any array that it may lack."""
    num_joints = read_arrays(path, {"kintree_table": (2, None)}, _KIND)["kintree_table"].shape[1]
    if num_joints != NUM_JOINTS:
        kind = _OTHER_BODIES.get(num_joints, "a body")
        raise InputError(path, f"{kind} of {num_joints} joints", _KIND)


def _check_consistent(path: Path, arrays: dict[str, np.ndarray], num_betas: int) -> None:
    """The same number of vertices everywhere, SMPL-X's tree, and enough shape components."""
    num_vertices = len(arrays["v_template"])
    axis = {"shapedirs": 0, "posedirs": 0, "weights": 0, "J_regressor": 1}
    for name, k in axis.items():
        if arrays[name].shape[k] != num_vertices:
            raise InputError(f"{path}: {name}", f"{arrays[name].shape[k]} vertices", f"{num_vertices}")
    if arrays["f"].max(initial=0) >= num_vertices:
        raise InputError(f"{path}: f", f"vertex {arrays['f'].max()}", f"numbers below {num_vertices}")
    parents = arrays["kintree_table"][0].astype(np.int64)
    if tuple(parents[1:]) != SMPLX_PARENTS[1:]:
        raise InputError(f"{path}: kintree_table", "another joint tree", "SMPL-X's 55 joints")
    stored = arrays["shapedirs"].shape[-1]
    shapes = NUM_SHAPE_COMPONENTS if stored >= NUM_SHAPE_COMPONENTS else min(stored, _SHORT_SHAPE_COMPONENTS)
    if not 1 <= num_betas <= shapes:
        raise InputError(
            f"{path}: shapedirs", f"{shapes} shape components", f"at least the {num_betas} asked for"
        )
