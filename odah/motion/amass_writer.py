"""Motions as AMASS `.npz` archives with the 165 columns of SMPL-X, for the tools that read those.

Format: Mahmood et al. 2019 and the tables of https://amass.is.tue.mpg.de (see `odah.motion.amass`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from odah.errors import InputError
from odah.files import atomic_path
from odah.motion.skeleton import check_rate
from odah.motion.types import Motion
from odah.names import SMPLX_JOINTS

_NUM_BETAS = 16  # as many as AMASS gives every subject


def write_amass(path: str | Path, motion: Motion, further: Mapping[str, np.ndarray] | None = None) -> None:
    """Write `motion` so that `read_amass` gives the same poses, `transl`, rate, gender and betas.

    Columns of `poses`, rad: root_orient 3, body 63, jaw 3, eyes 6, hands 90, without mean hand pose. `trans`
    in m, world Z-up. Unknown betas are written as zeros, the mean shape. `leg_length` has no place in the
    format. further: entries beside these, or in their place. The file is written whole or not at all.

    Raises:
        InputError: not an `.npz` path, or arrays of the wrong shape or not finite.
    """
    path = Path(path)
    if path.suffix.lower() != ".npz":
        raise InputError(path, f"file type {path.suffix or '(none)'!r}", ".npz")
    check_rate(motion.rate, path)
    num_frames = motion.num_frames
    poses = _finite(f"{path}, poses", motion.poses, (num_frames, len(SMPLX_JOINTS), 3))
    betas = np.zeros(_NUM_BETAS) if motion.betas is None else motion.betas
    entries = {
        "poses": poses.reshape(num_frames, -1),
        "trans": _finite(f"{path}, trans", motion.transl, (num_frames, 3)),
        "betas": _finite(f"{path}, betas", betas, (betas.size,)),
        "gender": np.array(motion.gender),
        "mocap_frame_rate": np.float64(motion.rate),
        "mocap_time_length": np.float64(num_frames / motion.rate),
        "surface_model_type": np.array("smplx"),
        **(further or {}),
    }
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **entries)


def _finite(where: str, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if values.shape != shape or values.size == 0:
        raise InputError(where, f"shape {values.shape}", f"{shape}, at least one")
    if not np.isfinite(values).all():
        raise InputError(where, "values that are NaN or infinite", "finite numbers")
    return values
