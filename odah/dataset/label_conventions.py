"""What labels mean, in words: units, frames, and which way each coordinate is positive."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from odah.names import ROOT_TRANSLATIONS

POSITIVE: dict[str, str] = {
    "pelvis_tilt": "leans backward",
    "pelvis_list": "leans to the right",
    "pelvis_rotation": "turns to the left",
    "pelvis_tx": "forward (ground's X)",
    "pelvis_ty": "up (ground's Y)",
    "pelvis_tz": "to the right (ground's Z)",
    "hip_flexion": "flexion: the thigh goes forward",
    "hip_adduction": "adduction: the thigh goes inward",
    "hip_rotation": "inward rotation",
    "knee_angle": "flexion; 0 is straight",
    "knee_angle_beta": "follows the knee angle and moves the kneecap; no angle of a joint",
    "ankle_angle": "dorsiflexion: the toes go up",
    "subtalar_angle": "inversion: the sole turns inward",
    "mtp_angle": "the toes bend down",
    "lumbar_extension": "extension: the trunk leans backward",
    "lumbar_bending": "to the right",
    "lumbar_rotation": "turns to the left",
    "arm_flex": "flexion: the arm goes forward",
    "arm_add": "adduction: the arm goes towards the trunk",
    "arm_rot": "inward rotation",
    "elbow_flex": "flexion; 0 is straight",
    "pro_sup": "pronation; 0 is palms forward",
    "wrist_flex": "flexion: towards the palm",
    "wrist_dev": "ulnar: towards the little finger",
}
"""By coordinate without its side: signs are the same left and right."""

LABEL_UNITS: dict[str, str] = {
    "time": "s",
    "coordinates": "rad and m, see coordinate_units",
    "scale_factors": "1, of the subject's model against the generic one, along each body's axes",
    "joints": "m, ground",
    "body_coms": "m, ground",
    "markers": "m, ground",
    "T_world_ground": "m, ground to world",
    "K": "px",
    "T_cam_world": "m, world to camera",
    "distortion": "1, OpenCV's k1 k2 p1 p2 k3",
    "K_calibrated": "px",
    "T_cam_world_calibrated": "m, world to camera",
    "crops": "px of the full picture: left, top, side",
    "keypoints": "px of the full picture",
    "part_at_joint": "number of the body part in body_parts; 254 occluded, 255 outside the picture",
    "is_in_picture": "true or false",
    "is_visible": "true or false",
    "betas": "1, shape coefficients of the body, then bone lengths",
    "poses": "rad, rotation vectors of the 55 SMPL-X joints, relative to the parent, the first in world",
    "transl": "m, world",
}
"""Of the arrays in `labels.npz`."""


def coordinate_unit(name: str) -> str:
    """In `labels.npz`; `.mot` files are in degrees where this says rad, but for `knee_angle_*_beta`."""
    return "m" if name in ROOT_TRANSLATIONS else "rad"


@dataclass(frozen=True)
class CoordinateRow:
    """A coordinate, or that of both sides, as people read it. unit: deg or m, of low and high."""

    names: str
    positive: str
    low: float
    high: float
    unit: str


def coordinate_rows(names: Sequence[str], ranges: Sequence[Sequence[float]]) -> list[CoordinateRow]:
    """Right and left together where their ranges are the same. ranges: of each name, rad or m."""
    rows: dict[tuple[str, float, float], CoordinateRow] = {}
    for name, (low, high) in zip(names, ranges, strict=True):
        stem = _without_side(name)
        unit = "m" if coordinate_unit(name) == "m" else "deg"
        scale = 1.0 if unit == "m" else math.degrees(1.0)
        key = (stem, round(low, 9), round(high, 9))
        told = f"{rows[key].names}, {name}" if key in rows else name
        rows[key] = CoordinateRow(told, POSITIVE.get(stem, "see the model"), low * scale, high * scale, unit)
    return list(rows.values())


def _without_side(name: str) -> str:
    """`knee_angle_beta` of `knee_angle_r_beta`."""
    for side in ("_r", "_l"):
        name = name.removesuffix(side).replace(f"{side}_", "_")
    return name


def described_labels(coordinate_names: Sequence[str]) -> dict[str, Any]:
    """What `dataset.json` says of the labels beside their names."""
    return {
        "coordinate_units": [coordinate_unit(name) for name in coordinate_names],
        "label_units": LABEL_UNITS,
        "licences": "by clip: motion_licence, body_licence and texture_licence in index.parquet",
    }
