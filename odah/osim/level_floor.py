"""The floor that a recorded motion walks on: found under resting feet, and brought level to height 0.

A laboratory's axes are set up by hand, and a fitted skeleton's feet rest a little higher at one end of the
room than at the other: over a few metres that comes to centimetres.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.distance import pdist
from scipy.spatial.transform import Rotation

from odah.osim.contact_points import contact_points, with_contact_markers
from odah.osim.fk import ForwardKinematics
from odah.osim.ik.start import root_coordinates
from odah.osim.kinematics import Kinematics
from odah.osim.model import GROUND
from odah.osim.travel import runs

MAX_SLOPE = np.deg2rad(2.0)
"""What leans more is a ramp, stairs or not a floor at all."""
_REST_SPEED = 0.3
"""m/s; a heel or ball that is slower and carries somebody rests on the floor."""
_SPEED_SMOOTHING = 0.03
"""s; standard deviation of the Gaussian over the path of which that speed is taken."""
_MIN_STANCE, _FULL_STANCE = 0.06, 0.15
"""s; shorter rests do not count, longer ones no more than these."""
_LOWEST_ZONE = 0.05
"""m; what carries somebody is no higher above the lowest part of the feet."""
_KNEE_CLEARANCE = 0.12
"""m; where knees, hands and pelvis keep this far above the soles, feet alone carry."""
_FEET_SHARE = 0.7
"""Of all frames; below it somebody lies, kneels, crawls or hangs."""
_HEIGHT_SIGMA = 0.008
"""m; spread of the heights at which a fitted skeleton's feet rest on a level floor."""
_SLOPE_SIGMA = np.deg2rad(1.0)
"""How far recorded floors slope; what stances leave open stays level."""
_MAX_SPREAD = 0.025
"""m; rests that lie further from the floor found tell of steps or boxes, not of one floor."""
_MIN_GAIN = 0.25
"""Share of the spread of heights that a slope must explain."""
_MIN_RISE = 0.004
"""m; a floor that rises less over all rests is level."""
_MIN_RESTS, _MIN_SPAN = 3, 1.0
"""Rests, and how far apart they are in m, that can tell a slope from a foot that is fitted too low."""
_NUM_ITERATIONS = 30


@dataclass(frozen=True)
class FloorPlane:
    """height + slope . ((x, z) - centre), m in ground; slope (2,) rises in m per m along x and z."""

    height: float
    slope: np.ndarray
    centre: np.ndarray

    @property
    def angle(self) -> float:
        """Against level, rad."""
        return float(np.arctan(np.linalg.norm(self.slope)))

    def heights(self, points: Float[np.ndarray, "*B 3"]) -> Float[np.ndarray, "*B"]:
        """Of the floor under points, m."""
        return self.height + (points[..., [0, 2]] - self.centre) @ self.slope


@dataclass(frozen=True)
class _Rests:
    """Where heels and balls rested: points (N, 3) m in ground; weights (N,)."""

    points: np.ndarray
    weights: np.ndarray


def find_floor(kinematics: Kinematics) -> FloorPlane | None:
    """The plane on which the feet of a moving full-body model rest; None where feet do not tell one.

    It slopes only as far as rests spread out over the ground say so: along a straight walk, but not across.
    """
    rests = _rests(kinematics)
    if rests is None:
        return None
    level, sloped = _level_plane(rests), fit_plane(rests.points, rests.weights)
    floor = sloped if _tells_slope(rests, level, sloped) else level
    return floor if _spread(rests, floor) < _MAX_SPREAD else None


def fit_plane(points: Float[np.ndarray, "N 3"], weights: Float[np.ndarray, " N"]) -> FloorPlane:
    """The plane (points in m, Y up) under most points, its slope drawn towards level."""
    centre = np.average(points[:, [0, 2]], axis=0, weights=weights)
    columns = np.column_stack([np.ones(len(points)), points[:, [0, 2]] - centre])
    height, *slope = _robust_fit(columns, points[:, 1], weights)
    return FloorPlane(float(height), np.array(slope), centre)


def _level_plane(rests: _Rests) -> FloorPlane:
    height = _robust_fit(np.ones((len(rests.points), 1)), rests.points[:, 1], rests.weights)
    return FloorPlane(float(height[0]), np.zeros(2), rests.points[:, [0, 2]].mean(axis=0))


