"""What every skeleton file becomes before it is put on a body: one rest pose, one world.

Rest frame of every `Skeleton`: Y up, facing +Z, left = +X, metres (the frame of the SMPL-X T-pose);
in the rest pose all joint orientations are the identity. World: Z-up, metres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from odah.errors import InputError
from odah.motion.roles import Roles, find_roles
from odah.motion.types import Source
from odah.names import SIDES

METRES_PER_UNIT: dict[str, float] = {
    "m": 1.0, "cm": 0.01, "mm": 0.001, "inch": 0.0254, "cmu": 0.0254 / 0.45,
}  # fmt: skip
"""`cmu`: the CMU database's skeletons and their conversions, 1/0.45 inch."""

# Hip to ankle is 0.49 of the stature (Drillis and Contini 1966); people are 1.4 to 2.1 m tall.
LEG_LENGTH_RANGE = (0.49 * 1.4, 0.49 * 2.1)
_MAX_COORDINATE = 1e4  # m
_LEG, _ARM = ("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist")
_MIN_SEGMENT = 0.01  # m
_MIN_STRAIGHTNESS = 0.8  # distance from end to end of a limb over its length; 0.8 is bent by about 74 degrees
_R_ZUP_FROM: dict[str, np.ndarray] = {
    "x": np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]),
    "y": np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]]),
    "z": np.eye(3),
}


@dataclass(frozen=True)
class Skeleton:
    """A tree of joints; offsets (J, 3): each joint from its parent in the rest pose, rest frame, m."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: np.ndarray
    roles: Roles

    @property
    def rest_positions(self) -> np.ndarray:
        """(J, 3) joint positions in the rest pose, rest frame, m."""
        positions = self.offsets.copy()
        for joint, parent in enumerate(self.parents):
            if parent >= 0:
                positions[joint] += positions[parent]
        return positions

    @property
    def leg_length(self) -> float:
        """Hip to knee to ankle, mean of both legs, m."""
        return _leg_length(self.rest_positions, self.roles)


@dataclass(frozen=True)
class SkeletonMotion:
    """A moving skeleton.

    rotmats: (T, J, 3, 3) take a direction in the rest frame to where the joint's motion brings it in world.
    positions: (T, J, 3) joint positions in world, m.
    """

    skeleton: Skeleton
    rotmats: np.ndarray
    positions: np.ndarray
    rate: float
    source: Source

    @property
    def num_frames(self) -> int:
        return len(self.positions)


def pose_tree(
    parents: Sequence[int], local_rotmats: np.ndarray, local_positions: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Forward kinematics: global rotmats (T, J, 3, 3) and positions (T, J, 3) from parent-relative ones.

    Parents come before their children; local_positions may be (J, 3) where nothing but the root moves.
    """
    rotmats = local_rotmats.copy()
    positions = np.broadcast_to(local_positions, local_rotmats.shape[:-1]).copy()
    for joint, parent in enumerate(parents):
        if parent >= 0:
            rotmats[:, joint] = rotmats[:, parent] @ local_rotmats[:, joint]
            turned = rotmats[:, parent] @ positions[:, joint, :, None]
            positions[:, joint] = positions[:, parent] + turned[..., 0]
    return rotmats, positions


def skeleton_motion(
    names: Sequence[str],
    parents: Sequence[int],
    offsets: np.ndarray,
    local_rotmats: np.ndarray,
    local_positions: np.ndarray,
    *,
    rate: float,
    source: Source,
    up: str | None = None,
    unit: str | float | None = None,
) -> SkeletonMotion:
    """Bring a file's skeleton and motion into the rest frame and world of this module.

    Args:
        offsets: (J, 3) rest pose in the file's own axes and unit; all rest orientations the identity.
        local_rotmats: (T, J, 3, 3) parent-relative rotations away from the rest pose.
        local_positions: (T, J, 3) parent-relative positions; the root's is its place in the file's world.
        up: the file's vertical axis, `x`, `y` or `z`; None: the one along which the rest pose stands (the
            recorded person may lie or crawl).
        unit: a name of `METRES_PER_UNIT` or metres per unit; None: the one that makes the legs human.

    Raises:
        InputError: the joints are not a person's, or axis, unit, rate or numbers make no sense.
    """
    where = source.path
    roles = find_roles(names, parents, where)
    check_rate(rate, where)
    metres = _metres_per_unit(unit, Skeleton((), tuple(parents), offsets, roles), where)
    rotmats, positions = pose_tree(parents, local_rotmats, local_positions * metres)
    if not np.abs(positions).max() < _MAX_COORDINATE:
        raise InputError(
            f"{where}, joint positions", "values beyond 10 km or not finite", "a person in a room"
        )
    rest = Skeleton(tuple(names), tuple(parents), offsets * metres, roles)
    R_file_rest = _rest_axes(rest.rest_positions, roles, where)
    rest_up = "xyz"[int(np.abs(R_file_rest[:, 1]).argmax())]
    R_world_file = _R_ZUP_FROM[up_axis(rest_up if up is None else up, where)]
    skeleton = Skeleton(rest.names, rest.parents, rest.offsets @ R_file_rest, roles)
    _check_limbs(skeleton, where)
    return SkeletonMotion(
        skeleton=skeleton,
        rotmats=R_world_file @ rotmats @ R_file_rest,
        positions=positions @ R_world_file.T,
        rate=float(rate),
        source=source,
    )


