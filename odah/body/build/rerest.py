"""From MakeHuman's A-pose to SMPL-X's T-pose: palms down, arms along +-X, legs slightly apart.

Each limb segment's frame (bone direction, flexion axis) is turned onto a fixed target frame, shape
by shape, and the vertices follow by forward skinning; inverting the skinning instead leaves folds
of skin between arm and flank.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from odah.body.lbs import place_joints, skin
from odah.names import FINGERS, SIDES, SMPLX_INDEX, SMPLX_PARENTS

PELVIS = np.array([0.0, -0.35, 0.01])
"""Where every shape's pelvis joint is put, m: about where SMPL-X has it."""

_COLLAR_RAISE_DEG = 15.0
_SPREAD_DEG = {"index": 6.0, "middle": 0.0, "ring": -6.0, "pinky": -14.0}


def _direction(*tangents: float) -> np.ndarray:
    return np.array(tangents) / np.linalg.norm(tangents)


def _tan(degrees: float) -> float:
    return float(np.tan(np.deg2rad(degrees)))


# Directions of the left side (x towards the left, y up, z forward); the right side mirrors x.
_THIGH = _direction(_tan(5), -1, -_tan(1))
_SHANK = _direction(-_tan(2), -1, -_tan(6))
_UPPER_ARM = _direction(1, -_tan(3), -_tan(5))
_FOREARM = _direction(1, _tan(3), -_tan(2))
_HAND = _direction(1, 0, 0)


def _frames(direction: np.ndarray, hint: np.ndarray) -> np.ndarray:
    """Rotations (*B, 3, 3) whose first column is `direction` and whose second is nearest to `hint`."""
    direction, hint = np.broadcast_arrays(direction, hint)
    x = direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    y = hint - (hint * x).sum(-1, keepdims=True) * x
    y = y / np.linalg.norm(y, axis=-1, keepdims=True)
    return np.stack([x, y, np.cross(x, y)], -1)


def _turn(start: np.ndarray, start_hint: np.ndarray, end: np.ndarray, end_hint: np.ndarray) -> np.ndarray:
    """Rotations taking frame (start, start_hint) to frame (end, end_hint)."""
    return _frames(end, end_hint) @ np.swapaxes(_frames(start, start_hint), -1, -2)


