"""Where a model's bodies are, as a graph of arithmetic.

The formulas are those of `odah.osim.fk`; here every fixed axis and frame is a number, so most of them fold
away. Lengths come from the caller: as numbers, stretched, or as inputs of the program.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from odah.osim.axis_turns import cross_matrix, moving_axes
from odah.osim.fast.expressions import Expression, constants, cosine, sine
from odah.osim.functions import Constant, Function, LinearFunction, unwrap
from odah.osim.model import GROUND, Coupler, Joint, Model, TransformAxis
from odah.osim.tree import coupler_stages

Scalar = Expression | float


class Lengths(Protocol):
    """Everything about a model that scaling it changes."""

    def parent_offset(self, joint: Joint) -> np.ndarray:
        """(3,) of the joint in its parent body."""
        ...

    def child_offset(self, joint: Joint) -> np.ndarray:
        """(3,) of the joint in its child body."""
        ...

    def translation_factor(self, joint: Joint, axis: TransformAxis) -> Scalar:
        """What multiplies the function inside the multiplier of one of the joint's translations."""
        ...

    def coupler_factor(self, coupler: Coupler) -> Scalar:
        """What multiplies the function inside the multiplier of a coupler."""
        ...


@dataclass(frozen=True)
class AxisMotion:
    """A displacement by `amount` about or along `direction` (3,), a unit vector in ground."""

    amount: Scalar
    direction: np.ndarray
    is_turn: bool


class SkeletonGraph:
    """Poses of the bodies placed so far, in ground.

    rotmats, positions, centres: of bodies, of bodies and of joints, by name. motions: of the joints, each
    after those that carry it along.

    is_anchored: positions are relative to the origin of the body that hangs on ground above, which
    `anchors` holds (by body): far from ground's origin, single precision then still tells millimetres apart.
    """

    def __init__(
        self, model: Model, lengths: Lengths, coordinates: dict[str, Scalar], is_anchored: bool = False
    ) -> None:
        self.lengths, self.is_anchored = lengths, is_anchored
        self.coordinates = dict(coordinates)
        for stage in coupler_stages(model.couplers):
            for coupler in stage:
                factor = lengths.coupler_factor(coupler)
                value = self._value(coupler.function, coupler.independent, factor)
                self.coordinates[coupler.dependent] = value
        self.rotmats = {GROUND: np.eye(3).astype(object)}
        self.positions = {GROUND: _zeros()}
        self.anchors = {GROUND: _zeros()}
        self.centres: dict[str, np.ndarray] = {}
        self.motions: dict[str, list[AxisMotion]] = {}

    def place(self, joint: Joint) -> None:
        """The joint and its child body; the parent body is there already."""
        turn, start = self.rotmats[joint.parent], self.positions[joint.parent]
        rotmat, turns = self._turned(joint)
        shift, shifts = self._shifted(joint)
        arm = rotmat @ self.lengths.child_offset(joint)
        centre = start + turn @ (self.lengths.parent_offset(joint) + shift)
        anchor, position = self.anchors[joint.parent], centre - arm
        if self.is_anchored and joint.parent == GROUND:
            anchor, position, centre = position, _zeros(), arm
        self.rotmats[joint.child], self.positions[joint.child] = rotmat, position
        self.anchors[joint.child], self.centres[joint.name] = anchor, centre
        self.motions[joint.name] = shifts + turns

    def point(self, body: str, offset: np.ndarray) -> np.ndarray:
        """(3,) where a point of a body is."""
        return self.positions[body] + self.rotmats[body] @ offset

    def _value(self, function: Function, names: tuple[str, ...], factor: Scalar) -> Scalar:
        """factor * the function inside its multiplier."""
        inner = unwrap(function)[1]
        if isinstance(inner, Constant):
            return factor * inner.value
        inputs = [self.coordinates[name] for name in names]
        if isinstance(inner, LinearFunction):
            *slopes, bias = inner.coefficients
            return sum((x * slope for x, slope in zip(inputs, slopes, strict=True)), start=bias) * factor
        (x,), pieces = inputs, inner.pieces()
        if not isinstance(x, Expression):
            return float(pieces(np.array(x))) * factor
        if isinstance(factor, Expression):
            return x.graph.curve(pieces, x) * factor
        return x.graph.curve(pieces.times(factor), x)

    def _turned(self, joint: Joint) -> tuple[np.ndarray, list[AxisMotion]]:
        """The child's rotation. Turns that never vary are multiplied with one another first."""
        rotmat, still = self.rotmats[joint.parent], joint.T_parent[:3, :3]
        motions = []
        for axis in moving_axes(joint):
            angle = self._value(axis.function, axis.coordinates, unwrap(axis.function)[0])
            if not isinstance(angle, Expression):
                still = still @ _axis_turn(axis.axis, angle).astype(float)
                continue
            rotmat, still = rotmat @ constants(still), np.eye(3)
            motions.append(AxisMotion(angle, rotmat @ constants(axis.axis), is_turn=True))
            rotmat = rotmat @ _axis_turn(axis.axis, angle)
        return rotmat @ constants(still @ joint.T_child[:3, :3].T), motions

    def _shifted(self, joint: Joint) -> tuple[np.ndarray, list[AxisMotion]]:
        """The displacement of the joint in the parent body's frame."""
        turn, shift = self.rotmats[joint.parent], _zeros()
        motions = []
        for axis in joint.translations:
            factor = self.lengths.translation_factor(joint, axis)
            amount = self._value(axis.function, axis.coordinates, factor)
            direction = constants(joint.T_parent[:3, :3] @ axis.axis)
            shift = shift + direction * amount
            if isinstance(amount, Expression) and amount.varies:
                motions.append(AxisMotion(amount, turn @ direction, is_turn=False))
        return shift, motions


def _zeros() -> np.ndarray:
    return np.zeros(3, dtype=object)


def _axis_turn(axis: np.ndarray, angle: Scalar) -> np.ndarray:
    """The rotation matrix about a fixed axis n: n n^T + sin [n]x + cos (1 - n n^T) (Rodrigues)."""
    along, cross = np.outer(axis, axis), cross_matrix(axis)
    return constants(along) + constants(cross) * sine(angle) + constants(np.eye(3) - along) * cosine(angle)
