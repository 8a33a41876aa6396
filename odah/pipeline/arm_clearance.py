"""Arms that make room for the body they hang beside.

A motion imagined, or recorded from someone narrower, may hold a hand where this body has its hip. Where the
motion is ours to choose, shoulder and elbow give way by as little as brings hand and forearm out; the
coordinates say so, hence the labels stay those of what is seen. Measured joint angles are not to be passed
through here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from scipy.ndimage import convolve1d, maximum_filter1d, minimum_filter1d
from scipy.spatial import KDTree
from scipy.spatial.transform import Rotation

from odah.body.checks.body_sample import BodySample, sample_body
from odah.body.checks.thresholds import MAX_SELF_PENETRATION
from odah.body.fitting.body_fitter import BodyFitter
from odah.motion.types import R_WORLD_GROUND
from odah.names import SIDES, SMPLX_INDEX
from odah.osim.fk import ForwardKinematics
from odah.osim.kinematics import Kinematics

_GIVES = ("arm_add", "arm_rot", "arm_flex", "elbow_flex")
_HANGING_EASE = np.array([0.3, 0.1, 0.1, 0.1])
_BENT_EASE = np.array([0.2, 0.2, 0.2, 0.1])
"""rad; how readily each gives way: hanging arms move out sideways before anything else, of bent ones whatever
clears them best."""
_LOW, _HIGH = np.deg2rad([[-25.0, -25.0, -20.0, 0.0], [0.0, 0.0, 20.0, 25.0]])
"""The most each may change: outwards (`arm_add` lifts sideways and `arm_rot` turns outwards when negative),
forwards or back, and bent further."""

_SURFACE = ("trunk", "left thigh", "right thigh")

_CLEARANCE, _HANGING_DEPTH = 0.005, 0.010
"""m; an arm that hangs deeper than the latter inside the body is brought this far out of it."""
_TOUCHING_DEPTH = 0.015
"""m; what a hand or forearm laid on the body may press in, less than `MAX_SELF_PENETRATION`."""
_HANGING_FLEXION = np.deg2rad(60.0)
"""An elbow bent further may bring hand and forearm to the body on purpose: hands on hips, folded arms."""

_RATE = 12.0
"""Hz; at which the overlap is looked at."""
_EASING = 0.2
"""s; a change grows over the twice of it, and fades as slowly."""
_PASSES = 3
"""The body is fitted anew to what was changed; its shoulder girdle gives way too."""
_MAX_STEPS = 12
_REACH = 0.10
"""m; no limb is that thick, so nothing is deeper."""
_CLOSE_ENOUGH = 0.001
_DIFFERENCE = 1e-4


@dataclass(frozen=True)
class _Pose:
    """One arm in one frame, world: points (P, 3), shoulder and elbow (3,), m; axes (4, 3) of `_GIVES`."""

    points: np.ndarray
    shoulder: np.ndarray
    elbow: np.ndarray
    axes: np.ndarray

    def turned(self, change: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The points (P, 3) after the coordinates change (4,) rad, and their velocities (P, 3, 4)."""
        bend = Rotation.from_rotvec(change[3] * self.axes[3])
        swing = Rotation.from_rotvec(change[:3] @ self.axes[:3])
        elbow = swing.apply(self.elbow - self.shoulder)
        from_elbow = swing.apply(bend.apply(self.points - self.elbow))
        from_shoulder = from_elbow + elbow
        velocities = [np.cross(axis, from_shoulder) for axis in self.axes[:3]]
        velocities.append(np.cross(swing.apply(self.axes[3]), from_elbow))
        return from_shoulder + self.shoulder, np.stack(velocities, -1)


@dataclass(frozen=True)
class _Look:
    """The body in some frames (S,) of a motion, world, m: points and normals (S, P, 3) of the sample's
    `_arms_and_trunk`, joints (S, 55, 3), and a tree of the points on trunk and thighs for each frame."""

    kinematics: Kinematics
    points: np.ndarray
    joints: np.ndarray
    normals: np.ndarray
    trees: list[KDTree]


