"""The field's names in one place, and the only translations between its vocabularies.

SMPL-X joint order and kinematic tree: Pavlakos et al. 2019. OpenSim body, joint and coordinate
names: Rajagopal et al. 2016.
"""

from __future__ import annotations

import re

SIDES = ("left", "right")
FINGERS = ("index", "middle", "pinky", "ring", "thumb")

SMPLX_BODY_JOINTS: tuple[str, ...] = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2",
    "left_ankle", "right_ankle", "spine3", "left_foot", "right_foot", "neck",
    "left_collar", "right_collar", "head", "left_shoulder", "right_shoulder",
    "left_elbow", "right_elbow", "left_wrist", "right_wrist",
)  # fmt: skip
SMPLX_JOINTS: tuple[str, ...] = (
    *SMPLX_BODY_JOINTS,
    "jaw",
    "left_eye",
    "right_eye",
    *(f"{side}_{finger}{k}" for side in SIDES for finger in FINGERS for k in (1, 2, 3)),
)

_BODY_PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19)
_LEFT_WRIST, _RIGHT_WRIST, _HEAD = 20, 21, 15


def _finger_parents(wrist: int, first: int) -> list[int]:
    return [wrist if k == 0 else first + 3 * finger + k - 1 for finger in range(5) for k in range(3)]


SMPLX_PARENTS: tuple[int, ...] = (
    *_BODY_PARENTS,
    *(_HEAD,) * 3,
    *_finger_parents(_LEFT_WRIST, 25),
    *_finger_parents(_RIGHT_WRIST, 40),
)
"""Parent index of each SMPL-X joint; -1 for the root."""

SMPLX_INDEX: dict[str, int] = {name: i for i, name in enumerate(SMPLX_JOINTS)}

OPENSIM_BODIES: tuple[str, ...] = (
    "pelvis", "femur_r", "tibia_r", "patella_r", "talus_r", "calcn_r", "toes_r",
    "femur_l", "tibia_l", "patella_l", "talus_l", "calcn_l", "toes_l", "torso",
    "humerus_r", "ulna_r", "radius_r", "hand_r", "humerus_l", "ulna_l", "radius_l", "hand_l",
)  # fmt: skip

OPENSIM_JOINTS: tuple[str, ...] = (
    "ground_pelvis",
    "hip_r", "walker_knee_r", "patellofemoral_r", "ankle_r", "subtalar_r", "mtp_r",
    "hip_l", "walker_knee_l", "patellofemoral_l", "ankle_l", "subtalar_l", "mtp_l",
    "back",
    "acromial_r", "elbow_r", "radioulnar_r", "radius_hand_r",
    "acromial_l", "elbow_l", "radioulnar_l", "radius_hand_l",
)  # fmt: skip

OPENSIM_COORDINATES: tuple[str, ...] = (
    "pelvis_tilt", "pelvis_list", "pelvis_rotation", "pelvis_tx", "pelvis_ty", "pelvis_tz",
    "hip_flexion_r", "hip_adduction_r", "hip_rotation_r", "knee_angle_r", "knee_angle_r_beta",
    "ankle_angle_r", "subtalar_angle_r", "mtp_angle_r",
    "hip_flexion_l", "hip_adduction_l", "hip_rotation_l", "knee_angle_l", "knee_angle_l_beta",
    "ankle_angle_l", "subtalar_angle_l", "mtp_angle_l",
    "lumbar_extension", "lumbar_bending", "lumbar_rotation",
    "arm_flex_r", "arm_add_r", "arm_rot_r", "elbow_flex_r", "pro_sup_r",
    "wrist_flex_r", "wrist_dev_r",
    "arm_flex_l", "arm_add_l", "arm_rot_l", "elbow_flex_l", "pro_sup_l",
    "wrist_flex_l", "wrist_dev_l",
)  # fmt: skip
"""The 39 coordinates of the full-body model, in OpenSim's order."""

