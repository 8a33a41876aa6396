"""Which joint of a foreign skeleton is the left knee: anatomical roles from joint names and the tree."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from odah.errors import InputError
from odah.names import SIDES

# Stem of the joint's name in each naming family, without its side; several stems: the first found counts.
# An Acclaim "wrist" is the twisting lower third of the forearm: the wrist joint is where "hand" starts.
_FAMILIES: dict[str, dict[str, tuple[str, ...]]] = {
    "Acclaim (lfemur)": {
        "hip": ("femur",), "knee": ("tibia",), "ankle": ("foot",), "foot": ("toes",), "collar": ("clavicle",),
        "shoulder": ("humerus",), "elbow": ("radius",), "wrist": ("hand",), "hand": ("hand",),
    },
    "MotionBuilder (LeftUpLeg)": {
        "hip": ("upleg", "upperleg"), "knee": ("leg",), "ankle": ("foot",), "foot": ("toebase", "toe"),
        "collar": ("shoulder",), "shoulder": ("arm",), "elbow": ("forearm",), "wrist": ("hand",),
        "hand": ("fingerbase", "hand"),
    },
    "3ds Max (LeftHip)": {
        "hip": ("hip",), "knee": ("knee",), "ankle": ("ankle",), "foot": ("toe", "foot"),
        "collar": ("collar",), "shoulder": ("shoulder",), "elbow": ("elbow",), "wrist": ("wrist",),
        "hand": ("hand", "wrist"),
    },
    "Biped (Bip01 L Thigh)": {
        "hip": ("thigh",), "knee": ("calf",), "ankle": ("foot",), "foot": ("toe0", "toe"),
        "collar": ("clavicle",), "shoulder": ("upperarm",), "elbow": ("forearm",), "wrist": ("hand",),
        "hand": ("hand",),
    },
}  # fmt: skip
_OPTIONAL = frozenset({"foot", "collar"})


@dataclass(frozen=True)
class Roles:
    """Joint indices by anatomical role.

    limbs: `left_hip`, `right_knee`, ...: hip, knee, ankle, shoulder, elbow, wrist and hand of both sides;
        foot (base of the toes) and collar where the skeleton has them.
    spine, neck: joints from above the pelvis to the chest, and from there to below the head.
    """

    pelvis: int
    spine: tuple[int, ...]
    neck: tuple[int, ...]
    head: int
    limbs: dict[str, int]


def _plain(name: str) -> str:
    """`mixamorig:LeftUpLeg`, `left_up-leg` -> `leftupleg`; `Bip01 L Thigh` -> `lthigh`."""
    return re.sub(r"^bip[0-9]+|[\s_.\-]", "", name.rsplit(":", 1)[-1].lower())


def _sided(side: str, stem: str) -> tuple[str, ...]:
    return side + stem, side[0] + stem, stem + side, stem + side[0]


def _limbs_of_family(index: dict[str, int], family: dict[str, tuple[str, ...]]) -> dict[str, int]:
    limbs = {}
    for side in SIDES:
        for role, stems in family.items():
            names = (name for stem in stems for name in _sided(side, stem))
            found = next((name for name in names if name in index), None)
            if found is not None:
                limbs[f"{side}_{role}"] = index[found]
    return limbs


def _path_from_root(joint: int, parents: Sequence[int]) -> list[int]:
    path = [joint]
    while parents[path[-1]] >= 0:
        path.append(parents[path[-1]])
    return path[::-1]


def _shared_prefix(*paths: list[int]) -> list[int]:
    shared = []
    for joints in zip(*paths, strict=False):
        if len(set(joints)) > 1:
            break
        shared.append(joints[0])
    return shared


def find_roles(names: Sequence[str], parents: Sequence[int], where: object) -> Roles:
    """The anatomical roles of a human skeleton's joints, whichever of the known families names them.

    Raises:
        InputError: a needed joint is missing in every family; names the family that came closest.
    """
    index = {_plain(name): i for i, name in reversed(list(enumerate(names)))}
    candidates = {family: _limbs_of_family(index, stems) for family, stems in _FAMILIES.items()}
    family, limbs = max(candidates.items(), key=lambda item: len(item[1]))
    needed = [f"{side}_{role}" for side in SIDES for role in _FAMILIES[family] if role not in _OPTIONAL]
    missing = [role for role in needed if role not in limbs] + ([] if "head" in index else ["head"])
    if missing:
        found = ", ".join(names[:6])
        raise InputError(
            f"{where}, joint names", f"no {missing[0]} among {found}, ...", f"a person as in {family}"
        )
    head = _path_from_root(index["head"], parents)
    pelvis_path = _shared_prefix(head, *(_path_from_root(limbs[f"{s}_hip"], parents) for s in SIDES))
    chest_path = _shared_prefix(head, *(_path_from_root(limbs[f"{s}_shoulder"], parents) for s in SIDES))
    if not len(pelvis_path) < len(chest_path) < len(head):
        raise InputError(f"{where}, joint tree", "a head or legs that do not branch off a spine", "a person")
    return Roles(
        pelvis=pelvis_path[-1],
        spine=tuple(chest_path[len(pelvis_path) :]),
        neck=tuple(head[len(chest_path) : -1]),
        head=head[-1],
        limbs=limbs,
    )