def check_rate(rate: float, where: object) -> None:
    """Raises InputError unless `rate` is a frame rate in Hz that a recording can have."""
    if not 1.0 <= rate <= 1e4:
        raise InputError(f"{where}, frame rate", f"{rate:g} Hz", "between 1 and 10000 Hz")


def up_axis(up: str, where: object) -> str:
    """`up` in lower case; InputError if it names no axis."""
    axis = str(up).lower()
    if axis not in _R_ZUP_FROM:
        raise InputError(f"{where}, option up", repr(up), "x, y or z")
    return axis


def rotate_to_world(positions: np.ndarray, up: str) -> np.ndarray:
    """(..., 3) positions with the vertical axis `up` in Z-up axes."""
    return positions @ _R_ZUP_FROM[up].T


def _leg_length(rest_positions: np.ndarray, roles: Roles) -> float:
    joints = [[roles.limbs[f"{side}_{j}"] for j in _LEG] for side in SIDES]
    return float(np.linalg.norm(np.diff(rest_positions[joints], axis=1), axis=-1).sum(axis=1).mean())


def _check_limbs(skeleton: Skeleton, where: object) -> None:
    """Raises InputError unless arms and legs have lengths and are about straight at rest, legs downwards."""
    rest_positions = skeleton.rest_positions
    for side in SIDES:
        for limb in (_LEG, _ARM):
            joints = [skeleton.roles.limbs[f"{side}_{joint}"] for joint in limb]
            segments = np.diff(rest_positions[joints], axis=0)
            lengths, whole = np.linalg.norm(segments, axis=1), segments.sum(axis=0)
            if lengths.min() < _MIN_SEGMENT or np.linalg.norm(whole) < _MIN_STRAIGHTNESS * lengths.sum():
                found = f"{side} {' to '.join(limb)} bent or of {lengths[0]:.2g} and {lengths[1]:.2g} m"
                raise InputError(f"{where}, rest pose", found, "straight arms and legs")
            if limb is _LEG and -whole[1] < 0.5 * lengths.sum():
                raise InputError(
                    f"{where}, rest pose", f"a {side} leg that does not point down", "standing legs"
                )


def _metres_per_unit(unit: str | float | None, skeleton: Skeleton, where: object) -> float:
    leg = skeleton.leg_length
    if unit is None:
        low, high = LEG_LENGTH_RANGE
        fitting = [metres for metres in METRES_PER_UNIT.values() if low <= leg * metres <= high]
        if not fitting:
            units = ", ".join(METRES_PER_UNIT)
            raise InputError(
                f"{where}, leg length", f"{leg:g}", f"{low:.2f} to {high:.2f} m in one of {units}"
            )
        return fitting[0]
    metres = METRES_PER_UNIT.get(unit) if isinstance(unit, str) else float(unit)
    if metres is None or not 0 < metres < np.inf:
        raise InputError(
            f"{where}, option unit", repr(unit), f"one of {', '.join(METRES_PER_UNIT)} or metres per unit"
        )
    return metres


def _nearest_axis(direction: np.ndarray) -> np.ndarray:
    """The coordinate axis within 26 degrees of `direction`, else `direction` itself, of unit length."""
    direction = direction / max(np.linalg.norm(direction), 1e-12)
    largest = int(np.abs(direction).argmax())
    if abs(direction[largest]) < 0.9:
        return direction
    return np.sign(direction[largest]) * np.eye(3)[largest]


def _rest_axes(rest_positions: np.ndarray, roles: Roles, where: object) -> np.ndarray:
    """Columns: where left, up and forward of the standing person point in the file's rest pose."""
    hips = rest_positions[[roles.limbs["left_hip"], roles.limbs["right_hip"]]]
    up = _nearest_axis(rest_positions[roles.head] - hips.mean(axis=0))
    left = hips[0] - hips[1]
    left = _nearest_axis(left - (left @ up) * up)
    forward = np.cross(left, up)
    axes = np.stack([left, up, forward], axis=1)
    if abs(np.linalg.det(axes) - 1) > 1e-6:
        raise InputError(f"{where}, rest pose", "hips and head at one place", "a standing person")
    toes = [
        rest_positions[roles.limbs[f"{s}_foot"]] - rest_positions[roles.limbs[f"{s}_ankle"]]
        for s in SIDES
        if f"{s}_foot" in roles.limbs
    ]
    if toes and np.mean(toes, axis=0) @ forward < 0:
        raise InputError(
            f"{where}, rest pose", "toes that point backwards", "left on the left (is it mirrored?)"
        )
    return axes
