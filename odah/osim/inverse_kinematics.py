"""Marker inverse kinematics of all frames at once: OpenSim's problem, solved to convergence in torch.

Minimises sum_m w_m |model marker - measured marker|^2 of each frame within the ranges of clamped coordinates.
Every frame starts from the model at rest, turned onto its markers; then frames try their neighbours' answers,
so that none stays in a worse minimum than the frame beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy.spatial.transform import Rotation
from torch import Tensor

from odah.errors import OdahError
from odah.motion.types import MarkerTrajectories
from odah.osim.fk import ForwardKinematics
from odah.osim.functions import LinearFunction
from odah.osim.least_squares import levenberg_marquardt
from odah.osim.model import GROUND, Joint, Model
from odah.osim.root_pose import rigid_alignment

MIN_SEEN = 3
_BOUND_MARGIN = 0.1  # of a range: a start at a bound can stay stuck there
_CHUNK = 256  # frames solved together: memory grows with frames x coordinates x markers
_NUM_SWEEPS = 4
_BETTER = 1e-6  # relative: what a neighbour's answer must gain to be taken
_LEAP, _AS_GOOD = 0.7, 1.05  # rad between frames; cost relative to the leaping answer's


@dataclass(frozen=True)
class InverseKinematics:
    """Coordinates (T, C) in rad and m in the model's order; marker errors (T,) in m, unweighted.

    Errors are NaN in frames that show fewer than three markers; their coordinates are interpolated.
    """

    names: tuple[str, ...]
    coordinates: np.ndarray
    rms_errors: np.ndarray
    max_errors: np.ndarray


def inverse_kinematics(
    model: Model,
    markers: MarkerTrajectories,
    weights: Mapping[str, float],
    *,
    is_continuous: bool = True,
    tolerance: float = 1e-7,
) -> InverseKinematics:
    """Coordinates that bring the model's markers closest to the measured ones.

    is_continuous: the frames follow one another closely, so angles should not leap between them.
    tolerance: rad and m; the step at which a frame counts as solved.
    Locked coordinates, and those that no tracked marker tells, stay at their defaults; coupled ones follow.

    Raises:
        OdahError: the root is not three turns and three shifts, or no frame shows three tracked markers.
    """
    markers = markers.in_ground()
    problem = _Problem.of(model, markers, weights, tolerance)
    seen = problem.is_seen.sum(-1) >= MIN_SEEN
    if not seen.any():
        raise OdahError(f"no frame of {markers.source.path} shows {MIN_SEEN} tracked markers")
    frames = torch.nonzero(seen)[:, 0]
    solution, costs = problem.solve(problem.start(frames), frames)
    solution, costs = problem.settle(solution, costs, frames)
    if is_continuous:
        solution = problem.follow(solution, costs, frames)
    coordinates = problem.coordinates(solution).numpy()
    distances = problem.distances(solution, frames)
    rms, largest = np.sqrt(np.nanmean(distances**2, axis=1)), np.nanmax(distances, axis=1)
    return fill_gaps(InverseKinematics(model.coordinate_names, coordinates, rms, largest), seen.numpy())


@dataclass(frozen=True)
class _Problem:
    """Tracked markers, and which coordinates move in between which bounds."""

    model: Model
    fk: ForwardKinematics
    measured: Float[Tensor, "T M 3"]
    is_seen: Tensor  # (T, M) bool
    is_on_root: Tensor  # (M,) bool
    weights: Float[Tensor, " M"]
    free: Tensor  # (P,) indices of the coordinates that are solved for
    lower: Float[Tensor, " P"]
    upper: Float[Tensor, " P"]
    tolerance: float

    @classmethod
    def of(
        cls, model: Model, markers: MarkerTrajectories, weights: Mapping[str, float], tolerance: float
    ) -> _Problem:
        tracked = [m for m in model.markers if m.name in markers.names and weights.get(m.name, 0.0) > 0]
        columns = [markers.names.index(marker.name) for marker in tracked]
        model = model.with_markers(tuple(tracked))
        positions = torch.from_numpy(markers.positions[:, columns])
        is_seen = torch.isfinite(positions).all(-1)
        root = _root_joint(model)
        free = _free_coordinates(model)
        in_root = [name in root.coordinate_names for name in model.coordinate_names]
        bounded = [c.clamped and not r for c, r in zip(model.coordinates, in_root, strict=True)]
        ranges = np.where(np.array(bounded)[:, None], model.coordinate_ranges, [[-np.inf, np.inf]])[free]
        return cls(
            model=model,
            fk=ForwardKinematics(model, torch.float64),
            measured=torch.where(is_seen[..., None], positions, 0.0),
            is_seen=is_seen,
            is_on_root=torch.tensor([marker.body == root.child for marker in tracked]),
            weights=torch.tensor([weights[marker.name] for marker in tracked], dtype=torch.float64),
            free=torch.from_numpy(free),
            lower=torch.from_numpy(ranges[:, 0].copy()),
            upper=torch.from_numpy(ranges[:, 1].copy()),
            tolerance=tolerance,
        )

    def coordinates(self, x: Float[Tensor, "t P"]) -> Float[Tensor, "t C"]:
        """All coordinates, dependent ones coupled."""
        defaults = torch.from_numpy(self.model.default_coordinates).expand(len(x), -1)
        return self.fk.couple(defaults.index_copy(-1, self.free, x))

    def residuals(self, x: Float[Tensor, "t P"], frames: Tensor) -> Float[Tensor, "t R"]:
        """Weighted distances along the axes, zero for markers unseen."""
        factors = self.weights.sqrt() * self.is_seen[frames]
        difference = self.fk(self.coordinates(x)).markers - self.measured[frames]
        return (difference * factors[..., None]).flatten(-2)

    def distances(self, x: Float[Tensor, "t P"], frames: Tensor) -> np.ndarray:
        """(t, M) m, NaN for markers unseen."""
        with torch.no_grad():
            modelled = self.fk(self.coordinates(x)).markers
        distances = torch.linalg.vector_norm(modelled - self.measured[frames], dim=-1)
        return torch.where(self.is_seen[frames], distances, torch.nan).numpy()

    def solve(self, start: Float[Tensor, "t P"], frames: Tensor) -> tuple[Tensor, Tensor]:
        """Solutions (t, P) and costs (t,) of some frames."""
        parts = [
            levenberg_marquardt(
                lambda x, k, of=of: self.residuals(x, of[k]),
                begin,
                self.lower,
                self.upper,
                tolerance=self.tolerance,
            )
            for begin, of in zip(start.split(_CHUNK), frames.split(_CHUNK), strict=True)
        ]
        return torch.cat([x for x, _ in parts]), torch.cat([cost for _, cost in parts])

    def start(self, frames: Tensor) -> Float[Tensor, "t P"]:
        """The model near rest, inside its bounds, its root turned onto the markers of each frame."""
        rest = np.clip(self.model.default_coordinates[self.free], *_inner_bounds(self.lower, self.upper))
        values = np.tile(self.model.default_coordinates, (len(frames), 1))
        values[:, self.free] = rest
        root = _root_joint(self.model)
        columns = [self.model.coordinate_names.index(name) for name in _root_order(root)]
        with torch.no_grad():
            pose = self.fk(torch.from_numpy(values[0]))
        body = self.model.body_names.index(root.child)
        T_rest = np.eye(4)
        T_rest[:3, :3], T_rest[:3, 3] = pose.body_rotmats[body], pose.body_positions[body]
        for row, frame in enumerate(frames):
            used = self.is_seen[frame]
            on_root = used & self.is_on_root
            used = on_root if on_root.sum() >= MIN_SEEN else used
            rotmat, shift = rigid_alignment(pose.markers[used].numpy(), self.measured[frame][used].numpy())
            T_move = np.block([[rotmat, shift[:, None]], [np.zeros((1, 3)), np.ones((1, 1))]])
            values[row, columns] = root_coordinates(root, T_move @ T_rest)
        values[:, columns[:3]] = np.unwrap(values[:, columns[:3]], axis=0)
        return torch.from_numpy(values[:, self.free])

    def settle(
        self, x: Float[Tensor, "t P"], costs: Float[Tensor, " t"], frames: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Let frames start again from their neighbours' answers, while that gains anything."""
        for sweep in range(_NUM_SWEEPS):
            shift = 1 if sweep % 2 == 0 else -1
            candidates = torch.roll(x, shift, dims=0)
            poor = torch.nonzero(costs > 1.05 * torch.roll(costs, shift))[:, 0]
            if len(poor) == 0:
                continue
            tried, tried_costs = self.solve(candidates[poor], frames[poor])
            gained = tried_costs < costs[poor] * (1.0 - _BETTER)
            x[poor[gained]], costs[poor[gained]] = tried[gained], tried_costs[gained]
        return x, costs

    def follow(
        self, x: Float[Tensor, "t P"], costs: Float[Tensor, " t"], frames: Tensor
    ) -> Float[Tensor, "t P"]:
        """Where angles leap, take the minimum near the frame before if it is about as good.

        Ball joints have two sets of angles for one pose, and lose one near gimbal lock.
        """
        is_angle = [c.motion_type != "translational" for c in self.model.coordinates]
        angles = torch.tensor(is_angle)[self.free]
        for k in range(1, len(x)):
            if (x[k] - x[k - 1])[angles].abs().max() > _LEAP:
                tried, tried_cost = self.solve(x[k - 1 : k].clone(), frames[k : k + 1])
                if tried_cost[0] <= _AS_GOOD * costs[k]:
                    x[k], costs[k] = tried[0], tried_cost[0]
        return x


