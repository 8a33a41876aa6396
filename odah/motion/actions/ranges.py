"""How far each joint coordinate may go: the ranges of the full-body model, in degrees."""

from __future__ import annotations

import numpy as np

from odah.names import OPENSIM_COORDINATES, ROOT_TRANSLATIONS

_BOTH_SIDES_DEG: dict[str, tuple[float, float]] = {
    "hip_flexion": (-30.0, 120.0),
    "hip_adduction": (-50.0, 30.0),
    "hip_rotation": (-40.0, 40.0),
    "knee_angle": (0.0, 120.0),
    "ankle_angle": (-50.0, 50.0),
    "subtalar_angle": (-35.0, 35.0),
    "mtp_angle": (-45.0, 30.0),
    "arm_flex": (-90.0, 90.0),
    "arm_add": (-120.0, 90.0),
    "arm_rot": (-90.0, 90.0),
    "elbow_flex": (0.0, 150.0),
    "pro_sup": (0.0, 119.7),
    "wrist_flex": (-70.0, 70.0),
    "wrist_dev": (-25.0, 35.0),
}
_MIDLINE = (
    "pelvis_tilt", "pelvis_list", "pelvis_rotation", "lumbar_extension", "lumbar_bending", "lumbar_rotation",
)  # fmt: skip

JOINT_ANGLE_RANGES_DEG: dict[str, tuple[float, float]] = {
    **dict.fromkeys(_MIDLINE, (-90.0, 90.0)),
    **{f"{name}_{side}": limits for name, limits in _BOTH_SIDES_DEG.items() for side in "rl"},
}
"""Degrees, for every rotational coordinate but `knee_angle_*_beta` (which equals the knee angle).

Ranges of the model behind the ODAH data set: Rajagopal et al. 2016, with the wider foot and forearm
ranges of Lai et al. 2017.
"""

ROOT_RANGE: dict[str, tuple[float, float]] = {
    "pelvis_tx": (-5.0, 5.0),
    "pelvis_ty": (-1.0, 2.0),
    "pelvis_tz": (-3.0, 3.0),
}
"""Metres (Rajagopal et al. 2016)."""

MARGIN = np.radians(1.0)
"""Built-in actions keep at least this far from every bound, rad."""

COLUMN: dict[str, int] = {name: i for i, name in enumerate(OPENSIM_COORDINATES)}


def _limits_of(name: str) -> tuple[float, float]:
    if name in ROOT_TRANSLATIONS:
        return ROOT_RANGE[name]
    low, high = np.radians(JOINT_ANGLE_RANGES_DEG[name.removesuffix("_beta")])
    return float(low + MARGIN), float(high - MARGIN)


def coordinate_limits() -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest value of the 39 coordinates, (C,) each, rad (margin taken off) and m."""
    low, high = zip(*(_limits_of(name) for name in OPENSIM_COORDINATES), strict=True)
    return np.array(low), np.array(high)


def press_inside(values: np.ndarray, low: np.ndarray, high: np.ndarray, knee: float = 0.05) -> np.ndarray:
    """Bring values inside [low, high], bending smoothly over the last `knee` radians."""
    room = np.minimum(knee, (high - low) / 4)

    def soften(distance: np.ndarray) -> np.ndarray:
        # Distance to the bound: kept beyond `room`, and squeezed to stay above 0 below it.
        return np.where(distance > room, distance, room * np.exp(np.minimum(distance / room - 1.0, 0.0)))

    values = low + soften(values - low)
    # Rounding may leave the last digit outside.
    return np.clip(high - soften(high - values), low, high)
