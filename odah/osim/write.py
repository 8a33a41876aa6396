"""A `Model` to an `.osim` file that OpenSim 4 loads."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from odah.files import atomic_path
from odah.osim.document import OLDEST_VERSION
from odah.osim.functions import (
    Constant,
    Function,
    LinearFunction,
    MultiplierFunction,
    PolynomialFunction,
)
from odah.osim.model import (
    GROUND,
    Body,
    Coordinate,
    Coupler,
    Joint,
    Marker,
    Model,
    TransformAxis,
    rotmat_to_euler_xyz,
)

_GRAVITY = (0.0, -9.80665, 0.0)
_REFUSED_IN_NAMES = re.compile(r"[\\*+/\s]")
_AXIS_NAMES = [f"{kind}{k}" for kind in ("rotation", "translation") for k in (1, 2, 3)]


def write_model(model: Model, path: str | Path) -> None:
    """Write the skeleton as a version-40000 file; the same model gives the same bytes.

    Joints become CustomJoints, those without coordinates WeldJoints. All numbers are written so that
    they read back as the same float64. Characters that OpenSim refuses in the model's name become "_".
    """
    root = ET.Element("OpenSimDocument", Version=str(OLDEST_VERSION))
    element = ET.SubElement(root, "Model", name=_REFUSED_IN_NAMES.sub("_", model.name))
    ET.SubElement(element, "Ground", name=GROUND)
    _put(element, "gravity", _GRAVITY)
    _put(element, "credits", model.credits)
    _put(element, "publications", model.publications)
    _put(element, "length_units", "meters")
    _put(element, "force_units", "N")
    coordinates = {coordinate.name: coordinate for coordinate in model.coordinates}
    _put_set(element, "BodySet", map(_body, model.bodies))
    _put_set(element, "JointSet", (_joint(joint, coordinates) for joint in model.joints))
    _put_set(element, "ConstraintSet", map(_coupler, model.couplers))
    _put_set(element, "MarkerSet", map(_marker, model.markers))
    ET.indent(root, "\t")
    with atomic_path(path) as temporary:
        ET.ElementTree(root).write(temporary, encoding="UTF-8", xml_declaration=True)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(float(value) + 0.0)  # + 0.0 makes -0.0 plain zero
    assert isinstance(value, Iterable)
    return " ".join(_text(part if isinstance(part, str) else float(part)) for part in value)


def _put(parent: ET.Element, tag: str, value: object) -> None:
    ET.SubElement(parent, tag).text = _text(value)


def _put_set(parent: ET.Element, tag: str, objects: Iterable[ET.Element]) -> None:
    container = ET.SubElement(parent, tag, name=tag.lower())
    ET.SubElement(container, "objects").extend(objects)
    ET.SubElement(container, "groups")


def _frame_path(body: str) -> str:
    return f"/{GROUND}" if body == GROUND else f"/bodyset/{body}"


def _body(body: Body) -> ET.Element:
    element = ET.Element("Body", name=body.name)
    _put(element, "mass", body.mass)
    _put(element, "mass_center", body.com)
    _put(element, "inertia", body.inertia)
    return element


def _joint(joint: Joint, coordinates: dict[str, Coordinate]) -> ET.Element:
    is_fixed = not joint.coordinate_names
    element = ET.Element("WeldJoint" if is_fixed else "CustomJoint", name=joint.name)
    sides = ((joint.parent, joint.T_parent), (joint.child, joint.T_child))
    for socket, (body, _) in zip(("socket_parent_frame", "socket_child_frame"), sides, strict=True):
        _put(element, socket, f"{body}_offset")
    if not is_fixed:
        listed = ET.SubElement(element, "coordinates")
        listed.extend(_coordinate(coordinates[name]) for name in joint.coordinate_names)
    ET.SubElement(element, "frames").extend(_offset_frame(body, T) for body, T in sides)
    if not is_fixed:
        transform = ET.SubElement(element, "SpatialTransform")
        axes = (*joint.rotations, *joint.translations)
        transform.extend(_transform_axis(*named) for named in zip(_AXIS_NAMES, axes, strict=True))
    return element


def _coordinate(coordinate: Coordinate) -> ET.Element:
    element = ET.Element("Coordinate", name=coordinate.name)
    _put(element, "default_value", coordinate.default)
    _put(element, "range", coordinate.range)
    _put(element, "clamped", coordinate.clamped)
    _put(element, "locked", coordinate.locked)
    if coordinate.prescribed is not None:
        ET.SubElement(element, "prescribed_function").append(_function(coordinate.prescribed))
        _put(element, "prescribed", True)
    return element


def _offset_frame(body: str, T_body_frame: np.ndarray) -> ET.Element:
    element = ET.Element("PhysicalOffsetFrame", name=f"{body}_offset")
    _put(element, "socket_parent", _frame_path(body))
    _put(element, "translation", T_body_frame[:3, 3])
    _put(element, "orientation", rotmat_to_euler_xyz(T_body_frame[:3, :3]))
    return element


def _transform_axis(name: str, axis: TransformAxis) -> ET.Element:
    element = ET.Element("TransformAxis", name=name)
    _put(element, "coordinates", axis.coordinates)
    _put(element, "axis", axis.axis)
    element.append(_function(axis.function, name="function"))
    return element


def _function(function: Function, **attributes: str) -> ET.Element:
    element = ET.Element(type(function).__name__, attributes)
    match function:
        case MultiplierFunction(inner, scale):
            ET.SubElement(element, "function").append(_function(inner))
            _put(element, "scale", scale)
        case Constant(value):
            _put(element, "value", value)
        case LinearFunction(coefficients) | PolynomialFunction(coefficients):
            _put(element, "coefficients", coefficients)
        case _:
            _put(element, "x", function.x)
            _put(element, "y", function.y)
    return element


def _coupler(coupler: Coupler) -> ET.Element:
    element = ET.Element("CoordinateCouplerConstraint", name=coupler.name)
    _put(element, "isEnforced", coupler.is_enforced)
    ET.SubElement(element, "coupled_coordinates_function").append(_function(coupler.function))
    _put(element, "independent_coordinate_names", coupler.independent)
    _put(element, "dependent_coordinate_name", coupler.dependent)
    _put(element, "scale_factor", coupler.scale)
    return element


def _marker(marker: Marker) -> ET.Element:
    element = ET.Element("Marker", name=marker.name)
    _put(element, "socket_parent_frame", _frame_path(marker.body))
    _put(element, "location", marker.offset)
    _put(element, "fixed", False)
    return element
