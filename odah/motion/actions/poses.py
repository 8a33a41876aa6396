"""Named poses: reading them, laying one over another, swapping left and right."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Any

import numpy as np
import yaml

from odah.motion.actions.ranges import COLUMN, JOINT_ANGLE_RANGES_DEG
from odah.names import OPENSIM_COORDINATES

NOMINAL_PELVIS_HEIGHT = 0.94
"""m; default height of the pelvis origin in Rajagopal et al. 2016."""

_OTHER_SIDE = {"_r": "_l", "_l": "_r", "_r_beta": "_l_beta", "_l_beta": "_r_beta"}


def _other_side(name: str) -> str:
    """`knee_angle_r_beta` -> `knee_angle_l_beta`; midline coordinates are their own other side."""
    for suffix, other in _OTHER_SIDE.items():
        if name.endswith(suffix):
            return name.removesuffix(suffix) + other
    return name


_MIRROR_COLUMNS = [COLUMN[_other_side(name)] for name in OPENSIM_COORDINATES]
_TURN_OVER = ("pelvis_list", "pelvis_rotation", "lumbar_bending", "lumbar_rotation", "pelvis_tz")
_MIRROR_SIGNS = np.array([-1.0 if name in _TURN_OVER else 1.0 for name in OPENSIM_COORDINATES])


def read_table(name: str) -> dict[str, Any]:
    """A YAML table that lies beside this module."""
    return yaml.safe_load((resources.files("odah.motion.actions") / name).read_text(encoding="utf-8"))


def mirrored(values: np.ndarray) -> np.ndarray:
    """The same movement (..., C) done by the other side of the body."""
    return values[..., _MIRROR_COLUMNS] * _MIRROR_SIGNS


def spread_sides(name: str) -> list[str]:
    """Coordinates meant by a name in the tables: `knee_angle` means both sides.

    Raises:
        KeyError: no such joint angle.
    """
    if name in JOINT_ANGLE_RANGES_DEG:
        return [name]
    both = [f"{name}_r", f"{name}_l"]
    if both[0] not in JOINT_ANGLE_RANGES_DEG:
        raise KeyError(f"no joint angle called {name}")
    return both


def lay_over(pose: np.ndarray, angles_deg: dict[str, float]) -> np.ndarray:
    """A copy of `pose` (C,) rad with the named angles (degrees) replaced."""
    pose = pose.copy()
    for name, angle in angles_deg.items():
        for coordinate in spread_sides(name):
            pose[COLUMN[coordinate]] = np.radians(angle)
    return pose


@functools.cache
def named_poses() -> dict[str, dict[str, float]]:
    """Degrees by coordinate, for every pose of `poses.yaml`."""
    return read_table("poses.yaml")


@functools.cache
def standing_pose() -> np.ndarray:
    """Standing at ease, (C,) rad and m."""
    pose = np.zeros(len(OPENSIM_COORDINATES))
    pose[COLUMN["pelvis_ty"]] = NOMINAL_PELVIS_HEIGHT
    return lay_over(pose, named_poses()["stand"])


def compose_pose(expression: str | list[str | dict[str, float]]) -> np.ndarray:
    """The pose (C,) that an expression of the tables names: poses laid over the standing one, in order.

    `"name mirrored"` swaps the sides of that pose; a mapping gives single angles in degrees.
    """
    pose = standing_pose()
    for layer in [expression] if isinstance(expression, str) else expression:
        if isinstance(layer, dict):
            pose = lay_over(pose, layer)
        elif layer.endswith(" mirrored"):
            pose = mirrored(lay_over(mirrored(pose), named_poses()[layer.removesuffix(" mirrored")]))
        else:
            pose = lay_over(pose, named_poses()[layer])
    return pose