def clear_arms(
    kinematics: Kinematics, fitter: BodyFitter, betas: np.ndarray, guide: np.ndarray | None = None
) -> Kinematics:
    """The motion with hands and forearms out of trunk and thighs of a body that follows it.

    Only angles of shoulders and elbows change, within their ranges, smoothly, and only around the frames in
    which an arm is deep inside; a motion without such frames comes back as it is. Hanging arms get clear;
    bent ones, which may touch on purpose, only get out as far as flesh gives. A note tells the change.

    Args:
        betas: (B,) of `fitter.body`. guide: (T, 55, 3), as for `BodyFitter.fit_pose`.
    """
    sample = _arms_and_trunk(sample_body(fitter.body, betas))
    stride = max(1, round(kinematics.rate / _RATE))
    frames = np.arange(0, kinematics.num_frames, stride)
    columns = [[kinematics.model.coordinate_names.index(f"{name}_{side[0]}") for name in _GIVES]
               for side in SIDES]  # fmt: skip
    rooms = [_room(kinematics, own, stride) for own in columns]
    needed = [np.zeros((len(frames), len(_GIVES))) for _ in SIDES]
    change = np.zeros_like(kinematics.coordinates)
    for _ in range(_PASSES):
        moved = replace(kinematics, coordinates=kinematics.coordinates + change)
        look = _look(moved, fitter, sample, frames, guide)
        was_short = False
        for side, own, room, need in zip(SIDES, columns, rooms, needed, strict=True):
            done = change[frames][:, own]
            more = _more(side, own, look, sample, (room[0][frames] - done, room[1][frames] - done))
            is_short = more.any(axis=1)
            was_short |= bool(is_short.any())
            need[is_short] = done[is_short] + more[is_short]
            change[:, own] = _eased(_held(need, stride, kinematics.num_frames), kinematics.rate)
        if not was_short:
            break
    if not change.any():
        return kinematics
    most = np.rad2deg(np.abs(change).max())
    note = f"arms moved by up to {most:.0f} degrees, so that hands and forearms clear the body"
    return replace(kinematics, coordinates=kinematics.coordinates + change, notes=(*kinematics.notes, note))


def _arms_and_trunk(sample: BodySample) -> BodySample:
    """The points that matter: hands, forearms, trunk, thighs."""
    is_in = np.array([part.split()[-1] in ("hand", "forearm", "trunk", "thigh") for part in sample.parts])
    index = np.flatnonzero(is_in)
    return BodySample(
        sample.body.restricted_to(index),
        sample.betas,
        sample.parts[index],
        sample.rest[index],
        sample.normals[index],
    )


def _room(kinematics: Kinematics, columns: list[int], stride: int) -> tuple[np.ndarray, np.ndarray]:
    """By how much (T, 4) the coordinates may change in all frames to which `_eased` spreads a change."""
    now = kinematics.coordinates[:, columns]
    low, high = kinematics.model.coordinate_ranges[columns].T
    width = 4 * round(_EASING * kinematics.rate) + 2 * stride + 1
    return (
        maximum_filter1d(np.clip(low - now, _LOW, 0), width, axis=0, mode="nearest"),
        minimum_filter1d(np.clip(high - now, 0, _HIGH), width, axis=0, mode="nearest"),
    )


