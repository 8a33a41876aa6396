"""Loading a body: the open one that ships with the package, or a user's licensed SMPL-X file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from odah.body.body_model import BodyModel, BodyPose
from odah.body.files import NUM_JOINTS, Shape, read_arrays, unpack_groups, unpack_posedirs
from odah.body.shape.statistics import ShapeStatistics, check_gender
from odah.body.smplx_file import read_smplx
from odah.errors import InputError

__all__ = ["OPEN_BODY_FILE", "BodyModel", "BodyPose", "load_body"]

OPEN_BODY_FILE = Path(__file__).parent / "data" / "open_body.npz"

_OPEN_BODY_ARRAYS: dict[str, Shape] = {
    "v_template": (None, 3),
    "shapedirs": (None, 3, None),
    "joint_template": (NUM_JOINTS, 3),
    "joint_shapedirs": (NUM_JOINTS, 3, None),
    "lbs_weights": (None, NUM_JOINTS),
    "posedirs_pairs": (None, 2),
    "posedirs_blocks": (None, 3, 9),
    "faces": (None, 3),
    "uv": (None, 2),
    "uv_faces": (None, 3),
    "group_names": (None,),
    "group_masks": (None, None),
    "mirror": (None,),
    "hand_mean": (30, 3),
    "beta_means": (3, None),
    "beta_covariances": (3, None, None),
    "attribute_map": (None, None),
}


def load_body(
    path: str | Path | None = None,
    gender: str = "neutral",
    num_betas: int = 16,
    dtype: torch.dtype = torch.float32,
) -> BodyModel:
    """A body model.

    `path` None: the open body, one shape space of 16 betas for all; zero betas are the average adult,
    and `gender` is the default of `sample_betas` and `betas_from_attributes`. `path` a file
    `SMPLX_<GENDER>.npz`, or a folder that holds such files: SMPL-X with its first `num_betas` shape
    components. Hands are flat at zero pose (`hand_mean` relaxes them). `with_bone_lengths` of
    `odah.body.shape.bone_lengths` adds the betas that let a body follow a scaled skeleton.

    Raises:
        InputError: no such file, not a body file, a damaged one, or an unknown gender.
    """
    check_gender(gender)
    if path is None:
        return read_open_body(OPEN_BODY_FILE, gender).to(dtype=dtype)
    path = Path(path)
    if path.is_dir():
        path = _smplx_file_in(path, gender)
    elif path.suffix != ".npz":
        raise InputError(path, f"a '{path.suffix}' file", "SMPLX_<GENDER>.npz (the .npz kind, not .pkl)")
    return read_smplx(path, gender, num_betas).to(dtype=dtype)


def read_open_body(path: str | Path, gender: str = "neutral") -> BodyModel:
    """The open body from a file that `python -m odah.body.build` wrote.

    Raises:
        InputError: see `read_arrays`.
    """
    arrays = read_arrays(path, _OPEN_BODY_ARRAYS, "an open body written by `python -m odah.body.build`")
    num_vertices = len(arrays["v_template"])

    def tensor(name: str) -> torch.Tensor:
        return torch.as_tensor(arrays[name].astype(np.float32))

    posedirs = unpack_posedirs(arrays["posedirs_pairs"], arrays["posedirs_blocks"], num_vertices)
    return BodyModel(
        name="open",
        gender=gender,
        v_template=tensor("v_template"),
        shapedirs=tensor("shapedirs"),
        joint_template=tensor("joint_template"),
        joint_shapedirs=tensor("joint_shapedirs"),
        lbs_weights=tensor("lbs_weights"),
        posedirs=torch.as_tensor(posedirs),
        faces=arrays["faces"].astype(np.int64),
        hand_mean=arrays["hand_mean"],
        uv=arrays["uv"],
        uv_faces=arrays["uv_faces"].astype(np.int64),
        groups=unpack_groups(arrays["group_names"].tolist(), arrays["group_masks"], num_vertices),
        mirror=arrays["mirror"].astype(np.int64),
        statistics=ShapeStatistics(arrays["beta_means"], arrays["beta_covariances"], arrays["attribute_map"]),
    )


def _smplx_file_in(folder: Path, gender: str) -> Path:
    for candidate in (folder, folder / "smplx"):
        if (candidate / f"SMPLX_{gender.upper()}.npz").is_file():
            return candidate / f"SMPLX_{gender.upper()}.npz"
    others = sorted(path.name for path in folder.iterdir() if path.suffix in (".npz", ".pkl"))
    found = f"no SMPLX_{gender.upper()}.npz" + (f" but {others[0]}" if others else "")
    raise InputError(folder, found, "a folder with SMPL-X's .npz files")
