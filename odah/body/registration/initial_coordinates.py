"""Coordinates of the full-body model to start a fit from: the T-pose, or given orientations of bodies."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from odah.osim.model import Model

_T_POSE_DEG = {"arm_add_r": -88, "arm_add_l": -88, "pro_sup_r": 70, "pro_sup_l": 70}
_ROOT = ("pelvis_tilt", "pelvis_list", "pelvis_rotation")
_BALL_JOINTS = (
    ("pelvis", "femur_{}", ("hip_flexion_{}", "hip_adduction_{}", "hip_rotation_{}")),
    ("torso", "humerus_{}", ("arm_flex_{}", "arm_add_{}", "arm_rot_{}")),
)
_HINGES = (("femur_{}", "tibia_{}", "knee_angle_{}"), ("humerus_{}", "radius_{}", "elbow_flex_{}"))


def _put(coordinates: np.ndarray, model: Model, names: tuple[str, ...], values: np.ndarray) -> None:
    coordinates[:, [model.coordinate_names.index(name) for name in names]] = values


def t_pose_coordinates(model: Model, markers: np.ndarray, turn: Rotation) -> np.ndarray:
    """(F, C) T-pose with palms down, the pelvis turned by `turn` and at the mean of its markers (F, M, 3)."""
    coordinates = np.tile(model.default_coordinates, (len(markers), 1))
    for name, degrees in _T_POSE_DEG.items():
        _put(coordinates, model, (name,), np.array(np.deg2rad(degrees)))
    _put(coordinates, model, _ROOT, turn.as_euler("ZXY"))
    pelvis = [k for k, marker in enumerate(model.markers) if marker.body == "pelvis"]
    _put(coordinates, model, ("pelvis_tx", "pelvis_ty", "pelvis_tz"), markers[:, pelvis].mean(1))
    return coordinates


def coordinates_of_orientations(
    model: Model, markers: np.ndarray, orientations: dict[str, np.ndarray]
) -> np.ndarray:
    """(F, C) whose bodies turn about as `orientations` (F, 3, 3) by body; the pelvis at its markers.

    Pelvis, hips, lumbar joint and shoulders turn about z, x, y in this order, on the left about -x, -y.
    Knees and elbows bend by the angle between their bodies' long axes (y).
    """
    turns = {body: Rotation.from_matrix(rotmats) for body, rotmats in orientations.items()}

    def relative(parent: str, child: str) -> Rotation:
        return turns[parent].inv() * turns[child]

    coordinates = t_pose_coordinates(model, markers, turns["pelvis"])
    lumbar = relative("pelvis", "torso").as_euler("ZXY")
    _put(coordinates, model, ("lumbar_extension", "lumbar_bending", "lumbar_rotation"), lumbar)
    for side, signs in (("r", [1, 1, 1]), ("l", [1, -1, -1])):
        for parent, child, names in _BALL_JOINTS:
            angles = relative(parent, child.format(side)).as_euler("ZXY") * signs
            _put(coordinates, model, tuple(name.format(side) for name in names), angles)
        for parent, child, name in _HINGES:
            lengthwise = relative(parent.format(side), child.format(side)).as_matrix()[:, 1, 1]
            bend = np.arccos(lengthwise.clip(-1, 1))
            _put(coordinates, model, (name.format(side),), bend[:, None])
    return coordinates
