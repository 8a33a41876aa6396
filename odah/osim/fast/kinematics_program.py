"""A model's forward kinematics, and its derivatives, as a graph of arithmetic.

The formulas are those of `odah.osim.fk`; here every fixed axis, offset and frame is a number, so most of
them fold away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from odah.osim.axis_turns import cross_matrix, moving_axes
from odah.osim.fast.expressions import Expression, Graph, constants, cosine, sine, square_root
from odah.osim.fast.pullback import pullback
from odah.osim.functions import Constant, Function, LinearFunction, multiplied, unwrap
from odah.osim.model import GROUND, Joint, Model, TransformAxis
from odah.osim.scale import coupled_axis, scales_with_parent
from odah.osim.tree import coupler_stages, tree_levels

Sharing = Literal["absent", "shared", "framewise"]
"""An optional input may be left out, be the same for all frames, or differ from frame to frame."""
FIELDS = ("body_rotmats", "body_positions", "joints", "body_coms", "markers")
"""The fields of a `SkeletonPose`, in order."""
INPUTS = ("coordinates", "scale_factors", "marker_offsets")


@dataclass(frozen=True)
class Program:
    """Groups of inputs and outputs, each a list of rows; a row is one value for each frame.

    outputs: (group, expressions); an expression may be a plain number.
    """

    graph: Graph
    input_groups: tuple[str, ...]
    outputs: tuple[tuple[str, list[Expression | float]], ...]


class KinematicsProgram:
    """The graph of a model's forward kinematics for given kinds of input."""

    def __init__(self, model: Model, scale_factors: Sharing, marker_offsets: Sharing) -> None:
        self.model = model
        self.graph = Graph()
        num_bodies, num_markers = len(model.bodies), len(model.markers)
        self.inputs = {
            "coordinates": self.graph.inputs("coordinates", len(model.coordinates), True),
            "scale_factors": self._optional("scale_factors", 3 * num_bodies, scale_factors),
            "marker_offsets": self._optional("marker_offsets", 3 * num_markers, marker_offsets),
        }
        unit = np.ones((num_bodies, 3), dtype=object)
        scales = self.inputs["scale_factors"].reshape(-1, 3) if scale_factors != "absent" else unit
        self.scales = dict(zip(model.body_names, scales, strict=True)) | {GROUND: np.ones(3, dtype=object)}
        self.coordinates = dict(zip(model.coordinate_names, self.inputs["coordinates"], strict=True))
        self._couple()
        self.rotmats = {GROUND: np.eye(3).astype(object)}
        self.positions = {GROUND: np.zeros(3, dtype=object)}
        self.joints = {}
        self.coms = {}
        for level in tree_levels(model.joints):
            for j in level:
                self._place(model.joints[j])
        self.markers = self._markers()

    def _optional(self, group: str, count: int, sharing: Sharing) -> np.ndarray:
        return self.graph.inputs(group, 0 if sharing == "absent" else count, sharing == "framewise")

    def forward(self) -> Program:
        """All fields of the pose."""
        groups = tuple(name for name in INPUTS if len(self.inputs[name]))
        return Program(self.graph, groups, tuple((name, self.rows(name)) for name in FIELDS))

    def backward(self, fields: tuple[str, ...], wanted: tuple[str, ...]) -> Program:
        """Gradients per frame with respect to the `wanted` inputs, from cotangents of `fields`."""
        pairs = []
        for name in fields:
            rows = self.rows(name)
            pairs += zip(rows, self.graph.inputs(f"grad_{name}", len(rows), True), strict=True)
        nodes = [node for name in wanted for node in self.inputs[name]]
        gradients = iter(pullback(pairs, nodes))
        outputs = tuple((name, [next(gradients) for _ in self.inputs[name]]) for name in wanted)
        groups = tuple(name for name in INPUTS if len(self.inputs[name]))
        return Program(self.graph, (*groups, *(f"grad_{name}" for name in fields)), outputs)

    def rows(self, field: str) -> list[Expression | float]:
        """The entries of a field in memory order."""
        bodies = self.model.body_names
        match field:
            case "body_rotmats":
                values = [self.rotmats[name].ravel() for name in bodies]
            case "body_positions":
                values = [self.positions[name] for name in bodies]
            case "joints":
                values = [self.joints[name] for name in self.model.joint_names]
            case "body_coms":
                values = [self.coms[name] for name in bodies]
            case _:
                values = self.markers
        return [entry for value in values for entry in value]

    def _couple(self) -> None:
        for stage in coupler_stages(self.model.couplers):
            for coupler in stage:
                body, axis = coupled_axis(self.model, coupler)
                value = self._value(multiplied(coupler.function, coupler.scale), coupler.independent)
                self.coordinates[coupler.dependent] = value * self._stretch(body, axis)

    def _stretch(self, body: str, axis: np.ndarray) -> Expression | float:
        """The length of a unit axis stretched with a body."""
        stretched = constants(axis) * self.scales[body]
        if not any(isinstance(entry, Expression) for entry in stretched):
            return 1.0
        return square_root(sum(entry * entry for entry in stretched))

    def _value(self, function: Function, names: tuple[str, ...]) -> Expression | float:
        scale, inner = unwrap(function)
        if isinstance(inner, Constant):
            return scale * inner.value
        inputs = [self.coordinates[name] for name in names]
        if isinstance(inner, LinearFunction):
            *slopes, bias = inner.coefficients
            terms = (x * (scale * slope) for x, slope in zip(inputs, slopes, strict=True))
            return sum(terms, start=scale * bias)
        return self.graph.curve(inner.pieces().times(scale), inputs[0])

    def _place(self, joint: Joint) -> None:
        """The joint, its child body and that body's centre of mass, in ground."""
        turn, start = self.rotmats[joint.parent], self.positions[joint.parent]
        rotmat = turn @ self._rotmat(joint)
        parent_offset = constants(joint.T_parent[:3, 3]) * self.scales[joint.parent]
        child_offset = constants(joint.T_child[:3, 3]) * self.scales[joint.child]
        centre = start + turn @ (parent_offset + self._shift(joint))
        position = centre - rotmat @ child_offset
        self.rotmats[joint.child], self.joints[joint.name] = rotmat, centre
        self.positions[joint.child] = position
        com = self.model.bodies[self.model.body_names.index(joint.child)].com
        self.coms[joint.child] = position + rotmat @ (constants(com) * self.scales[joint.child])

    def _rotmat(self, joint: Joint) -> np.ndarray:
        """The child's rotation in the parent body."""
        rotmat = constants(joint.T_parent[:3, :3])
        for axis in moving_axes(joint):
            angle = self._value(axis.function, axis.coordinates)
            cross = constants(cross_matrix(axis.axis))
            square = constants(cross_matrix(axis.axis) @ cross_matrix(axis.axis))
            turn = np.eye(3).astype(object) + cross * _filled(sine(angle))
            # About x, y or z the diagonal is 1 + (cos - 1): written as cos, one operation less.
            rotmat = rotmat @ _with_cosine(turn, square, cosine(angle))
        return rotmat @ constants(joint.T_child[:3, :3].T)

    def _shift(self, joint: Joint) -> np.ndarray:
        """The displacement of the joint in the parent body's frame."""
        shift = np.zeros(3, dtype=object)
        for axis in joint.translations:
            amount = self._value(axis.function, axis.coordinates) * self._axis_stretch(joint, axis)
            shift = shift + constants(joint.T_parent[:3, :3] @ axis.axis) * _filled(amount, (3,))
        return shift

    def _axis_stretch(self, joint: Joint, axis: TransformAxis) -> Expression | float:
        return self._stretch(joint.parent, axis.axis) if scales_with_parent(axis) else 1.0

    def _markers(self) -> list[np.ndarray]:
        moved = self.inputs["marker_offsets"].reshape(-1, 3)
        places = []
        for m, marker in enumerate(self.model.markers):
            offset = constants(marker.offset) * self.scales[marker.body]
            if len(moved):
                offset = offset + moved[m]
            places.append(self.positions[marker.body] + self.rotmats[marker.body] @ offset)
        return places


def _filled(value: Expression | float, shape: tuple[int, ...] = (3, 3)) -> np.ndarray:
    """An object array of one value; numpy cannot multiply arrays by expressions otherwise."""
    filled = np.empty(shape, dtype=object)
    filled.fill(value)
    return filled


def _with_cosine(turn: np.ndarray, square: np.ndarray, cos: Expression | float) -> np.ndarray:
    """turn + (1 - cos) * square, entry by entry; where 1 - 1 would be left of the constants, only cos is."""
    result = turn + square * _filled(1.0 - cos)
    for k in range(3):
        if square[k, k] == -1:
            result[k, k] = cos
    return result
