"""A model's forward kinematics, and its derivatives, as a graph of arithmetic."""

from __future__ import annotations

from typing import Literal

import numpy as np

from odah.osim.fast.emit_c import Program
from odah.osim.fast.expressions import Expression, Graph, constants, square_root
from odah.osim.fast.pullback import pullback
from odah.osim.fast.skeleton_graph import Scalar, SkeletonGraph
from odah.osim.functions import unwrap
from odah.osim.model import GROUND, Coupler, Joint, Model, TransformAxis
from odah.osim.scale import coupled_axis, scales_with_parent
from odah.osim.tree import tree_levels

Sharing = Literal["absent", "shared", "framewise"]
"""An optional input may be left out, be the same for all frames, or differ from frame to frame."""
FIELDS = ("body_rotmats", "body_positions", "joints", "body_coms", "markers")
"""The fields of a `SkeletonPose`, in order."""
INPUTS = ("coordinates", "scale_factors", "marker_offsets")


class StretchedLengths:
    """The lengths of a model whose bodies are stretched by `scales`: (3,) by body name, ground too."""

    def __init__(self, model: Model, scales: dict[str, np.ndarray]) -> None:
        self.model, self.scales = model, scales

    def parent_offset(self, joint: Joint) -> np.ndarray:
        return self.on_body(joint.parent, joint.T_parent[:3, 3])

    def child_offset(self, joint: Joint) -> np.ndarray:
        return self.on_body(joint.child, joint.T_child[:3, 3])

    def on_body(self, body: str, offset: np.ndarray) -> np.ndarray:
        return constants(offset) * self.scales[body]

    def translation_factor(self, joint: Joint, axis: TransformAxis) -> Scalar:
        stretch = self._stretch(joint.parent, axis.axis) if scales_with_parent(axis) else 1.0
        return unwrap(axis.function)[0] * stretch

    def coupler_factor(self, coupler: Coupler) -> Scalar:
        body, axis = coupled_axis(self.model, coupler)
        return unwrap(coupler.function)[0] * coupler.scale * self._stretch(body, axis)

    def _stretch(self, body: str, axis: np.ndarray) -> Scalar:
        """The length of a unit axis stretched with a body."""
        stretched = constants(axis) * self.scales[body]
        if not any(isinstance(entry, Expression) for entry in stretched):
            return 1.0
        return square_root(sum(entry * entry for entry in stretched))


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
        by_body = dict(zip(model.body_names, scales, strict=True)) | {GROUND: np.ones(3, dtype=object)}
        self.lengths = StretchedLengths(model, by_body)
        coordinates = dict(zip(model.coordinate_names, self.inputs["coordinates"], strict=True))
        self.skeleton = SkeletonGraph(model, self.lengths, coordinates)
        for level in tree_levels(model.joints):
            for j in level:
                self.skeleton.place(model.joints[j])

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
        model, skeleton = self.model, self.skeleton
        match field:
            case "body_rotmats":
                values = [skeleton.rotmats[name].ravel() for name in model.body_names]
            case "body_positions":
                values = [skeleton.positions[name] for name in model.body_names]
            case "joints":
                values = [skeleton.centres[name] for name in model.joint_names]
            case "body_coms":
                values = [self._point(body.name, body.com) for body in model.bodies]
            case _:
                values = self._markers()
        return [entry for value in values for entry in value]

    def _point(self, body: str, offset: np.ndarray) -> np.ndarray:
        return self.skeleton.point(body, self.lengths.on_body(body, offset))

    def _markers(self) -> list[np.ndarray]:
        moved = self.inputs["marker_offsets"].reshape(-1, 3)
        places = []
        for m, marker in enumerate(self.model.markers):
            offset = self.lengths.on_body(marker.body, marker.offset)
            if len(moved):
                offset = offset + moved[m]
            places.append(self.skeleton.point(marker.body, offset))
        return places