def _smallest_turn(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Smallest rotations taking directions `start` to `end` (neither opposite nor zero)."""
    end = np.broadcast_to(end, start.shape)
    axis = np.cross(start, end)
    lengths = np.linalg.norm(axis, axis=-1, keepdims=True)
    is_along_x = np.abs(start[..., :1]) > 0.9 * np.linalg.norm(start, axis=-1, keepdims=True)
    any_normal = np.cross(start, np.where(is_along_x, [0, 1.0, 0], [1.0, 0, 0]))
    axis = np.where(lengths > 1e-12, axis, any_normal)
    return _turn(start, axis, end, axis)


def t_pose_rotmats(joints: np.ndarray) -> np.ndarray:
    """Global rotations (P, 55, 3, 3) that take A-pose skeletons (P, 55, 3) to the T-pose."""
    rotmats = np.tile(np.eye(3), (len(joints), 55, 1, 1))
    for side, sign in zip(SIDES, (1.0, -1.0), strict=True):
        _turn_leg(rotmats, joints, side, np.array([sign, 1, 1]))
        _turn_arm(rotmats, joints, side, np.array([sign, 1, 1]))
        _turn_hand(rotmats, joints, side, sign)
    return rotmats


def _bone(joints: np.ndarray, side: str, start: str, end: str) -> np.ndarray:
    return joints[:, SMPLX_INDEX[f"{side}_{end}"]] - joints[:, SMPLX_INDEX[f"{side}_{start}"]]


def _turn_leg(rotmats: np.ndarray, joints: np.ndarray, side: str, mirror: np.ndarray) -> None:
    """Thigh and shank; ankle and toes stay as they are, so that the sole stays flat."""
    rotmats[:, SMPLX_INDEX[f"{side}_hip"]] = _smallest_turn(
        _bone(joints, side, "hip", "knee"), _THIGH * mirror
    )
    rotmats[:, SMPLX_INDEX[f"{side}_knee"]] = _smallest_turn(
        _bone(joints, side, "knee", "ankle"), _SHANK * mirror
    )


def _turn_arm(rotmats: np.ndarray, joints: np.ndarray, side: str, mirror: np.ndarray) -> None:
    """Collar, upper arm and forearm; the elbow's flexion axis becomes vertical (flexion is forward)."""
    angle = np.deg2rad(_COLLAR_RAISE_DEG) * mirror[0]
    rotmats[:, SMPLX_INDEX[f"{side}_collar"]] = [
        [np.cos(angle), -np.sin(angle), 0],
        [np.sin(angle), np.cos(angle), 0],
        [0, 0, 1],
    ]
    upper, fore = _bone(joints, side, "shoulder", "elbow"), _bone(joints, side, "elbow", "wrist")
    flexion = np.cross(upper, fore)
    upright = np.array([0, -mirror[0], 0])
    rotmats[:, SMPLX_INDEX[f"{side}_shoulder"]] = _turn(upper, flexion, _UPPER_ARM * mirror, upright)
    rotmats[:, SMPLX_INDEX[f"{side}_elbow"]] = _turn(fore, flexion, _FOREARM * mirror, upright)


def _turn_hand(rotmats: np.ndarray, joints: np.ndarray, side: str, sign: float) -> None:
    """Palm down, the four fingers straight and slightly spread; the thumb keeps its shape."""
    index = {f: SMPLX_INDEX[f"{side}_{f}1"] for f in FINGERS}
    across = joints[:, index["index"]] - joints[:, index["pinky"]]
    along = joints[:, index["middle"]] - joints[:, SMPLX_INDEX[f"{side}_wrist"]]
    hand = _turn(along, across, _HAND * [sign, 1, 1], np.array([0, 0, 1.0]))
    rotmats[:, SMPLX_INDEX[f"{side}_wrist"]] = hand
    rotmats[:, index["thumb"] : index["thumb"] + 3] = hand[:, None]
    for finger, spread in _SPREAD_DEG.items():
        target = np.array([sign * np.cos(np.deg2rad(spread)), 0, np.sin(np.deg2rad(spread))])
        for joint in range(index[finger], index[finger] + 3):
            start = min(joint, index[finger] + 1)
            bone = (hand @ (joints[:, start + 1] - joints[:, start])[..., None])[..., 0]
            rotmats[:, joint] = _smallest_turn(bone, target) @ hand


def relaxed_hands(joints: np.ndarray) -> np.ndarray:
    """Finger rotations (30, 3), left hand first, rad, from flat hands to those of A-pose joints (55, 3)."""
    to_flat = t_pose_rotmats(joints[None])[0]
    fingers = np.arange(SMPLX_INDEX["left_index1"], len(SMPLX_PARENTS))
    parents = np.array(SMPLX_PARENTS)[fingers]
    return Rotation.from_matrix(to_flat[parents] @ np.swapaxes(to_flat[fingers], -1, -2)).as_rotvec()


def to_t_pose(
    vertices: np.ndarray, joints: np.ndarray, weights: np.ndarray, chunk: int = 32
) -> tuple[np.ndarray, np.ndarray]:
    """T-pose vertices (P, N, 3) float32 and joints (P, 55, 3), m, pelvis at `PELVIS`."""
    rotmats = torch.as_tensor(t_pose_rotmats(joints))
    rest = torch.as_tensor(joints)
    posed = place_joints(rest, rotmats, SMPLX_PARENTS)
    posed = posed - posed[:, :1] + torch.as_tensor(PELVIS)
    out = np.empty(vertices.shape, np.float32)
    per_joint = torch.as_tensor(weights, dtype=torch.float32)
    for start in range(0, len(vertices), chunk):
        part = slice(start, start + chunk)
        rigid = (x[part].float() for x in (rest, rotmats, posed))
        out[part] = skin(torch.as_tensor(vertices[part]), per_joint, *rigid).numpy()
    return out, posed.numpy()
