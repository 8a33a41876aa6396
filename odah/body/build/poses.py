"""Random poses a person can take, to learn pose correctives from.

Wide rather than natural: every joint covers its range of motion, in combination with all others.
The left side is drawn and the right side drawn likewise and mirrored.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from odah.names import FINGERS, SIDES, SMPLX_INDEX, SMPLX_JOINTS

_MIRROR = np.array([1.0, -1.0, -1.0])
"""What mirroring left to right does to a rotation vector."""

_NEAR_REST_SHARE = 0.25

_TRUNK = {"spine1": 0.24, "spine2": 0.17, "spine3": 0.15, "neck": 0.24, "head": 0.22}
"""Spread of forward bending, rad; sideways 0.6 and twist 0.8 of it."""


def random_poses(rng: np.random.Generator, size: int) -> np.ndarray:
    """Local rotation vectors (size, 55, 3), rad, root at rest; a quarter of them shrunk towards rest."""
    poses = np.stack([_random_pose(rng) for _ in range(size)])
    shrink = np.where(rng.random(size) < _NEAR_REST_SHARE, rng.random(size), 1.0)
    return poses * shrink[:, None, None]


def _random_pose(rng: np.random.Generator) -> np.ndarray:
    pose = np.zeros((len(SMPLX_JOINTS), 3))
    for name, spread in _TRUNK.items():
        pose[SMPLX_INDEX[name]] = rng.normal([0.05, 0, 0], np.array([1, 0.8, 0.6]) * spread)
    pose[SMPLX_INDEX["jaw"], 0] = abs(rng.normal(0, 0.08))
    for side in SIDES:
        mirror = _MIRROR if side == "right" else 1.0
        for part in (_leg(rng), _arm(rng), _hand(rng)):
            for name, rotvec in part.items():
                pose[SMPLX_INDEX[f"{side}_{name}"]] = np.asarray(rotvec) * mirror
    return pose


def _leg(rng: np.random.Generator) -> dict[str, list[float]]:
    """Standing and walking half of the time, squatting, sitting and kicking otherwise."""
    if rng.random() < 0.5:
        hip, knee = rng.normal(-0.35, 0.5), abs(rng.normal(0, 0.9))
    else:
        hip, knee = rng.uniform(-2.2, 0.6), rng.uniform(0, 2.4)
    abduction = np.clip(rng.normal(0.08, 0.22), -0.35, 0.9)
    return {
        "hip": [np.clip(hip, -2.3, 0.7), rng.normal(0, 0.3), abduction],
        "knee": [np.clip(knee, 0, 2.5), rng.normal(0, 0.1), rng.normal(0, 0.05)],
        "ankle": rng.normal(0, [0.3, 0.15, 0.12]).tolist(),
        "foot": [rng.normal(0, 0.2), 0.0, 0.0],
    }


def _arm(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Arm hanging, level or overhead, swung back to forward, twisted; the collar follows upwards."""
    low, high = [(-1.5, -0.7), (-0.9, 0.3), (0.2, 1.3)][rng.choice(3, p=[0.5, 0.3, 0.2])]
    elevation = rng.uniform(low, high)
    forward = rng.uniform(-0.7, 1.7) * max(np.cos(elevation), 0.35)
    collar = rng.normal([0, 0, 0.15 * elevation], [0.06, 0.12, 0.15])
    return {
        "collar": np.clip(collar, -0.4, 0.5),
        "shoulder": _turns(("y", -forward), ("z", elevation), ("x", rng.normal(0, 0.5))),
        "elbow": _turns(("y", -min(abs(rng.normal(0, 0.9)), 2.5)), ("x", rng.normal(0, 0.5))),
        "wrist": _turns(("y", rng.normal(0, 0.2)), ("z", rng.normal(0, 0.35)), ("x", rng.normal(0, 0.45))),
    }  # fmt: skip


def _turns(*steps: tuple[str, float]) -> np.ndarray:
    """Rotation vector of intrinsic turns about the named axes, the first applied outermost."""
    axes, angles = zip(*steps, strict=True)
    return Rotation.from_euler("".join(axes).upper(), angles).as_rotvec()


def _hand(rng: np.random.Generator) -> dict[str, list[float]]:
    """Each knuckle from a little overstretched to well bent; the thumb moves freely."""
    hand = {}
    for finger in FINGERS:
        for k in (1, 2, 3):
            if finger == "thumb":
                hand[f"thumb{k}"] = rng.normal(0, [0.15, 0.2, 0.15]).tolist()
            else:
                hand[f"{finger}{k}"] = [0.0, rng.normal(0, 0.05) if k == 1 else 0.0, rng.uniform(-1.4, 0.1)]
    return hand
