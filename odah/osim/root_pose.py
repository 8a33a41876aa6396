"""Freeing the joint that carries the whole body, and turning it to where the markers are.

Generic models clamp the pelvis to 90 degrees of yaw and a few metres; inverse kinematics then answers `ok`
for a person who walks back or stands far away, with errors of decimetres. Works on OpenSim's model objects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

FREE_ANGLE, FREE_LENGTH = 8.0 * np.pi, 1000.0  # rad, m
_TRANSLATIONAL = 2  # OpenSim::Coordinate::MotionType
_MATCHED = 1e-10  # m^2: the pose is reached
_QUARTER_TURNS = (0.0, np.pi / 2, np.pi, -np.pi / 2)


def free_root(model: Any) -> Any:
    """Unclamp the coordinates of the joint that joins ground to the body, widen their ranges; the joint."""
    root = next(
        joint
        for joint in model.getJointSet()
        if joint.getParentFrame().findBaseFrame().getName() == "ground" and joint.numCoordinates() > 0
    )
    for coordinate in _coordinates(root):
        limit = FREE_LENGTH if coordinate.getMotionType() == _TRANSLATIONAL else FREE_ANGLE
        coordinate.setRangeMin(-limit)
        coordinate.setRangeMax(limit)
        coordinate.setDefaultClamped(False)
    return root


def align_root(model: Any, root: Any, measured: Mapping[str, np.ndarray]) -> None:
    """Set the defaults of the root so that the model at rest lies on `measured`, (3,) by marker or NaN."""
    state = model.initSystem()
    seen = [name for name, point in measured.items() if np.isfinite(point).all()]
    body = root.getChildFrame().findBaseFrame()
    on_root = [name for name in seen if _marker(model, name).getParentFrame().findBaseFrame() == body]
    names = on_root if len(on_root) >= 3 else seen
    if len(names) < 3:
        return
    model.realizePosition(state)
    resting = np.array([_vector(_marker(model, name).getLocationInGround(state)) for name in names])
    rotmat, shift = rigid_alignment(resting, np.array([measured[name] for name in names]))
    probes = np.vstack([np.zeros(3), np.eye(3)])
    target = _stations(body, state, probes) @ rotmat.T + shift
    coordinates = _coordinates(root)

    def residual(values: np.ndarray) -> np.ndarray:
        for coordinate, value in zip(coordinates, values, strict=True):
            coordinate.setValue(state, float(value), False)
        model.realizePosition(state)
        return (_stations(body, state, probes) - target).ravel()

    solutions = []
    for start in _starts(coordinates, target[0]):
        solutions.append(least_squares(residual, start))
        if solutions[-1].cost < _MATCHED:
            break
    best = min(solutions, key=lambda solution: solution.cost)
    for coordinate, value in zip(coordinates, best.x, strict=True):
        coordinate.setDefaultValue(float(value))


def rigid_alignment(points: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotation (3, 3) and shift (3,) that bring points (N, 3) closest to targets (N, 3), least squares."""
    rotation = Rotation.align_vectors(targets - targets.mean(axis=0), points - points.mean(axis=0))[0]
    rotmat = rotation.as_matrix()
    return rotmat, targets.mean(axis=0) - rotmat @ points.mean(axis=0)


def _starts(coordinates: list[Any], origin: np.ndarray) -> Iterator[np.ndarray]:
    """Start values: quarter turns of every angle; translations at the origin of the body wanted."""
    is_angle = [coordinate.getMotionType() != _TRANSLATIONAL for coordinate in coordinates]
    turns = sorted(product(_QUARTER_TURNS, repeat=sum(is_angle)), key=lambda angles: np.abs(angles).sum())
    for angles in turns:
        start = np.zeros(len(coordinates))
        start[is_angle] = angles
        shifts = np.flatnonzero(~np.array(is_angle))
        start[shifts[:3]] = origin[: len(shifts)]
        yield start


def _coordinates(joint: Any) -> list[Any]:
    return [joint.get_coordinates(index) for index in range(joint.numCoordinates())]


def _marker(model: Any, name: str) -> Any:
    return model.getMarkerSet().get(name)


def _stations(body: Any, state: Any, points: np.ndarray) -> np.ndarray:
    transform = body.getTransformInGround(state)
    rotation, origin = transform.R(), _vector(transform.p())
    rotmat = np.array([[rotation.get(row, column) for column in range(3)] for row in range(3)])
    return points @ rotmat.T + origin


def _vector(vec3: Any) -> np.ndarray:
    return np.array([vec3.get(axis) for axis in range(3)])