def root_coordinates(root: Joint, T_ground_body: np.ndarray) -> np.ndarray:
    """The six coordinates of a free root, in the order of `_root_order`, that place its body.

    Turns come from the Davenport angles of the joint's three axes; at gimbal lock the last one is zero.
    """
    T_joint = np.linalg.inv(root.T_parent) @ T_ground_body @ root.T_child
    axes = np.array([turn.axis for turn in root.rotations])
    angles = Rotation.from_matrix(T_joint[:3, :3]).as_davenport(axes, "intrinsic", suppress_warnings=True)
    shifts = np.linalg.solve(np.array([shift.axis for shift in root.translations]).T, T_joint[:3, 3])
    return np.concatenate([angles, shifts])


def _root_order(root: Joint) -> list[str]:
    """Coordinates of the three turns and three shifts.

    Raises:
        OdahError: some axis does not move by a coordinate of its own.
    """
    axes = (*root.rotations, *root.translations)
    names = [name for axis in axes for name in axis.coordinates]
    if len(set(names)) != 6 or any(
        not (isinstance(axis.function, LinearFunction) and axis.function.is_identity) for axis in axes
    ):
        raise OdahError(
            f"the root joint {root.name!r} is not three turns and three shifts of six coordinates"
        )
    return names


def _root_joint(model: Model) -> Joint:
    return next(joint for joint in model.joints if joint.parent == GROUND)


