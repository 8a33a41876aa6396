"""An OpenSim model's skeleton as plain data: bodies, joints, coordinates, markers, couplers.

Lengths in m, masses in kg, inertias in kg m^2, angles in rad. Every frame is right-handed;
`T_a_b` maps coordinates in b to coordinates in a.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from odah.osim.functions import Constant, Function, LinearFunction

GROUND = "ground"
MotionType = Literal["rotational", "translational", "coupled"]
AXES = np.eye(3)
STILL = Constant(0.0)


@dataclass(frozen=True, eq=False)
class Body:
    """A rigid body. com: (3,) in the body frame; inertia: (6,) xx yy zz xy xz yz about the com."""

    name: str
    mass: float
    com: np.ndarray
    inertia: np.ndarray


@dataclass(frozen=True)
class Coordinate:
    """One generalized coordinate; range and default in rad or m.

    motion_type: "coupled" where no axis moves by the coordinate's own value (a spline of it does);
    such a coordinate stays in radians in a .mot file that is otherwise in degrees.
    prescribed: a function of time (s) that sets the coordinate.
    """

    name: str
    range: tuple[float, float]
    default: float = 0.0
    locked: bool = False
    clamped: bool = False
    motion_type: MotionType = "rotational"
    prescribed: Function | None = None


@dataclass(frozen=True, eq=False)
class TransformAxis:
    """Motion by `function(coordinates)` about or along `axis` (3,), a unit vector.

    The first axis of a joint is fixed in its parent frame, each next one turns with those before.
    """

    axis: np.ndarray
    function: Function = STILL
    coordinates: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Joint:
    """child in parent: T_parent @ Translation(sum_i t_i) @ R_1 @ R_2 @ R_3 @ inverse(T_child).

    T_parent: (4, 4) joint frame in the parent body (or ground); T_child: (4, 4) joint frame in the
    child body. rotations: three body-fixed rotations in order. translations: three displacements,
    along axes of the joint's parent frame.
    """

    name: str
    parent: str
    child: str
    T_parent: np.ndarray
    T_child: np.ndarray
    rotations: tuple[TransformAxis, ...]
    translations: tuple[TransformAxis, ...]
    coordinate_names: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Marker:
    """A point fixed to a body (or ground): offset (3,) in the body frame."""

    name: str
    body: str
    offset: np.ndarray


@dataclass(frozen=True)
class Coupler:
    """dependent = scale * function(independent coordinates), while it is enforced."""

    name: str
    dependent: str
    independent: tuple[str, ...]
    function: Function
    scale: float = 1.0
    is_enforced: bool = True


@dataclass(frozen=True, eq=False)
class Model:
    """A tree of bodies hung on ground. All tuples keep the order of the file.

    credits, publications: who made the model, carried from file to file. loop_constraints: what the file
    also holds and this skeleton cannot (welds, points on curves and the like), as class and name.
    """

    name: str
    bodies: tuple[Body, ...]
    joints: tuple[Joint, ...]
    coordinates: tuple[Coordinate, ...]
    markers: tuple[Marker, ...] = ()
    couplers: tuple[Coupler, ...] = ()
    credits: str = ""
    publications: str = ""
    loop_constraints: tuple[str, ...] = ()

    @cached_property
    def body_names(self) -> tuple[str, ...]:
        return tuple(body.name for body in self.bodies)

    @cached_property
    def joint_names(self) -> tuple[str, ...]:
        return tuple(joint.name for joint in self.joints)

    @cached_property
    def coordinate_names(self) -> tuple[str, ...]:
        return tuple(coordinate.name for coordinate in self.coordinates)

    @cached_property
    def marker_names(self) -> tuple[str, ...]:
        return tuple(marker.name for marker in self.markers)

    @cached_property
    def coordinate_ranges(self) -> np.ndarray:
        """(C, 2), rad or m."""
        return np.array([coordinate.range for coordinate in self.coordinates]).reshape(-1, 2)

    @cached_property
    def default_coordinates(self) -> np.ndarray:
        """(C,), rad or m."""
        return np.array([coordinate.default for coordinate in self.coordinates])

    @cached_property
    def mass(self) -> float:
        """kg"""
        return float(sum(body.mass for body in self.bodies))

    def with_markers(self, markers: tuple[Marker, ...]) -> Model:
        """The same skeleton with another set of markers."""
        return replace(self, markers=markers)


def completed_axes(moving: Sequence[TransformAxis]) -> tuple[TransformAxis, ...]:
    """Three axes: the given ones, then x, y or z without motion, none parallel to another."""
    axes = list(moving)
    for candidate in AXES:
        if len(axes) < 3 and all(np.linalg.norm(np.cross(axis.axis, candidate)) > 1e-3 for axis in axes):
            axes.append(TransformAxis(candidate))
    return tuple(axes)


def motion_type(joint: Joint, coordinate: str) -> MotionType:
    """OpenSim's motion type: what kind of axis moves in proportion to the coordinate, else "coupled"."""
    if any(coordinate in axis.coordinates and _is_unit_slope(axis) for axis in joint.translations):
        return "translational"
    if any(coordinate in axis.coordinates and _is_unit_slope(axis) for axis in joint.rotations):
        return "rotational"
    return "coupled"


def _is_unit_slope(axis: TransformAxis) -> bool:
    return isinstance(axis.function, LinearFunction) and abs(axis.function.coefficients[0]) == 1


def euler_xyz_to_rotmat(angles: np.ndarray) -> np.ndarray:
    """(3,) body-fixed x-y-z angles, OpenSim's `orientation`, to a rotation matrix (3, 3)."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(angles), np.sin(angles)
    rot_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    rot_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    rot_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return rot_x @ rot_y @ rot_z


def rotmat_to_euler_xyz(rotmat: np.ndarray) -> np.ndarray:
    """Inverse of `euler_xyz_to_rotmat`; where y = +-90 degrees, z is set to zero."""
    cos_y = np.hypot(rotmat[0, 0], rotmat[0, 1])
    y = np.arctan2(rotmat[0, 2], cos_y)
    if cos_y < 1e-12:
        return np.array([np.arctan2(rotmat[2, 1], rotmat[1, 1]), y, 0.0])
    return np.array([np.arctan2(-rotmat[1, 2], rotmat[2, 2]), y, np.arctan2(-rotmat[0, 1], rotmat[0, 0])])


def rigid(translation: np.ndarray, rotmat: np.ndarray | None = None) -> np.ndarray:
    """The (4, 4) transform of a rotation and a translation."""
    T = np.eye(4)
    T[:3, 3] = translation
    if rotmat is not None:
        T[:3, :3] = rotmat
    return T
