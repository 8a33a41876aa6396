"""Where the cameras stand as the filmed person sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class CameraUse:
    """One camera of a clip, at some of its frames.

    azimuth: rad, 0 before the person, positive to the person's left. distance: m along the floor, from the
    hips' middle. height: m above the floor. mm_per_px: at the depth of the hips, full picture.
    """

    view: str
    azimuth: Float[np.ndarray, " S"]
    distance: Float[np.ndarray, " S"]
    height: float
    mm_per_px: Float[np.ndarray, " S"]


def camera_uses(
    labels: Mapping[str, np.ndarray], joint_names: Sequence[str], views: Sequence[str], frames: np.ndarray
) -> tuple[CameraUse, ...]:
    """Each view's place relative to the person at `frames`; labels as in `labels.npz`."""
    T_world_ground = labels["T_world_ground"].astype(float)
    joints = labels["joints"][frames].astype(float) @ T_world_ground[:3, :3].T + T_world_ground[:3, 3]
    right, left = (joints[:, joint_names.index(name)] for name in ("hip_r", "hip_l"))
    hips, across = (right + left) / 2, right - left
    heading = np.arctan2(across[:, 0], -across[:, 1])  # up x rightward
    return tuple(
        _use(view, labels["T_cam_world"][v].astype(float), labels["K"][v], hips, heading)
        for v, view in enumerate(views)
    )


def _use(
    view: str, T_cam_world: np.ndarray, K: np.ndarray, hips: np.ndarray, heading: np.ndarray
) -> CameraUse:
    R, t = T_cam_world[:3, :3], T_cam_world[:3, 3]
    camera = -R.T @ t
    offset = camera - hips
    azimuth = np.arctan2(offset[:, 1], offset[:, 0]) - heading
    depth = hips @ R[2] + t[2]
    return CameraUse(
        view=view,
        azimuth=(azimuth + np.pi) % (2 * np.pi) - np.pi,
        distance=np.linalg.norm(offset[:, :2], axis=1),
        height=float(camera[2]),
        mm_per_px=1e3 * depth / float(K[0, 0]),
    )
