"""Putting a built-in action on the floor for a subject of any size: stance, travel, flight.

The action says which parts of the body carry it. The pelvis goes where the carrying parts stand still
(`travel`), flights fall freely, and the legs (and arms on all fours) are bent a little so that every
carrying point stays exactly on its foothold: inverse kinematics against foot skating, in the spirit of
Kovar et al. 2002, "Footskate cleanup for motion capture editing".
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt, gaussian_filter1d
from torch import Tensor

from odah.errors import InputError
from odah.motion.actions.action import Action
from odah.motion.actions.ranges import coordinate_limits
from odah.motion.types import CoordinateTrajectory
from odah.names import OPENSIM_COORDINATES, ROOT_TRANSLATIONS
from odah.osim.bending import bending_force, solve_bending
from odah.osim.contact_points import ContactPoint, contact_points, with_contact_markers
from odah.osim.fk import ForwardKinematics
from odah.osim.footholds import footholds
from odah.osim.model import Model
from odah.osim.travel import ballistic_path, carried_path

_CONTACT_SIGMA = 0.002
"""m; how far a carrying point may stray from its foothold."""
_POSE_SIGMA = 0.06
"""m; how far a foot may stray from the action's pose (what the sigmas of its angles come to)."""
_REACH_TIME = 0.13
"""s; how long before it lands a limb starts to head for its foothold, and after it lifts to forget it."""
_FLOOR_SIGMA = 0.003
"""m; how deep any point may sink into the floor."""
_ROOT_SIGMAS = (0.015, 0.006, 0.004)
"""m, for each pass; how far the pelvis may stray from its path."""
_CLEARANCE = 0.012
"""m; height of a swinging limb over the floor, at least."""
_CLEARANCE_RISE = 0.06
"""s; standard deviation of the Gaussian over which a limb that leaves the floor gains that height."""
_ANGLE_SIGMA: dict[str, float] = {
    "hip_flexion": 0.12, "hip_adduction": 0.08, "hip_rotation": 0.10, "knee_angle": 0.15, "ankle_angle": 0.15,
    "subtalar_angle": 0.15, "mtp_angle": 0.12,
}  # fmt: skip
"""rad; how far each angle may stray from the action's."""
_ARM_SIGMA: dict[str, float] = {
    "arm_flex": 0.10, "arm_add": 0.10, "arm_rot": 0.10, "elbow_flex": 0.15,
}  # fmt: skip
_NUM_ITERATIONS = 5
_CORRECTION_SMOOTHING = 0.04
_TRAVEL_CORRECTION_SMOOTHING = 0.10
"""s; standard deviations of the Gaussians over what one pass changed, before the next sets out from there:
of angles and height, and of the horizontal path."""
_FLOOR_SOFTNESS = 0.003
"""m; over which the floor sets in."""
_DAMPING = 0.5
"""Share of the pull towards the action's pose by which each step is held back."""
_ANGLE_ACCELERATION_SIGMA, _ROOT_ACCELERATION_SIGMA = 100.0, 20.0
"""rad/s^2 and m/s^2; how hard the correction of the action may turn a joint and push the pelvis. A limb that
lands or is let go of thus takes up the change over the frames around."""
_DIFFERENCE_STEP = 1e-6
_COLUMN = {name: i for i, name in enumerate(OPENSIM_COORDINATES)}


@dataclass(frozen=True)
class _Contacts:
    """Where points must be: targets (T, P, 3), pull (T, P) to them in 0..1, least height clearance (T, P)."""

    pull: Tensor
    targets: Tensor
    clearance: Tensor


@dataclass(frozen=True)
class _Unknowns:
    """Coordinates to solve for. pairs (D/2, 2): right and left column; sigma (D,); the root comes after
    them, so low, high (D + 3,)."""

    pairs: list[tuple[int, int]]
    sigma: Tensor
    low: Tensor
    high: Tensor

    @property
    def columns(self) -> list[int]:
        return [column for pair in self.pairs for column in pair] + [
            _COLUMN[name] for name in ROOT_TRANSLATIONS
        ]


def _unknowns(model: Model, with_arms: bool) -> _Unknowns:
    sigmas = {**_ANGLE_SIGMA, **(_ARM_SIGMA if with_arms else {})}
    pairs = [(_COLUMN[f"{name}_r"], _COLUMN[f"{name}_l"]) for name in sigmas]
    low, high = coordinate_limits()
    model_low, model_high = model.coordinate_ranges.T
    columns = [column for pair in pairs for column in pair]
    free = torch.full((3,), torch.inf, dtype=torch.float64)
    return _Unknowns(
        pairs,
        torch.tensor([value for value in sigmas.values() for _ in "rl"], dtype=torch.float64),
        torch.cat([torch.as_tensor(np.maximum(low, model_low)[columns]), -free]),
        torch.cat([torch.as_tensor(np.minimum(high, model_high)[columns]), free]),
    )


