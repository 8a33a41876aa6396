"""The pose of one frame of markers, from many starts: no other frame tells a good minimum from a bad one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float

from odah.motion.types import MarkerTrajectories
from odah.osim.fk import ForwardKinematics
from odah.osim.ik import CoordinateTask, inverse_kinematics
from odah.osim.model import GROUND, Model

_NUM_STARTS = 32
_BETTER = 1e-6  # relative: what another minimum must gain over that nearest to rest


def static_pose(
    model: Model,
    frame: MarkerTrajectories,
    weights: Mapping[str, float],
    tasks: Sequence[CoordinateTask] = (),
) -> Float[np.ndarray, " C"]:
    """The coordinates, rad and m, that bring the model's markers closest to those of a single frame.

    Descent begins at rest and at poses drawn within the coordinates' ranges, the same in every run; the
    lowest cost wins (`static_cost`).

    Raises:
        OdahError: fewer than three tracked markers are seen.
    """
    tasks = merged_tasks(tasks)
    rest = inverse_kinematics(model, frame, weights, tasks=tasks).coordinates
    starts = _drawn(model, rest[0])
    frames = replace(frame, positions=np.repeat(frame.positions, len(starts), axis=0))
    others = inverse_kinematics(
        model, frames, weights, tasks=tasks, start=starts, is_continuous=False
    ).coordinates
    poses = np.concatenate([rest, others])
    costs = static_cost(model, frame, weights, tasks, poses)
    best = int(np.argmin(costs))
    return poses[best] if costs[best] < costs[0] * (1.0 - _BETTER) else poses[0]


def static_cost(
    model: Model,
    frame: MarkerTrajectories,
    weights: Mapping[str, float],
    tasks: Sequence[CoordinateTask],
    poses: Float[np.ndarray, "N C"],
) -> Float[np.ndarray, " N"]:
    """What OpenSim minimises, for any number of poses of one frame.

    The weighted mean of the tracked markers' squared distances, m^2, plus each task's weight times its error
    squared, rad^2 or m^2 (Simbody's `Markers` and `QValue`, times two).
    """
    measured = dict(zip(frame.names, frame.positions[0], strict=True))
    tracked = [
        k
        for k, name in enumerate(model.marker_names)
        if weights.get(name, 0.0) > 0 and np.isfinite(measured.get(name, np.nan)).all()
    ]
    names = [model.marker_names[k] for k in tracked]
    places = ForwardKinematics(model)(torch.from_numpy(poses)).markers.numpy()[:, tracked]
    squares = ((places - np.array([measured[name] for name in names])) ** 2).sum(axis=-1)
    costs = np.average(squares, axis=1, weights=[weights[name] for name in names])
    for task in tasks:
        errors = poses[:, model.coordinate_names.index(task.name)] - float(np.ravel(task.values)[0])
        costs = costs + task.weight * errors**2
    return costs


def merged_tasks(tasks: Sequence[CoordinateTask]) -> list[CoordinateTask]:
    """One task a coordinate, which pulls as several of it together do in OpenSim."""
    by_name: dict[str, list[CoordinateTask]] = {}
    for task in tasks:
        by_name.setdefault(task.name, []).append(task)
    merged = []
    for name, same in by_name.items():
        pulls = [task.weight for task in same]
        values = [float(np.ravel(task.values)[0]) for task in same]
        merged.append(CoordinateTask(name, sum(pulls), float(np.average(values, weights=pulls))))
    return merged


def _drawn(model: Model, pose: Float[np.ndarray, " C"]) -> Float[np.ndarray, "S C"]:
    """Starts whose coordinates are drawn; the root's, and those that may make full turns, begin at `pose`."""
    in_root = {name for joint in model.joints if joint.parent == GROUND for name in joint.coordinate_names}
    low, high = model.coordinate_ranges.T
    is_drawn = (high - low < 2.0 * np.pi) & [name not in in_root for name in model.coordinate_names]
    random = np.random.default_rng(0)
    drawn = random.uniform(low, high, (_NUM_STARTS, len(pose)))
    return np.where(is_drawn, drawn, pose)