def _held(values: np.ndarray, stride: int, count: int) -> np.ndarray:
    """(count, K): each of the frames takes the value of the nearest one looked at, `stride` apart."""
    nearest = (np.arange(count) + stride // 2) // stride
    return values[np.minimum(nearest, len(values) - 1)]


def _look(
    kinematics: Kinematics, fitter: BodyFitter, sample: BodySample, frames: np.ndarray,
    guide: np.ndarray | None,
) -> _Look:  # fmt: skip
    stride = frames[1] - frames[0] if len(frames) > 1 else 1
    some = replace(
        kinematics, coordinates=kinematics.coordinates[frames], rate=kinematics.rate / float(stride)
    )
    fit = fitter.fit_pose(some, sample.betas, None if guide is None else guide[frames])
    points, normals = sample.posed(fit.poses, fit.transl)
    arrays = (torch.as_tensor(a, dtype=sample.body.dtype) for a in (fit.betas, fit.poses, fit.transl))
    with torch.no_grad():
        joints = sample.body.posed_joints(*arrays)[0].numpy()
    is_surface = np.isin(sample.parts, _SURFACE)
    trees = [KDTree(frame) for frame in points[:, is_surface]]
    return _Look(some, points, joints, normals[:, is_surface], trees)


def _more(
    side: str, columns: list[int], look: _Look, sample: BodySample, bounds: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """(S, 4) by how much more an arm has to change, within bounds (S, 4)."""
    own = np.isin(sample.parts, [f"{side} hand", f"{side} forearm"])
    shoulder, elbow = (look.joints[:, SMPLX_INDEX[f"{side}_{name}"]] for name in ("shoulder", "elbow"))
    axes = _axes(look.kinematics, side, columns)
    is_hanging = look.kinematics.coordinates[:, columns[_GIVES.index("elbow_flex")]] < _HANGING_FLEXION
    return np.stack(
        [
            _needed(
                _Pose(look.points[t, own], shoulder[t], elbow[t], axes[t]),
                tree, look.normals[t], bool(is_hanging[t]), (bounds[0][t], bounds[1][t]),
            )
            for t, tree in enumerate(look.trees)
        ]
    )  # fmt: skip


def _axes(some: Kinematics, side: str, columns: list[int]) -> Float[np.ndarray, "T 4 3"]:
    """About which each of `_GIVES` turns what it moves, world, from forward kinematics."""
    forward = ForwardKinematics(some.model)
    ulna = some.model.body_names.index(f"ulna_{side[0]}")
    at = torch.as_tensor(some.coordinates)
    axes = []
    with torch.no_grad():
        before = forward(at).body_rotmats[:, ulna].numpy()
        for column in columns:
            moved = at.clone()
            moved[:, column] += _DIFFERENCE
            after = forward(moved).body_rotmats[:, ulna].numpy()
            axes.append(Rotation.from_matrix(after @ before.swapaxes(1, 2)).as_rotvec() / _DIFFERENCE)
    return np.stack(axes, 1) @ R_WORLD_GROUND.T


def _needed(
    pose: _Pose,
    surface: KDTree,
    normals: np.ndarray,
    is_hanging: bool,
    bounds: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """(4,) a least change that brings the arm out of the surface (S, 3), with outward normals (S, 3).

    Projects onto what the deepest point asks for, until none is too deep. Where moving out sideways would
    bring a point deeper, it is on the far side of a limb, or laid there on purpose, and left out.
    """
    wanted = -_CLEARANCE if is_hanging else _TOUCHING_DEPTH
    ease = _HANGING_EASE if is_hanging else _BENT_EASE
    allowed = _HANGING_DEPTH if is_hanging else MAX_SELF_PENETRATION
    change = np.zeros(len(_GIVES))
    for _ in range(_MAX_STEPS):
        points, velocities = pose.turned(change)
        distance, index = surface.query(points, distance_upper_bound=_REACH)
        own = np.flatnonzero(np.isfinite(distance))
        near = np.asarray(index)[own]
        depth = -((points[own] - surface.data[near]) * normals[near]).sum(-1)
        slopes = np.einsum("pi,pik->pk", normals[near], velocities[own])
        depth[slopes[:, 0] >= 0] = -np.inf
        if depth.max(initial=-np.inf) < allowed:
            break
        allowed = wanted + _CLOSE_ENOUGH
        slope, excess = slopes[depth.argmax()], depth.max() - wanted
        push = ease**2 * slope
        push[(change <= bounds[0]) & (push < 0) | (change >= bounds[1]) & (push > 0)] = 0
        if not push.any():
            break
        change = np.clip(change + push * excess / (slope @ push), *bounds)
    return change


def _eased(needed: Float[np.ndarray, "T K"], rate: float) -> Float[np.ndarray, "T K"]:
    """A smooth change that is nowhere less than what is needed, and nothing `2 * _EASING` away from it.

    The greatest need within `_EASING`, averaged over a Hann window of that half-width: where it varies by d,
    it accelerates with at most pi d / _EASING^2.
    """
    half = round(_EASING * rate)
    window = np.hanning(2 * half + 3)[1:-1]
    window /= window.sum()
    up, down = (
        convolve1d(
            maximum_filter1d(part, 2 * half + 1, axis=0, mode="nearest"), window, axis=0, mode="nearest"
        )
        for part in (np.maximum(needed, 0), np.maximum(-needed, 0))
    )
    return up - down