def _point_jacobian(fk: ForwardKinematics, values: Tensor, places: Tensor, unknowns: _Unknowns) -> Tensor:
    """d places / d unknowns, (T, P, 3, D), by forward differences.

    Right and left limbs share no points, so one evaluation serves a pair of coordinates.
    """
    is_right = torch.tensor([marker.name.split("_")[1] == "r" for marker in fk.model.markers])
    num_frames, num_points, _ = places.shape
    jacobian = torch.zeros(num_frames, num_points, 3, 2 * len(unknowns.pairs) + 3, dtype=values.dtype)
    for k, (right, left) in enumerate(unknowns.pairs):
        moved = values.clone()
        moved[:, [right, left]] += _DIFFERENCE_STEP
        slope = (fk(moved).markers - places) / _DIFFERENCE_STEP
        jacobian[:, is_right, :, 2 * k] = slope[:, is_right]
        jacobian[:, ~is_right, :, 2 * k + 1] = slope[:, ~is_right]
    jacobian[..., -3:] = torch.eye(3, dtype=values.dtype)
    return jacobian


def _floor_spring(height: Tensor) -> tuple[Tensor, Tensor]:
    """Pull and stiffness of a spring that only pushes up: residual softplus(-height) over _FLOOR_SOFTNESS."""
    depth = -height / _FLOOR_SOFTNESS
    slope = torch.sigmoid(depth)
    pull = -slope * torch.nn.functional.softplus(depth) * _FLOOR_SOFTNESS / _FLOOR_SIGMA**2
    return pull, (slope / _FLOOR_SIGMA) ** 2


def _hold_contacts(
    fk: ForwardKinematics,
    values: Tensor,
    action: Tensor,
    contacts: _Contacts,
    unknowns: _Unknowns,
    root_sigma: float,
    rate: float,
) -> Tensor:
    """Coordinates (T, C) near `values` with the carrying points on target and the others above the floor.

    Damped Gauss-Newton over all frames at once: what the result adds to `action` (T, C) must not bend
    sharply in time (space-time constraints: Gleicher 1998, "Retargetting motion to new characters").
    Angles stay inside their limits.
    """
    columns, reference = unknowns.columns, values
    precision = torch.cat([unknowns.sigma, torch.full((3,), root_sigma, dtype=values.dtype)]) ** -2
    stiffness = torch.full_like(precision, _ANGLE_ACCELERATION_SIGMA)
    stiffness[-3:] = _ROOT_ACCELERATION_SIGMA
    stiffness = (rate**2 / stiffness) ** 2
    # A pull f / (1 - f) against the pose's own unit pull moves a point the share f of the way.
    contact_weight = contacts.pull / (1 - contacts.pull).clamp_min((_CONTACT_SIGMA / _POSE_SIGMA) ** 2)
    contact_weight = contact_weight / _POSE_SIGMA**2
    for _ in range(_NUM_ITERATIONS):
        places = fk(values).markers
        jacobian = _point_jacobian(fk, values, places, unknowns)
        residual = places - contacts.targets
        weight = contact_weight[..., None].expand(-1, -1, 3).clone()
        floor_pull, floor_weight = _floor_spring(places[..., 1] - contacts.clearance)
        vertical_pull = contact_weight * residual[..., 1] + floor_pull
        weight[..., 1] += floor_weight
        residual[..., 1] = vertical_pull / weight[..., 1].clamp_min(1e-9)
        gradient = torch.einsum("tpki,tpk->ti", jacobian * weight[..., None], residual)
        gradient = gradient + precision * (values[:, columns] - reference[:, columns])
        gradient = gradient + stiffness * bending_force(values[:, columns] - action[:, columns])
        # Angles held at a bound leave the problem, so that the others take over their part.
        is_low = (values[:, columns] <= unknowns.low) & (gradient > 0)
        is_high = (values[:, columns] >= unknowns.high) & (gradient < 0)
        is_free = (~(is_low | is_high)).to(values.dtype)
        jacobian = jacobian * is_free[:, None, None, :]
        normal = torch.einsum("tpki,tpkj->tij", jacobian * weight[..., None], jacobian)
        normal = normal + torch.diag((1 + _DAMPING) * precision)
        step = solve_bending(normal, stiffness, gradient, is_free)
        values = values.clone()
        values[:, columns] = torch.clamp(values[:, columns] - step, unknowns.low, unknowns.high)
    return values


