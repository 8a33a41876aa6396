"""Weighted points on moving bodies, summed up body by body.

Of points r with weights w, the Gauss-Newton matrix J^T W J of their positions is the joint-space mass matrix
of a tree of bodies with masses w at r, and J^T W (target - r) are the joint forces of pulls w (target - r).
So the composite-rigid-body algorithm applies (Featherstone, "Rigid Body Dynamics Algorithms", 2008, section
6.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from odah.osim.fast.expressions import Expression

Scalar = Expression | float


@dataclass(frozen=True)
class Screw:
    """The motion of a rigid body: points r move at linear (3,) + angular (3,) x r."""

    angular: np.ndarray
    linear: np.ndarray

    def __add__(self, other: Screw) -> Screw:
        return Screw(self.angular + other.angular, self.linear + other.linear)

    def on(self, wrench: Wrench) -> Scalar:
        """The power of a wrench along this motion."""
        return dot(self.angular, wrench.moment) + dot(self.linear, wrench.force)


@dataclass(frozen=True)
class Wrench:
    """A force (3,), and the moment (3,) about the origin."""

    moment: np.ndarray
    force: np.ndarray


@dataclass(frozen=True)
class PointMasses:
    """Sums over points r of weight w pulled by forces f: w, w r (3,), w r r^T (xx yy zz xy xz yz), f (3,) and
    r f^T (3, 3).
    """

    mass: Scalar
    first: np.ndarray
    second: np.ndarray
    force: np.ndarray
    virial: np.ndarray

    @classmethod
    def none(cls) -> PointMasses:
        zeros = np.zeros((3, 3), dtype=object)
        return cls(0.0, zeros[0], np.zeros(6, dtype=object), zeros[0], zeros)

    @classmethod
    def one(cls, weight: Scalar, place: np.ndarray, force: np.ndarray) -> PointMasses:
        first = place * weight
        second = np.concatenate([first * place, first[[0, 0, 1]] * place[[1, 2, 2]]])
        return cls(weight, first, second, force, np.outer(place, force))

    def __add__(self, other: PointMasses) -> PointMasses:
        return PointMasses(
            self.mass + other.mass,
            self.first + other.first,
            self.second + other.second,
            self.force + other.force,
            self.virial + other.virial,
        )

    @property
    def pull(self) -> Wrench:
        """Of all forces."""
        virial = self.virial
        return Wrench(virial[[1, 2, 0], [2, 0, 1]] - virial[[2, 0, 1], [1, 2, 0]], self.force)

    def momentum(self, motion: Screw) -> Wrench:
        """Of all points when they move together."""
        xx, yy, zz, xy, xz, yz = self.second
        inertia = np.array([[yy + zz, -xy, -xz], [-xy, xx + zz, -yz], [-xz, -yz, xx + yy]], dtype=object)
        moment = inertia @ motion.angular + cross(self.first, motion.linear)
        return Wrench(moment, motion.linear * self.mass + cross(motion.angular, self.first))

    def bending(self, motion: Screw) -> np.ndarray:
        """(3,) whose product with the angular velocity of a motion nearer the root is the sum of force times
        second derivative: sum_r (velocity of r) x f.
        """
        trace = self.virial[0, 0] + self.virial[1, 1] + self.virial[2, 2]
        turned = self.virial @ motion.angular - motion.angular * trace
        return cross(motion.linear, self.force) + turned


def dot(a: np.ndarray, b: np.ndarray) -> Scalar:
    """The product of vectors of expressions."""
    return cast(Scalar, a @ b)


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The cross product (3,) of vectors of expressions."""
    return a[[1, 2, 0]] * b[[2, 0, 1]] - a[[2, 0, 1]] * b[[1, 2, 0]]
