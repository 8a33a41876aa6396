"""Where to begin: the model at rest, inside its bounds, its root laid onto the markers of each frame."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.spatial.transform import Rotation
from torch import Tensor

from odah.osim.fk import ForwardKinematics
from odah.osim.functions import LinearFunction
from odah.osim.ik.problem import IkProblem, root_joints
from odah.osim.model import Joint, Model

MIN_SEEN = 3
"""Markers that tell where a rigid body is."""
_BOUND_MARGIN = 0.1  # of a range: a start at a bound can stay stuck there


class RootStart:
    """Starts for the frames of a problem.

    The root is laid onto its own markers, or where fewer than three of them are seen, onto all that are, as
    the model at rest holds them. A root that is not three turns about perpendicular axes and three shifts,
    each by a coordinate of its own, starts at rest.
    """

    def __init__(self, problem: IkProblem) -> None:
        self.problem = problem
        model = problem.model
        self.rest = rest_inside_bounds(problem)
        self.root = _free_root(model)
        if self.root is None:
            return
        names = [
            name for axis in (*self.root.rotations, *self.root.translations) for name in axis.coordinates
        ]
        self.columns = [model.coordinate_names.index(name) for name in names]
        pose = ForwardKinematics(model)(torch.from_numpy(self.rest))
        body = model.body_names.index(self.root.child)
        self.T_rest = np.eye(4)
        self.T_rest[:3, :3], self.T_rest[:3, 3] = pose.body_rotmats[body], pose.body_positions[body]
        self.markers = pose.markers.numpy()
        self.is_on_root = np.array([marker.body == self.root.child for marker in model.markers])

    def __call__(
        self, measured: Float[np.ndarray, "t M 3"], is_seen: Bool[np.ndarray, "t M"]
    ) -> Float[Tensor, "t P"]:
        """measured: ground, m, anything where unseen."""
        values = np.tile(self.rest, (len(measured), 1))
        if self.root is not None:
            on_root = is_seen & self.is_on_root
            used = np.where((on_root.sum(1) >= MIN_SEEN)[:, None], on_root, is_seen)
            T_move = rigid_alignments(self.markers, np.where(used[..., None], measured, 0.0), used)
            turned = root_coordinates(self.root, T_move @ self.T_rest)
            is_laid = (used.sum(1) >= MIN_SEEN)[:, None]
            values[:, self.columns] = np.where(is_laid, turned, values[:, self.columns])
        return torch.from_numpy(values[:, self.problem.free])


def full_turns(problem: IkProblem) -> list[int]:
    """Numbers p of the free coordinates that a full turn brings back to the same pose, and no bound stops."""
    other = {name for coupler in problem.model.couplers for name in coupler.independent}
    for joint in problem.model.joints:
        for axis in joint.translations:
            other.update(axis.coordinates)
        for axis in joint.rotations:
            if not (isinstance(axis.function, LinearFunction) and _is_unit(axis.function)):
                other.update(axis.coordinates)
    is_unbound = np.isinf(problem.lower) & np.isinf(problem.upper)
    return [p for p, name in enumerate(problem.free_names) if is_unbound[p] and name not in other]


def unwrap(x: Float[Tensor, "t P"], columns: list[int]) -> None:
    """Count turns of some coordinates on from frame to frame, in place, instead of leaping by full ones."""
    for p in columns:
        x[:, p] = torch.from_numpy(np.unwrap(x[:, p].numpy()))


def without_spare_turns(
    problem: IkProblem, x: Float[Tensor, "t P"], start: Float[Tensor, "t P"], turning: list[int]
) -> Float[Tensor, "t P"]:
    """Solutions that went far from the start, by the nearest equal angles; turning: of `full_turns`.

    Descent may take an unbounded angle through full turns; three root angles also come in pairs.
    """
    spare = torch.round((x[:, turning] - start[:, turning]) / (2 * np.pi))
    if bool(spare.any()):
        x = x.clone()
        x[:, turning] -= 2 * np.pi * spare
    root = _free_root(problem.model)
    names = [] if root is None else [name for axis in root.rotations for name in axis.coordinates]
    if root is None or not set(names) <= {problem.free_names[p] for p in turning}:
        return x
    columns = [problem.free_names.index(name) for name in names]
    far = torch.nonzero(((x - start)[:, columns].abs() > np.pi / 2).any(-1))[:, 0]
    if len(far) == 0:
        return x
    axes = np.array([turn.axis for turn in root.rotations])
    near = start[far][:, columns].numpy()
    turned = Rotation.from_davenport(axes, "intrinsic", x[far][:, columns].numpy())
    angles = turned.as_davenport(axes, "intrinsic", suppress_warnings=True)
    angles -= 2 * np.pi * np.round((angles - near) / (2 * np.pi))
    x = x.clone()
    x[far[:, None], torch.tensor(columns)] = torch.from_numpy(angles)
    return x


def rest_inside_bounds(problem: IkProblem) -> Float[np.ndarray, " C"]:
    """The model's defaults, those that are solved for a tenth of their range off their bounds."""
    rest = problem.model.default_coordinates.copy()
    width = problem.upper - problem.lower
    margin = np.where(np.isfinite(width), _BOUND_MARGIN * width, 0.0)
    rest[problem.free] = np.clip(rest[problem.free], problem.lower + margin, problem.upper - margin)
    return rest