def _settle(
    fk: ForwardKinematics, values: np.ndarray, contacts: _Contacts, unknowns: _Unknowns, rate: float
) -> np.ndarray:
    """Coordinates (T, C) that hold the contacts, their corrections smooth in time.

    Where the action and its contacts disagree, a pass corrects more than the next needs to: that one starts
    from the smoothed correction and has less left to do.
    """
    horizontal = [_COLUMN["pelvis_tx"], _COLUMN["pelvis_tz"]]
    action, solved = torch.as_tensor(values), values
    for k, root_sigma in enumerate(_ROOT_SIGMAS):
        if k > 0:
            change = solved - values
            smooth = gaussian_filter1d(change, _CORRECTION_SMOOTHING * rate, axis=0, mode="nearest")
            sigma = _TRAVEL_CORRECTION_SMOOTHING * rate
            smooth[:, horizontal] = gaussian_filter1d(change[:, horizontal], sigma, axis=0, mode="nearest")
            values = values + smooth
        solved = _hold_contacts(
            fk, torch.as_tensor(values), action, contacts, unknowns, root_sigma, rate
        ).numpy()
    return solved


def _clearance(points: tuple[ContactPoint, ...], weights: np.ndarray, rate: float) -> np.ndarray:
    """Least height (T, P), m: nothing for a limb that carries, _CLEARANCE while it swings."""
    clearance = np.zeros_like(weights)
    sigma = _CLEARANCE_RISE * rate
    for side in "rl":
        for limb in (("heel", "ball", "toe", "instep"), ("knee",), ("hand",)):
            columns = [
                i for i, point in enumerate(points) if point.part in [f"{part}_{side}" for part in limb]
            ]
            carried = weights[:, columns].max(axis=1)
            lifted = np.minimum(gaussian_filter1d(1.0 - carried, sigma, mode="nearest"), 1.0 - carried)
            clearance[:, columns] = _CLEARANCE * lifted[:, None]
    return clearance


def _pull(weights: np.ndarray, rate: float) -> np.ndarray:
    """1 while a point carries, falling smoothly to 0 over _REACH_TIME before and after, (T, P)."""
    pull = np.zeros_like(weights)
    for column, weight in enumerate(weights.T):
        if (weight > 0.5).any():
            away = np.asarray(distance_transform_edt(weight <= 0.5)) / (rate * _REACH_TIME)
            nearness = np.clip(1 - away, 0, 1)
            pull[:, column] = nearness**2 * (3 - 2 * nearness)
    return pull


def _toe_joints(model: Model) -> np.ndarray:
    offsets = {joint.name: joint.T_parent[:3, 3] for joint in model.joints}
    return np.stack([offsets["mtp_r"], offsets["mtp_l"]])


def _centred(values: np.ndarray) -> np.ndarray:
    """The same motion with the middle of its path at the origin."""
    values = values.copy()
    for name in ("pelvis_tx", "pelvis_tz"):
        column = values[:, _COLUMN[name]]
        column -= (column.min() + column.max()) / 2
    return values


@torch.no_grad()
def ground_action(model: Model, action: Action) -> CoordinateTrajectory:
    """The action's coordinates with the pelvis path and the planted limbs of this model.

    model: any model with the 39 coordinates of `OPENSIM_COORDINATES` in that order, of any size. The floor
    is y = 0 of ground; the path is centred on the origin. rad and m.

    Raises:
        InputError: the model has other coordinates.
    """
    if model.coordinate_names != OPENSIM_COORDINATES:
        raise InputError(
            f"model {model.name}",
            f"{len(model.coordinates)} coordinates starting with {model.coordinate_names[:3]}",
            "the 39 coordinates of the full-body model in its order",
        )
    skeleton = with_contact_markers(model)
    fk = ForwardKinematics(skeleton, torch.float64)
    parts = contact_points(model)
    values = action.trajectory.values.copy()
    rate = action.trajectory.rate
    weights = np.stack([action.contacts[point.part] for point in parts], axis=1)
    pose = fk(torch.as_tensor(values))
    masses = torch.tensor([body.mass for body in model.bodies], dtype=torch.float64)
    com = torch.einsum("k,tkd->td", masses / masses.sum(), pose.body_coms).numpy()
    path = carried_path(pose.markers.numpy(), weights, rate)
    path = ballistic_path(path, com, action.is_airborne, rate)
    values[:, [_COLUMN[name] for name in ROOT_TRANSLATIONS]] += path
    places = pose.markers.numpy() + path[:, None]
    targets = footholds(parts, _toe_joints(model), places, weights)
    clearance = _clearance(parts, weights, rate)
    contacts = _Contacts(
        torch.as_tensor(_pull(weights, rate)), torch.as_tensor(targets), torch.as_tensor(clearance)
    )
    has_hands = max(action.contacts["hand_r"].max(), action.contacts["hand_l"].max()) > 0
    values = _settle(fk, values, contacts, _unknowns(model, has_hands), rate)
    values = _centred(fk.couple(torch.as_tensor(values)).numpy())
    return replace(action.trajectory, values=values)