def _robust_fit(columns: np.ndarray, heights: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Factors of the columns (N, K), the first of them a height, the others slopes about 0 +- _SLOPE_SIGMA:
    Huber's estimate (1964) by reweighted least squares."""
    prior = np.full(columns.shape[1], (_HEIGHT_SIGMA / _SLOPE_SIGMA) ** 2)
    prior[0] = 0.0
    shares, factors = np.ones(len(heights)), np.zeros(columns.shape[1])
    for _ in range(_NUM_ITERATIONS):
        weighted = columns * (weights * shares)[:, None]
        factors = np.linalg.solve(weighted.T @ columns + np.diag(prior), weighted.T @ heights)
        shares = _HEIGHT_SIGMA / np.maximum(np.abs(heights - columns @ factors), _HEIGHT_SIGMA)
    return factors


def _tells_slope(rests: _Rests, level: FloorPlane, sloped: FloorPlane) -> bool:
    """Whether rests lie far enough apart, and on the slope, much nearer to it than to a level floor: a step
    is neither."""
    if len(rests.points) < _MIN_RESTS or pdist(rests.points[:, [0, 2]]).max() < _MIN_SPAN:
        return False
    rises = np.ptp(sloped.heights(rests.points)) > _MIN_RISE
    explains = _spread(rests, sloped) < min((1 - _MIN_GAIN) * _spread(rests, level), _HEIGHT_SIGMA)
    return bool(rises and explains and sloped.angle < MAX_SLOPE)


def levelled(kinematics: Kinematics, floor: FloorPlane) -> Kinematics:
    """The same motion turned and shifted as a whole, so that the floor is y = 0 of ground."""
    turn, notes = np.eye(3), kinematics.notes
    if floor.angle > 0:
        normal = np.array([-floor.slope[0], 1.0, -floor.slope[1]])
        turn = _shortest_turn(normal / np.linalg.norm(normal))
        notes = (*notes, f"the recorded floor sloped {np.rad2deg(floor.angle):.1f} deg: levelled")
    centre = np.array([floor.centre[0], floor.height, floor.centre[1]])
    shift = centre * [1.0, 0.0, 1.0] - turn @ centre
    return replace(kinematics, coordinates=_moved(kinematics, turn, shift), notes=notes)


def _rests(kinematics: Kinematics) -> _Rests | None:
    """None where others than feet carry the person, or nothing rests."""
    model, rate = with_contact_markers(kinematics.model), kinematics.rate
    with torch.no_grad():
        pose = ForwardKinematics(model)(torch.as_tensor(kinematics.coordinates))
    points, parts = pose.markers.numpy(), [point.part for point in contact_points(model)]
    soles = [_soles(points, parts, side) for side in "rl"]
    lowest = np.min([sole[..., 1].min(axis=1) for sole in soles], axis=0)
    others = points[:, [part.startswith(("knee", "hand")) for part in parts], 1].min(axis=1)
    others = np.minimum(others, pose.body_positions[:, model.body_names.index("pelvis"), 1].numpy())
    if len(points) < 3 or (others > lowest + _KNEE_CLEARANCE).mean() < _FEET_SHARE:
        return None
    found = [rest for sole in soles for rest in _rests_of_foot(sole, lowest, rate)]
    return _Rests(np.array([p for p, _ in found]), np.array([w for _, w in found])) if found else None


def _soles(points: np.ndarray, parts: list[str], side: str) -> np.ndarray:
    """(T, 4, 3) of heel and ball; the tip of the toes tells of their joint rather than of the floor."""
    return points[:, [part in (f"heel_{side}", f"ball_{side}") for part in parts]]


def _rests_of_foot(sole: np.ndarray, lowest: np.ndarray, rate: float) -> list[tuple[np.ndarray, float]]:
    """Point (3,) and weight of each rest of one foot, (T, 4, 3); lowest (T,) of both feet."""
    smooth = gaussian_filter1d(sole, _SPEED_SMOOTHING * rate, axis=0, mode="nearest")
    speeds = np.linalg.norm(np.gradient(smooth, axis=0), axis=-1) * rate
    frames, bearing = np.arange(len(sole)), sole[..., 1].argmin(axis=1)
    points = sole[frames, bearing]
    carries = (speeds[frames, bearing] < _REST_SPEED) & (points[:, 1] < lowest + _LOWEST_ZONE)
    return [
        (np.median(points[start:end], axis=0), min((end - start) / rate / _FULL_STANCE, 1.0))
        for start, end in runs(carries)
        if end - start >= _MIN_STANCE * rate
    ]


def _spread(rests: _Rests, floor: FloorPlane) -> float:
    """Weighted mean distance of rests from a floor, m."""
    return float(np.average(np.abs(rests.points[:, 1] - floor.heights(rests.points)), weights=rests.weights))


def _shortest_turn(normal: np.ndarray) -> np.ndarray:
    """(3, 3): takes a unit vector to +Y about the axis that is perpendicular to both."""
    axis = np.cross(normal, [0.0, 1.0, 0.0])
    sine = np.linalg.norm(axis)
    return Rotation.from_rotvec(axis / sine * np.arctan2(sine, normal[1])).as_matrix()


def _moved(kinematics: Kinematics, turn: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """(T, C) coordinates after x -> turn @ x + shift of the whole skeleton in ground."""
    model, values = kinematics.model, kinematics.coordinates.copy()
    root = next(joint for joint in model.joints if joint.parent == GROUND)
    names = [axis.coordinates[0] for axis in (*root.rotations, *root.translations)]
    columns = [model.coordinate_names.index(name) for name in names]
    with torch.no_grad():
        pose = ForwardKinematics(model)(torch.as_tensor(values))
    body = model.body_names.index(root.child)
    T = np.tile(np.eye(4), (len(values), 1, 1))
    T[:, :3, :3] = turn @ pose.body_rotmats[:, body].numpy()
    T[:, :3, 3] = pose.body_positions[:, body].numpy() @ turn.T + shift
    found = root_coordinates(root, T)
    found[:, :3] += 2 * np.pi * np.round((values[:, columns[:3]] - found[:, :3]) / (2 * np.pi))
    values[:, columns] = found
    return values