def _free_coordinates(model: Model) -> np.ndarray:
    """Indices of coordinates that are neither locked nor coupled and that move a marker of the model."""
    joint_of = {joint.child: joint for joint in model.joints}
    told: set[str] = set()
    for marker in model.markers:
        body = marker.body
        while body in joint_of:
            told.update(joint_of[body].coordinate_names)
            body = joint_of[body].parent
    dependent = {coupler.dependent for coupler in model.couplers if coupler.is_enforced}
    return np.array(
        [
            index
            for index, c in enumerate(model.coordinates)
            if c.name in told and c.name not in dependent and not c.locked
        ]
    )


def _inner_bounds(lower: Tensor, upper: Tensor) -> tuple[np.ndarray, np.ndarray]:
    margin = torch.where(torch.isfinite(upper - lower), _BOUND_MARGIN * (upper - lower), 0.0)
    return (lower + margin).numpy(), (upper - margin).numpy()


def fill_gaps(solution: InverseKinematics, solved: np.ndarray) -> InverseKinematics:
    """All frames, solved (T,) bool or not: coordinates interpolated linearly, errors NaN."""
    every, known = np.arange(len(solved)), np.flatnonzero(solved)
    coordinates = np.column_stack([np.interp(every, known, column) for column in solution.coordinates.T])
    rms, largest = np.full((2, len(solved)), np.nan)
    rms[solved], largest[solved] = solution.rms_errors, solution.max_errors
    return InverseKinematics(solution.names, coordinates, rms, largest)
