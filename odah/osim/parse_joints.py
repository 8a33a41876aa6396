"""OpenSim's joint classes to the one general joint of `odah.osim.model`."""

from __future__ import annotations

import math

import numpy as np

from odah.errors import InputError
from odah.osim.document import Node
from odah.osim.frames import FrameTable
from odah.osim.functions import Function, LinearFunction
from odah.osim.model import (
    AXES,
    STILL,
    Coordinate,
    Joint,
    MotionType,
    TransformAxis,
    completed_axes,
    motion_type,
)
from odah.osim.parse_functions import read_function

JOINT_AXES = {
    "WeldJoint": ("", ""),
    "PinJoint": ("z", ""),
    "SliderJoint": ("", "x"),
    "UniversalJoint": ("xy", ""),
    "BallJoint": ("xyz", ""),
    "GimbalJoint": ("xyz", ""),
    "PlanarJoint": ("z", "xy"),
    "FreeJoint": ("xyz", "xyz"),
}
"""Body-fixed rotation axes, then translation axes of each class, with a coordinate for each letter."""

Axes = tuple[TransformAxis, ...]


def read_joint(node: Node, frames: FrameTable) -> tuple[Joint, list[Coordinate]]:
    """A joint and its coordinates.

    Raises:
        InputError: a joint class or function not known here, or an incomplete element.
    """
    coordinates = node.children("coordinates")
    names = tuple(coordinate.name for coordinate in coordinates)
    if node.tag == "CustomJoint":
        rotations, translations = _custom_axes(node, names)
    elif node.tag in JOINT_AXES:
        rotations, translations = _standard_axes(node, names)
    else:
        known = ", ".join(["CustomJoint", *JOINT_AXES])
        raise InputError(node.where, f"a {node.tag}", f"one of {known}")
    owner = f"/jointset/{node.name}"
    parent, T_parent = frames.locate(node, "socket_parent_frame", owner)
    child, T_child = frames.locate(node, "socket_child_frame", owner)
    joint = Joint(node.name, parent, child, T_parent, T_child, rotations, translations, names)
    return joint, [_read_coordinate(c, motion_type(joint, c.name)) for c in coordinates]


def _standard_axes(node: Node, names: tuple[str, ...]) -> tuple[Axes, Axes]:
    letters = JOINT_AXES[node.tag]
    wanted = len(letters[0]) + len(letters[1])
    if len(names) != wanted:
        raise InputError(f"{node.where}, coordinates", f"{len(names)} coordinates", f"{wanted} coordinates")
    num_rotations = len(letters[0])
    return _axes_along(letters[0], names[:num_rotations]), _axes_along(letters[1], names[num_rotations:])


def _axes_along(letters: str, names: tuple[str, ...]) -> Axes:
    return completed_axes(
        [
            TransformAxis(AXES["xyz".index(letter)], LinearFunction(), (name,))
            for letter, name in zip(letters, names, strict=True)
        ]
    )


def _custom_axes(node: Node, names: tuple[str, ...]) -> tuple[Axes, Axes]:
    if not names:
        raise InputError(f"{node.where}, coordinates", "no coordinates", "at least one coordinate")
    transform = node.child("SpatialTransform")
    by_name = {axis.get("name", ""): transform.wrap(axis) for axis in transform.element}

    def three(kind: str) -> Axes:
        elements = [by_name.get(f"{kind}{k}") for k in (1, 2, 3)]
        return tuple(
            TransformAxis(default) if element is None else _read_axis(node, element, names, default)
            for element, default in zip(elements, AXES, strict=True)
        )

    return three("rotation"), three("translation")


def _read_axis(joint: Node, node: Node, names: tuple[str, ...], default: np.ndarray) -> TransformAxis:
    where = f"{joint.where}, {node.element.get('name')}"
    direction = node.vector("axis", 3, tuple(default))
    length = math.hypot(*direction)
    if not 1e-12 < length < math.inf:
        raise InputError(f"{where}, axis", f"a vector of length {length:g}", "a direction")
    coordinates = node.words("coordinates")
    strangers = sorted(set(coordinates) - set(names))
    if strangers:
        raise InputError(f"{where}, coordinates", repr(strangers[0]), "coordinates of this joint")
    functions = [element for element in node.element if element.tag not in ("coordinates", "axis")]
    if len(functions) > 1:
        raise InputError(where, f"{len(functions)} functions", "one function")
    function = read_function(joint.wrap(functions[0]), len(coordinates)) if functions else STILL
    return TransformAxis(direction / length, function, coordinates)


def _read_coordinate(node: Node, kind: MotionType) -> Coordinate:
    low, high = node.vector("range", 2, (-10.0, 10.0))
    return Coordinate(
        name=node.name,
        range=(float(min(low, high)), float(max(low, high))),
        default=node.number("default_value", 0.0),
        locked=node.flag("locked", False),
        clamped=node.flag("clamped", False),
        motion_type=kind,
        prescribed=_read_prescribed(node),
    )


def _read_prescribed(node: Node) -> Function | None:
    """OpenSim keeps a function also where it is switched off."""
    if not node.flag("prescribed", False):
        return None
    functions = list(node.child("prescribed_function").element)
    if len(functions) != 1:
        raise InputError(f"{node.where}, prescribed_function", f"{len(functions)} functions", "one function")
    return read_function(node.wrap(functions[0]), 1)
