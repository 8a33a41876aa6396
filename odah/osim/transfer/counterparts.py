"""Which bodies and joints of another model are the full-body model's."""

from __future__ import annotations

from dataclasses import dataclass

from odah.errors import InputError
from odah.names import bone_of
from odah.osim.model import GROUND, Joint, Model

_NEEDED = ("pelvis", *(f"{bone}_{side}" for side in "rl" for bone in ("femur", "tibia", "calcn")))
_MERGED = {"talus": "calcn", "ulna": "radius"}
"""Bones that simpler models make one with the next: then the near joint is the whole one's."""


@dataclass(frozen=True)
class Counterparts:
    """Names in another model by names in ours.

    bodies: that are the same bone. centres: joints of the other whose centre is that of ours. still: joints
    of ours whose bodies it has, but does not move against each other.
    """

    bodies: dict[str, str]
    centres: dict[str, str]
    still: frozenset[str]

    @classmethod
    def of(cls, model: Model, ours: Model, moving: frozenset[str], where: str) -> Counterparts:
        """Matched by the bodies' names (`odah.names.bone_of`) and by what hangs on what.

        moving: coordinates of the other model that are not zero all the time.

        Raises:
            InputError: pelvis, thighs, shanks or feet are not found, or bones do not hang on the pelvis.
        """
        bodies = _bones(model)
        told = f"{where}: bodies of its model {model.name!r}"
        missing = [name for name in _NEEDED if name not in bodies]
        if missing:
            expected = "a person's model, with pelvis, thighs, shanks and feet named as OpenSim's models do"
            raise InputError(told, f"none that is {missing[0]!r}", expected)
        joint_of = {joint.child: joint for joint in model.joints}
        centres: dict[str, str] = {}
        still = set()
        for joint in ours.joints:
            if joint.parent == GROUND or joint.child not in bodies:
                continue
            path = _path(joint_of, bodies[joint.child], set(bodies.values()))
            if not path:
                found = f"{bodies[joint.child]!r} on no other bone"
                raise InputError(told, found, "bones that hang on the pelvis")
            # The spine's lowest joint is ours; the shoulder's and all others are the last before the body.
            centres[_near_joint(joint, bodies)] = (path[-1] if joint.name == "back" else path[0]).name
            if not any(moving.intersection(step.coordinate_names) for step in path):
                still.add(joint.name)
        return cls(bodies, centres, frozenset(still))


def _bones(model: Model) -> dict[str, str]:
    """Name in `model` of each bone of the full-body model that it has; the first where several match."""
    found: dict[str, str] = {}
    for name in model.body_names:
        bone = bone_of(name)
        if bone is not None and (bone not in found or name == bone):
            found[bone] = name
    for side in "rl":
        if f"ulna_{side}" in found and f"radius_{side}" not in found:
            found[f"radius_{side}"] = found.pop(f"ulna_{side}")
        if f"talus_{side}" in found and f"calcn_{side}" not in found:
            found[f"calcn_{side}"] = found.pop(f"talus_{side}")
    return found


def _path(joint_of: dict[str, Joint], body: str, bones: set[str]) -> list[Joint]:
    """The joints from a body up to the next bone above it."""
    path = []
    while body in joint_of:
        path.append(joint_of[body])
        body = joint_of[body].parent
        if body in bones:
            return path
    return []


def _near_joint(joint: Joint, bodies: dict[str, str]) -> str:
    """The joint of ours whose centre a bone's own joint has; of merged bones the near one's."""
    bone, _, side = joint.child.partition("_")
    for near, far in _MERGED.items():
        if bone == far and f"{near}_{side}" not in bodies:
            return _JOINT_ABOVE[near].format(side=side)
    return joint.name


_JOINT_ABOVE = {"talus": "ankle_{side}", "ulna": "elbow_{side}"}
