"""Parts of the body in a picture, and which joints they leave visible."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from odah.errors import InputError
from odah.names import SIDES, SMPLX_JOINTS, side_of

_LIMB_SEGMENTS = ("upper_arm", "forearm", "hand", "thigh", "shank", "foot")

BODY_PARTS: tuple[str, ...] = (
    "background",
    "pelvis",
    "abdomen",
    "thorax",
    "neck",
    "head",
    *(f"{side}_{segment}" for side in SIDES for segment in _LIMB_SEGMENTS),
    "other",
)
"""Names of the part numbers; "other" is worn or carried and belongs to no part."""

PART_NUMBER: dict[str, int] = {name: number for number, name in enumerate(BODY_PARTS)}

OUTSIDE = 255
"""Stands for a part where a point is outside the picture."""

OCCLUDED = 254
"""Stands for a part where something of the room is in front of the person."""

_SEGMENT_OF_JOINT: dict[str, str] = {
    "pelvis": "pelvis", "spine1": "abdomen", "spine2": "thorax", "spine3": "thorax", "collar": "thorax",
    "neck": "neck", "head": "head", "jaw": "head", "eye": "head",
    "shoulder": "upper_arm", "elbow": "forearm", "wrist": "hand",
    "hip": "thigh", "knee": "shank", "ankle": "foot", "foot": "foot",
}  # fmt: skip
"""What moves with an SMPL-X joint, sides left out; fingers are not listed and belong to the hand."""


def _part_of(joint: str) -> int:
    side = side_of(joint)
    segment = _SEGMENT_OF_JOINT.get(joint.removeprefix(f"{side}_"), "hand")
    return PART_NUMBER[f"{side}_{segment}" if segment in _LIMB_SEGMENTS else segment]


part_of_joint: np.ndarray = np.array([_part_of(joint) for joint in SMPLX_JOINTS], dtype=np.uint8)
"""(55,) part that moves with each SMPL-X joint, by `MeshLayer.owners`."""
part_of_joint.setflags(write=False)

_PARTS_AT: dict[str, tuple[str, ...]] = {
    "ground_pelvis": ("pelvis", "abdomen", "left_thigh", "right_thigh"),
    "back": ("pelvis", "abdomen"),
    "hip": ("pelvis", "thigh"),
    "walker_knee": ("thigh", "shank"),
    "patellofemoral": ("thigh", "shank"),
    "ankle": ("shank", "foot"),
    "subtalar": ("shank", "foot"),
    "mtp": ("foot",),
    "acromial": ("upper_arm",),  # before the thorax the far shoulder would count as well
    "elbow": ("upper_arm", "forearm"),
    "radioulnar": ("upper_arm", "forearm"),
    "radius_hand": ("forearm", "hand"),
}
"""The segments that meet at a joint, sides left out: bone is never seen, only what is around it."""


def parts_at_joints(joint_names: Sequence[str]) -> dict[str, frozenset[int]]:
    """Parts that may be nearest to the camera where a joint of that name is visible: its own side's.

    Raises:
        InputError: a joint that the full-body model does not have.
    """
    return {name: _parts_at(name) for name in joint_names}


def _parts_at(joint: str) -> frozenset[int]:
    side = side_of(joint)
    name = joint if side == "middle" else joint[:-2]
    if name not in _PARTS_AT:
        raise InputError("joint names", repr(joint), "joints of the full-body model")
    sided = [f"{side}_{part}" if part in _LIMB_SEGMENTS else part for part in _PARTS_AT[name]]
    return frozenset(PART_NUMBER[part] for part in sided)


def part_under(parts: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
    """(J,) uint8 number in a picture of parts (H, W) at each keypoint (J, 2), px; `OUTSIDE` the picture."""
    height, width = parts.shape
    column, row = np.rint(np.nan_to_num(keypoints, nan=-1.0)).clip(-1, max(parts.shape)).astype(int).T
    is_inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    return np.where(is_inside, parts[row.clip(0, height - 1), column.clip(0, width - 1)], OUTSIDE)


def joint_visibility(part_at: np.ndarray, joint_names: Sequence[str]) -> np.ndarray:
    """(T, J) bool from the part under each joint (T, J): which joints are in the picture with nothing but
    the flesh and clothes around them in front.

    Raises:
        InputError: a joint that the full-body model does not have.
    """
    may_show = np.zeros((len(joint_names), 256), dtype=bool)
    for row, parts in zip(may_show, parts_at_joints(joint_names).values(), strict=True):
        row[list(parts)] = True
    return may_show[np.arange(len(joint_names)), part_at]


_MIDDLE_COLORS = ((0, 0, 0), (148, 103, 189), (188, 189, 34), (140, 86, 75), (247, 182, 210), (255, 221, 120))
_LEFT_COLORS = ((165, 15, 21), (239, 59, 44), (252, 146, 114), (191, 84, 0), (241, 127, 24), (253, 190, 110))
_RIGHT_COLORS = ((8, 48, 107), (33, 113, 181), (107, 174, 214), (0, 90, 70), (35, 160, 110), (140, 215, 180))
_PALETTE = np.zeros((256, 3), dtype=np.uint8)
_PALETTE[: len(BODY_PARTS)] = [*_MIDDLE_COLORS, *_LEFT_COLORS, *_RIGHT_COLORS, (160, 160, 160)]
_PALETTE[OCCLUDED] = (64, 64, 64)


def part_colors(parts: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 sRGB of part numbers (H, W): left limbs warm, right ones cold, background black, the
    person behind something dark."""
    return _PALETTE[parts]
