"""The project's own generic model, built from the published figures in `full_body.yaml`."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from odah.names import OPENSIM_BODIES, OPENSIM_COORDINATES, OPENSIM_JOINTS
from odah.osim.functions import Constant, Function, LinearFunction, SimmSpline
from odah.osim.model import (
    Body,
    Coordinate,
    Coupler,
    Joint,
    Marker,
    Model,
    TransformAxis,
    completed_axes,
    euler_xyz_to_rotmat,
    motion_type,
    rigid,
)

Table = dict[str, Any]

_TABLE = Path(__file__).with_name("full_body.yaml")
_RIGHT = re.compile(r"_r(?=_|$)")
_MIRROR = np.diag([1.0, 1.0, -1.0])  # in the plane z = 0, which takes right to left


@cache
def full_body_model() -> Model:
    """22 bodies and 39 coordinates in the order of `odah.names`, with the geometry of Rajagopal et al. 2016.

    All coordinates free but the patellae, which follow the knees.
    """
    table = yaml.safe_load(_TABLE.read_text(encoding="utf-8"))
    right_bodies = [_body(name, figures) for name, figures in table["bodies"].items()]
    right_joints = [_joint(name, figures, table) for name, figures in table["joints"].items()]
    right_markers = [_marker(name, figures) for name, figures in table["markers"].items()]
    # Mirror images come first: what lies in the middle is its own namesake and stays as in the table.
    bodies = {body.name: body for body in [*map(_mirrored_body, right_bodies), *right_bodies]}
    joints = {joint.name: joint for joint in [*map(_mirrored_joint, right_joints), *right_joints]}
    markers = {m.name: m for right in right_markers for m in (right, _mirrored_marker(right))}
    return Model(
        name="full_body",
        bodies=tuple(bodies[name] for name in OPENSIM_BODIES),
        joints=tuple(joints[name] for name in OPENSIM_JOINTS),
        coordinates=_coordinates(table["coordinates"], [joints[name] for name in OPENSIM_JOINTS]),
        markers=tuple(markers.values()),
        couplers=tuple(_couplers(table["couplers"])),
        publications=table["publication"],
    )


def left(name: str) -> str:
    """The left one's name of a pair's right one; the same name where there is no pair."""
    return _RIGHT.sub("_l", name)


def _body(name: str, figures: Table) -> Body:
    inertia = np.array([*figures["inertia"], 0, 0, 0], dtype=np.float64)
    return Body(name, figures["mass"], np.array(figures["com"], dtype=np.float64), inertia)


def _joint(name: str, figures: Table, table: Table) -> Joint:
    def frame(side: str) -> np.ndarray:
        angles = np.array(figures.get(f"orientation_in_{side}", (0, 0, 0)))
        return rigid(figures.get(f"location_in_{side}", (0, 0, 0)), euler_xyz_to_rotmat(angles))

    rotations, translations = (
        [_axis(axis, table) for axis in figures.get(kind, [])] for kind in ("rotations", "translations")
    )
    names = dict.fromkeys(name for axis in rotations + translations for name in axis.coordinates)
    return Joint(
        name=name,
        parent=figures["parent"],
        child=figures["child"],
        T_parent=frame("parent"),
        T_child=frame("child"),
        rotations=completed_axes(rotations),
        translations=completed_axes(translations),
        coordinate_names=tuple(names),
    )


def _axis(figures: Table, table: Table) -> TransformAxis:
    axis = np.array(figures["axis"], dtype=np.float64)
    if "constant" in figures:
        return TransformAxis(axis, Constant(figures["constant"]))
    function: Function = LinearFunction()
    if "spline" in figures:
        values = table["splines"][figures["spline"]]
        function = SimmSpline(tuple(map(float, table["spline_knots"])), tuple(map(float, values)))
    return TransformAxis(axis, function, (figures["coordinate"],))


def _marker(name: str, figures: Table) -> Marker:
    return Marker(name, figures["body"], np.array(figures["offset"], dtype=np.float64))


def _mirrored_body(body: Body) -> Body:
    xx, yy, zz, xy, xz, yz = body.inertia
    return replace(
        body, name=left(body.name), com=_MIRROR @ body.com, inertia=np.array([xx, yy, zz, xy, -xz, -yz])
    )


def _mirrored_joint(joint: Joint) -> Joint:
    """Translation axes are reflected; rotation axes, being axial vectors, are reflected and reversed."""

    def mirrored(axis: TransformAxis, reflection: np.ndarray) -> TransformAxis:
        return replace(axis, axis=reflection @ axis.axis, coordinates=tuple(map(left, axis.coordinates)))

    def frame(T: np.ndarray) -> np.ndarray:
        return rigid(_MIRROR @ T[:3, 3], _MIRROR @ T[:3, :3] @ _MIRROR)

    return Joint(
        name=left(joint.name),
        parent=left(joint.parent),
        child=left(joint.child),
        T_parent=frame(joint.T_parent),
        T_child=frame(joint.T_child),
        rotations=tuple(mirrored(axis, -_MIRROR) for axis in joint.rotations),
        translations=tuple(mirrored(axis, _MIRROR) for axis in joint.translations),
        coordinate_names=tuple(map(left, joint.coordinate_names)),
    )


def _mirrored_marker(marker: Marker) -> Marker:
    """Right markers are called R...; the others lie in the middle and stay as they are."""
    if not marker.name.startswith("R"):
        return marker
    return Marker("L" + marker.name[1:], left(marker.body), _MIRROR @ marker.offset)


def _coordinates(table: Table, joints: list[Joint]) -> tuple[Coordinate, ...]:
    owners = {name: joint for joint in joints for name in joint.coordinate_names}
    figures = table | {left(name): row for name, row in table.items()}
    return tuple(_coordinate(name, figures[name], owners[name]) for name in OPENSIM_COORDINATES)


def _coordinate(name: str, figures: Table, joint: Joint) -> Coordinate:
    low, high = figures["range"] if "range" in figures else np.deg2rad(figures["range_deg"])
    return Coordinate(
        name=name,
        range=(float(low), float(high)),
        default=float(figures.get("default", 0.0)),
        clamped=figures.get("clamped", True),
        motion_type=motion_type(joint, name),
    )


def _couplers(table: Table) -> list[Coupler]:
    return [
        Coupler(side(name), side(row["dependent"]), (side(row["independent"]),), LinearFunction())
        for name, row in table.items()
        for side in (str, left)
    ]
