"""Knees and elbows of the body itself against human limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from odah.body.checks.thresholds import HINGE_LIMITS
from odah.names import SIDES, SMPLX_INDEX

# Flexion axes in the T-pose (Y up, left = +X): the shank goes back, forearms (palms down) go forward.
_FLEXION_AXES = {
    "left_knee": (1.0, 0.0, 0.0),
    "right_knee": (1.0, 0.0, 0.0),
    "left_elbow": (0.0, -1.0, 0.0),
    "right_elbow": (0.0, 1.0, 0.0),
}


@dataclass(frozen=True)
class HingeUse:
    """Flexion of one joint over a clip, degrees from the T-pose; outside: share of frames beyond limits."""

    joint: str
    minimum_deg: float
    maximum_deg: float
    outside: float


def flexion(joint: str, rotvecs: Float[np.ndarray, "T 3"]) -> Float[np.ndarray, " T"]:
    """Turn of a knee or elbow about its hinge, rad: the twist of swing and twist."""
    unitquats = Rotation.from_rotvec(rotvecs).as_quat()  # x y z w
    angle = 2 * np.arctan2(unitquats[:, :3] @ _FLEXION_AXES[joint], unitquats[:, 3])
    return (angle + np.pi) % (2 * np.pi) - np.pi


def hinge_uses(poses: Float[np.ndarray, "T 55 3"]) -> tuple[HingeUse, ...]:
    """Both knees and both elbows; poses in rad."""
    uses = []
    for name, (low, high) in HINGE_LIMITS.items():
        for joint in (f"{side}_{name}" for side in SIDES):
            angle = flexion(joint, poses[:, SMPLX_INDEX[joint]])
            lowest, highest = np.rad2deg([angle.min(), angle.max()]).tolist()
            uses.append(HingeUse(joint, lowest, highest, float(((angle < low) | (angle > high)).mean())))
    return tuple(uses)