ROOT_TRANSLATIONS: tuple[str, ...] = ("pelvis_tx", "pelvis_ty", "pelvis_tz")

SEGMENTS: dict[str, str] = {
    "pelvis": "pelvis",
    "spine3": "torso",
    **{f"{side}_{joint}": f"{bone}_{side[0]}"
       for side in SIDES
       for joint, bone in (("hip", "femur"), ("knee", "tibia"), ("ankle", "calcn"), ("foot", "toes"),
                           ("shoulder", "humerus"), ("elbow", "radius"), ("wrist", "hand"))},
}  # fmt: skip
"""SMPL-X joints that turn with an OpenSim body, and that body."""

BMLMOVI_ACTIONS: tuple[str, ...] = (
    "running", "jogging", "jumping", "sideways", "scratching_head", "throwing_and_catching",
    "hand_clapping", "walking", "checking_watch", "sit_down", "hand_waving", "crossing_arms",
    "stretching", "kicking", "phone_talking", "taking_photos", "pointing", "vertical_jumping",
    "crawling", "crossing_legs_while_sitting", "freestyle",
)  # fmt: skip
"""The 21 actions of BMLmovi as listed in section 4.1 of the ODAH paper."""

SKELETON_BONES: tuple[tuple[str, str], ...] = (
    ("ground_pelvis", "hip_r"), ("hip_r", "walker_knee_r"), ("walker_knee_r", "ankle_r"),
    ("ankle_r", "subtalar_r"), ("subtalar_r", "mtp_r"),
    ("ground_pelvis", "hip_l"), ("hip_l", "walker_knee_l"), ("walker_knee_l", "ankle_l"),
    ("ankle_l", "subtalar_l"), ("subtalar_l", "mtp_l"),
    ("ground_pelvis", "back"),
    ("back", "acromial_r"), ("acromial_r", "elbow_r"), ("elbow_r", "radioulnar_r"),
    ("radioulnar_r", "radius_hand_r"),
    ("back", "acromial_l"), ("acromial_l", "elbow_l"), ("elbow_l", "radioulnar_l"),
    ("radioulnar_l", "radius_hand_l"),
)  # fmt: skip
"""Pairs of joints between which overlays draw a line."""


def side_of(name: str) -> str:
    """ "left", "right" or "middle" of an OpenSim or SMPL-X name."""
    if name.endswith("_l") or name.startswith("left_"):
        return "left"
    if name.endswith("_r") or name.startswith("right_"):
        return "right"
    return "middle"


_BONE_WORDS: dict[str, tuple[str, ...]] = {
    "pelvis": ("hips",),
    "femur": ("thigh", "upperleg"),
    "tibia": ("shank", "lowerleg", "shin"),
    "talus": (),
    "calcn": ("calcaneus", "foot", "hindfoot", "rearfoot"),
    "toes": ("toe", "forefoot"),
    "torso": ("trunk", "thorax", "chest"),
    "humerus": ("upperarm",),
    "ulna": (),
    "radius": ("forearm", "lowerarm"),
    "hand": (),
}
_BONES = {word: bone for bone, words in _BONE_WORDS.items() for word in (bone, *words)}
_MIDDLE_BONES = ("pelvis", "torso")
_SIDE_WORDS = {"r": "r", "right": "r", "l": "l", "left": "l"}
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def bone_of(name: str) -> str | None:
    """The full-body model's name of a body that another OpenSim model calls `name`; None if it has none.

    `femur_r`, `r_thigh`, `RightUpperLeg` and `thighR` are `femur_r`, `thorax` is `torso`.
    """
    words = [word.lower() for word in _WORD.findall(name)]
    sides = [_SIDE_WORDS[word] for word in words if word in _SIDE_WORDS]
    bone = _BONES.get("".join(word for word in words if word not in _SIDE_WORDS))
    if bone is None or len(sides) != (bone not in _MIDDLE_BONES):
        return None
    return f"{bone}_{sides[0]}" if sides else bone
