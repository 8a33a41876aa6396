"""A marker trial as frames of an inverse kinematics problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from odah.errors import InputError, OdahError
from odah.motion.types import MarkerTrajectories
from odah.osim.functions import evaluate
from odah.osim.ik.checks import check_given, check_recording, check_tasks, check_weights
from odah.osim.ik.problem import IkFrames, IkProblem
from odah.osim.ik.start import MIN_SEEN, rest_inside_bounds
from odah.osim.model import Model

_FARTHEST = 1e6
"""m; a marker beyond is no measurement, and its square would drown the others."""


@dataclass(frozen=True)
class CoordinateTask:
    """Pulls a coordinate to values (rad or m, one or one a frame).

    weight: against the markers as in OpenSim, which takes the weighted *mean* of their squared distances:
    (1 rad)^2 at weight 1 costs as much as (1 m)^2 of every marker seen (Simbody's `Markers` and `QValue`).
    """

    name: str
    weight: float
    values: float | np.ndarray


@dataclass(frozen=True)
class IkTrial:
    """positions: (T, M, 3) of the problem's markers, ground, m, NaN where unseen.

    weights: (M,), the largest 1. given: (1, C) or (T, C), all coordinates. targets, target_weights: (1 or
    T, P) and (P,), of the tasks.
    """

    problem: IkProblem
    positions: np.ndarray
    weights: np.ndarray
    is_seen: np.ndarray
    given: np.ndarray
    targets: np.ndarray | None
    target_weights: np.ndarray

    @classmethod
    def of(
        cls,
        model: Model,
        markers: MarkerTrajectories,
        weights: Mapping[str, float],
        tasks: Sequence[CoordinateTask] = (),
    ) -> IkTrial:
        """The markers that model, recording and weights share.

        Raises:
            OdahError: there are none, or all that moves them is locked. InputError: a task names no
            coordinate of the model, or some number can be none.
        """
        check_recording(markers)
        check_tasks(tasks, markers.num_frames)
        shared = [m for m in model.markers if m.name in markers.names and m.name in weights]
        check_weights({marker.name: weights[marker.name] for marker in shared})
        tracked = [marker for marker in shared if weights[marker.name] > 0]
        if not tracked:
            raise OdahError(f"none of the markers of {markers.source.path} is a tracked marker of the model")
        problem = IkProblem.of(model.with_markers(tuple(tracked)))
        if len(problem.free) == 0:
            raise OdahError(f"no coordinate of {model.name!r} is free to move its markers")
        columns = [markers.names.index(marker.name) for marker in tracked]
        in_order = columns == list(range(len(markers.names)))
        positions = markers.positions if in_order else markers.positions[:, columns]
        targets, target_weights = _targets(problem, tasks)
        given = _given(problem, markers.time, tasks)
        check_given(problem, given)
        loads = np.array([weights[marker.name] for marker in tracked], dtype=np.float64)
        return cls(
            problem=problem,
            positions=positions,
            weights=loads / loads.max(),
            is_seen=_is_measured(positions),
            given=given,
            targets=targets,
            target_weights=target_weights,
        )

    def __len__(self) -> int:
        return len(self.positions)

    @cached_property
    def is_solvable(self) -> Bool[np.ndarray, " T"]:
        """Frames that show enough markers to place the body."""
        needed = min(MIN_SEEN, -(-len(self.problem.free) // 3))
        return self.is_seen.sum(1) >= needed

    @cached_property
    def is_told(self) -> Bool[np.ndarray, "T P"]:
        """Which free coordinates a marker, or a task, tells in which frames."""
        by_markers = self.is_seen.astype(np.float32) @ self.problem.tells.astype(np.float32) > 0
        return (by_markers | (self.target_weights > 0)) & self.is_solvable[:, None]

    @property
    def is_determined(self) -> Bool[np.ndarray, " T"]:
        """Frames that measure at least as many numbers as they leave free."""
        measured = 3 * self.is_seen.sum(1) + (self.target_weights > 0).sum()
        return measured >= self.is_told.sum(1)

    def frames(self, index: np.ndarray | slice) -> IkFrames:
        """Some of the frames, for a solver."""
        is_seen, positions = self.is_seen[index], self.positions[index]
        weights = torch.from_numpy(self.weights * is_seen)
        measured = torch.from_numpy(np.where(is_seen[..., None], positions, 0.0))
        given = self._rows(self.given, index, len(positions))
        if self.targets is None:
            return IkFrames(measured, weights, given)
        target_weights = weights.sum(-1, keepdim=True) * torch.from_numpy(self.target_weights)
        return IkFrames(measured, weights, given, self._rows(self.targets, index, len(given)), target_weights)

    def _rows(self, values: np.ndarray, index: np.ndarray | slice, count: int) -> Float[Tensor, "t n"]:
        if len(values) == 1:
            return torch.from_numpy(values).expand(count, -1)
        return torch.from_numpy(np.ascontiguousarray(values[index]))


def _is_measured(positions: Float[np.ndarray, "T M 3"]) -> Bool[np.ndarray, "T M"]:
    inside = positions > -_FARTHEST
    inside &= positions < _FARTHEST
    return inside[..., 0] & inside[..., 1] & inside[..., 2]


def _given(problem: IkProblem, time: np.ndarray, tasks: Sequence[CoordinateTask]) -> np.ndarray:
    """Defaults, prescribed motions, and the values of tasks that nothing else pulls at."""
    names = problem.model.coordinate_names
    columns: dict[int, np.ndarray] = {}
    for k, coordinate in enumerate(problem.model.coordinates):
        if coordinate.prescribed is not None:
            columns[k] = evaluate(coordinate.prescribed, time)
    for task in tasks:
        coordinate = problem.model.coordinates[_index(problem, task)]
        if task.name not in problem.free_names and not coordinate.locked and coordinate.prescribed is None:
            columns[names.index(task.name)] = np.asarray(task.values, dtype=np.float64)
    varies = any(np.ndim(values) for values in columns.values())
    given = np.tile(rest_inside_bounds(problem), (len(time) if varies else 1, 1))
    for k, values in columns.items():
        given[:, k] = values
    return given


def _targets(problem: IkProblem, tasks: Sequence[CoordinateTask]) -> tuple[np.ndarray | None, np.ndarray]:
    weights = np.zeros(len(problem.free))
    columns: dict[int, np.ndarray] = {}
    for task in tasks:
        _index(problem, task)
        if task.weight > 0 and task.name in problem.free_names:
            p = problem.free_names.index(task.name)
            weights[p], columns[p] = task.weight, np.atleast_1d(task.values)
    if not columns:
        return None, weights
    targets = np.zeros((max(len(values) for values in columns.values()), len(problem.free)))
    for p, values in columns.items():
        targets[:, p] = values
    return targets, weights


def _index(problem: IkProblem, task: CoordinateTask) -> int:
    names = problem.model.coordinate_names
    if task.name not in names:
        raise InputError(
            f"coordinate task {task.name!r}",
            "no coordinate of the model",
            f"one such as {names[0]}",
        )
    return names.index(task.name)
