"""Marker inverse kinematics as a problem: what may move, what is measured, and what a solver answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int
from torch import Tensor

from odah.osim.model import GROUND, Joint, Model, motion_type
from odah.osim.tree import coupler_stages


@dataclass(frozen=True)
class IkProblem:
    """The model, with the tracked markers alone, and its coordinates that are solved for.

    free: (P,) their numbers. lower, upper: (P,) their bounds, rad and m, infinite where there is none.
    """

    model: Model
    free: Int[np.ndarray, " P"]
    lower: Float[np.ndarray, " P"]
    upper: Float[np.ndarray, " P"]

    @classmethod
    def of(cls, model: Model, held: frozenset[str] = frozenset()) -> IkProblem:
        """Solve for whatever moves a marker of `model` and is not locked, prescribed, coupled or `held`.

        A root that can travel is free of its bounds: people face backwards and walk away from the origin.
        """
        free = _free_coordinates(model, held)
        unbound = {name for joint in root_joints(model) if _travels(joint) for name in joint.coordinate_names}
        is_bounded = [c.clamped and c.name not in unbound for c in model.coordinates]
        ranges = np.where(np.array(is_bounded)[:, None], model.coordinate_ranges, [[-np.inf, np.inf]])[free]
        return cls(model, free, ranges[:, 0].copy(), ranges[:, 1].copy())

    @property
    def tells(self) -> Bool[np.ndarray, "M P"]:
        """Which markers move with which free coordinates."""
        moving = [coordinates_moving(self.model, marker.body) for marker in self.model.markers]
        told = [[name in names for name in self.free_names] for names in moving]
        return np.array(told, dtype=bool).reshape(len(moving), len(self.free))

    @property
    def free_names(self) -> tuple[str, ...]:
        return tuple(self.model.coordinate_names[index] for index in self.free)


@dataclass(frozen=True)
class IkFrames:
    """What is known of t frames.

    measured: ground, m; any finite number where unseen. weights: of the markers, 0 where unseen. given: all
    coordinates, rad and m, of which those that are solved for and those that are coupled are ignored.
    targets, target_weights: of the coordinates solved for, None where none is pulled to a value.
    """

    measured: Float[Tensor, "t M 3"]
    weights: Float[Tensor, "t M"]
    given: Float[Tensor, "t C"]
    targets: Float[Tensor, "t P"] | None = None
    target_weights: Float[Tensor, "t P"] | None = None

    def __len__(self) -> int:
        return len(self.measured)

    def __getitem__(self, index: Tensor | slice) -> IkFrames:
        """Some of the frames."""
        return IkFrames(
            self.measured[index],
            self.weights[index],
            self.given[index],
            None if self.targets is None else self.targets[index],
            None if self.target_weights is None else self.target_weights[index],
        )


@dataclass(frozen=True)
class IkSolution:
    """x: the free coordinates. costs: sum_m w_m |marker - measured|^2 + sum_p v_p (x_p - target_p)^2.

    distances: of the model's markers to the measured ones, m; any finite number where unseen.
    is_converged: the last step was below the tolerance, and not for want of iterations.
    """

    x: Float[Tensor, "t P"]
    costs: Float[Tensor, " t"]
    distances: Float[Tensor, "t M"]
    is_converged: Bool[Tensor, " t"]
    num_iterations: Int[Tensor, " t"]


@runtime_checkable
class IkSolver(Protocol):
    """Solves frames, each by itself, from a finite start (t, P) within or without the bounds."""

    def __call__(self, start: Float[Tensor, "t P"], frames: IkFrames) -> IkSolution: ...


def root_joints(model: Model) -> list[Joint]:
    """The joints on ground."""
    return [joint for joint in model.joints if joint.parent == GROUND]


def coordinates_moving(model: Model, body: str) -> set[str]:
    """Names of all coordinates that can move a body, dependent ones and what sets them included."""
    joint_of = {joint.child: joint for joint in model.joints}
    moving: set[str] = set()
    while body in joint_of:
        moving.update(joint_of[body].coordinate_names)
        body = joint_of[body].parent
    for coupler in (coupler for stage in reversed(coupler_stages(model.couplers)) for coupler in stage):
        if coupler.dependent in moving:
            moving.update(coupler.independent)
    return moving


def _travels(joint: Joint) -> bool:
    return any(motion_type(joint, name) == "translational" for name in joint.coordinate_names)


def _free_coordinates(model: Model, held: frozenset[str]) -> Int[np.ndarray, " P"]:
    moving = set().union(*(coordinates_moving(model, marker.body) for marker in model.markers))
    dependent = {coupler.dependent for coupler in model.couplers if coupler.is_enforced}
    fixed = {c.name for c in model.coordinates if c.locked or c.prescribed is not None}
    names = moving - dependent - fixed - held
    return np.array([k for k, name in enumerate(model.coordinate_names) if name in names], dtype=np.int64)