def rigid_alignments(
    points: Float[np.ndarray, "N 3"], targets: Float[np.ndarray, "t N 3"], is_used: Bool[np.ndarray, "t N"]
) -> Float[np.ndarray, "t 4 4"]:
    """T that bring the used points closest to their targets, by least squares (Kabsch, 1976)."""
    weights = is_used / np.maximum(is_used.sum(1), 1)[:, None]
    centre, target = weights @ points, np.einsum("tn,tnx->tx", weights, targets)
    arms = points[None] - centre[:, None]
    covariance = np.einsum("tn,tnx,tny->txy", weights, targets - target[:, None], arms)
    left, _, right = np.linalg.svd(covariance)
    left[:, :, 2] *= np.linalg.det(left @ right)[:, None]  # a rotation, not a reflection
    T = np.tile(np.eye(4), (len(targets), 1, 1))
    T[:, :3, :3] = left @ right
    T[:, :3, 3] = target - np.einsum("txy,ty->tx", T[:, :3, :3], centre)
    return T


def root_coordinates(root: Joint, T_ground_body: Float[np.ndarray, "*t 4 4"]) -> Float[np.ndarray, "*t 6"]:
    """The coordinates of a free root that place its body, in the order of its axes, turns first.

    Turns are the Davenport angles of the joint's three axes; at gimbal lock the last one is zero.
    """
    T_joint = np.linalg.inv(root.T_parent) @ T_ground_body @ root.T_child
    axes = np.array([turn.axis for turn in root.rotations])
    rotations = Rotation.from_matrix(T_joint[..., :3, :3])
    angles = rotations.as_davenport(axes, "intrinsic", suppress_warnings=True)
    shifts = np.linalg.solve(np.array([shift.axis for shift in root.translations]).T, T_joint[..., :3, 3:])
    return np.concatenate([angles, shifts[..., 0]], axis=-1)


def _is_unit(function: LinearFunction) -> bool:
    return len(function.coefficients) == 2 and abs(function.coefficients[0]) == 1


def _free_root(model: Model) -> Joint | None:
    return next((joint for joint in root_joints(model) if _is_free(joint)), None)


def _is_free(joint: Joint) -> bool:
    axes = (*joint.rotations, *joint.translations)
    names = [name for axis in axes for name in axis.coordinates]
    own = all(isinstance(axis.function, LinearFunction) and axis.function.is_identity for axis in axes)
    square = all(abs(first.axis @ second.axis) < 1e-9 for first, second in pairwise(joint.rotations))
    return own and square and len(set(names)) == 6
