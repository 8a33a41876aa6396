"""Random poses of a body, to register and to test with: everyday ones often, wide ones seldom.

Powers of uniform numbers draw what people mostly do, such as hanging arms, more often than the far ends of
their ranges, which must still be there for a regressor to hold in them.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from odah.names import SIDES, SMPLX_INDEX

_MIRROR = np.array([1.0, -1.0, -1.0])
"""Mirrors a rotation vector across the sagittal plane."""


def _leg(rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:
    def normal(*sigmas: float) -> np.ndarray:
        return rng.normal(0, sigmas, (count, 3))

    knee = normal(0, 0.02, 0.02)
    knee[:, 0] = rng.uniform(0, 2.0, count) * rng.random(count)
    hip = normal(0, 0.2, 0.15)
    hip[:, 2] += 0.05
    hip[:, 0] = 0.4 - 1.8 * rng.random(count) ** 1.7
    return {"hip": hip, "knee": knee, "ankle": normal(0.25, 0.06, 0.1), "foot": normal(0.15, 0, 0)}


def _arm(rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:
    """Left arm: swing about the lateral axis after elevation from hanging (-1.3 rad, mostly) to overhead."""
    elevation = -1.3 + 1.8 * rng.random(count) ** 4
    swing, horizontal = rng.uniform(-0.9, 0.5, count), rng.uniform(-0.8, 0.2, count)
    twist = rng.uniform(-0.5, 0.5, count)
    turns = Rotation.from_euler("XYZ", np.stack([swing, horizontal, elevation], 1))
    shoulder = (turns * Rotation.from_rotvec(np.outer(twist, [1, 0, 0]))).as_rotvec()
    elbow = np.stack(
        [rng.uniform(-1.2, 0.2, count), -0.05 - 2.05 * rng.random(count) ** 2, np.zeros(count)], 1
    )
    flexion = Rotation.from_rotvec(elbow * [0, 1, 0]) * Rotation.from_rotvec(elbow * [1, 0, 0])
    collar = rng.normal(0, 0.05, (count, 3))
    collar[:, 2] += 0.2 * elevation
    wrist = rng.normal(0, [0.1, 0.15, 0.25], (count, 3))
    return {"collar": collar, "shoulder": shoulder, "elbow": flexion.as_rotvec(), "wrist": wrist}


def sample_poses(rng: np.random.Generator, count: int) -> np.ndarray:
    """(count, 55, 3) rotation vectors, rad; the root about upright and facing +Z; hands flat."""
    poses = np.zeros((count, len(SMPLX_INDEX), 3))
    for side in SIDES:
        for name, rotvec in {**_leg(rng, count), **_arm(rng, count)}.items():
            poses[:, SMPLX_INDEX[f"{side}_{name}"]] = rotvec if side == "left" else rotvec * _MIRROR
    for name in ("spine1", "spine2", "spine3"):
        poses[:, SMPLX_INDEX[name]] = rng.normal([0.04, 0, 0], [0.12, 0.08, 0.06], (count, 3))
    for name in ("neck", "head"):
        poses[:, SMPLX_INDEX[name]] = rng.normal(0, 0.1, (count, 3))
    poses[:, 0] = rng.normal(0, [0.2, 0.5, 0.1], (count, 3))
    return poses


def upright_poses() -> np.ndarray:
    """(2, 55, 3): the T-pose, and standing with hanging arms; hands flat."""
    poses = np.zeros((2, len(SMPLX_INDEX), 3))
    for side in SIDES:
        sign = 1.0 if side == "left" else -1.0
        poses[1, SMPLX_INDEX[f"{side}_shoulder"]] = (0, 0, -1.15 * sign)
        poses[1, SMPLX_INDEX[f"{side}_collar"]] = (0, 0, -0.15 * sign)
        poses[1, SMPLX_INDEX[f"{side}_elbow"]] = (-0.6, -0.2 * sign, 0)
    return poses
