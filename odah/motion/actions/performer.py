"""How one person does things: drawn from the subject's seed, so that all of a subject's actions agree."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from odah.motion.actions.poses import mirrored, standing_pose
from odah.motion.actions.ranges import COLUMN

LEFT_HANDED_SHARE = 0.3
"""More than the tenth of real populations, so that both sides are seen often."""

_POSTURE_SIGMA_DEG = {
    "pelvis_tilt": 2.0, "pelvis_rotation": 4.0, "lumbar_extension": 2.5,
    "lumbar_bending": 0.8, "lumbar_rotation": 1.5,
    "hip_adduction": 1.2, "hip_rotation": 3.0, "arm_flex": 2.0, "arm_add": 2.0, "arm_rot": 4.0,
    "elbow_flex": 4.0, "pro_sup": 5.0, "wrist_flex": 3.0, "wrist_dev": 1.5,
}  # fmt: skip
_SWAY_AMPLITUDE_DEG = {
    "pelvis_tilt": 0.5, "pelvis_list": 0.4, "pelvis_rotation": 0.5, "lumbar_extension": 0.7,
    "lumbar_bending": 0.6, "lumbar_rotation": 0.8, "hip_flexion": 0.3, "arm_flex": 0.9, "arm_add": 0.7,
    "arm_rot": 1.0, "elbow_flex": 1.2,
    "pro_sup": 1.0, "wrist_flex": 1.2, "wrist_dev": 0.5,
}  # fmt: skip


def action_generator(name: str, seed: int) -> np.random.Generator:
    """The random numbers of one performance: a function of (name, seed) alone."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def _columns(name: str) -> list[int]:
    return [COLUMN[name]] if name in COLUMN else [COLUMN[f"{name}_r"], COLUMN[f"{name}_l"]]


@dataclass(frozen=True)
class Performer:
    """Traits of a subject.

    tempo: 1 is ordinary, more is quicker. amplitude: size of movements about the standing pose.
    asymmetry: (C,) factor a coordinate. posture: (C,) constant offset, rad.
    """

    is_left_handed: bool
    tempo: float
    amplitude: float
    asymmetry: np.ndarray
    posture: np.ndarray

    @classmethod
    def from_seed(cls, seed: int) -> Performer:
        """Draw the traits of subject `seed`."""
        rng = np.random.default_rng([seed, 0])
        num_coordinates = len(standing_pose())
        posture = np.zeros(num_coordinates)
        for name, sigma in _POSTURE_SIGMA_DEG.items():
            offset = np.clip(rng.normal(), -2, 2)
            for column in _columns(name):
                side = np.clip(rng.normal(), -2, 2)
                posture[column] = np.radians(sigma) * (0.85 * offset + 0.5 * side)
        return cls(
            is_left_handed=bool(rng.random() < LEFT_HANDED_SHARE),
            tempo=float(rng.uniform(0.88, 1.13)),
            amplitude=float(rng.uniform(0.9, 1.08)),
            asymmetry=1.0 + 0.03 * np.clip(rng.normal(size=num_coordinates), -2, 2),
            posture=posture,
        )

    def perform(self, values: np.ndarray, exactness: float = 0.0) -> np.ndarray:
        """An ideal, right-handed movement (T, C) as this person does it.

        exactness: 0 scales movements and posture fully; 1 (hands that must meet something) not at all.
        """
        stand = standing_pose()
        scale = 1.0 + (1.0 - exactness) * (self.amplitude * self.asymmetry - 1.0)
        performed = stand + scale * (values - stand) + (1.0 - 0.7 * exactness) * self.posture
        return mirrored(performed) if self.is_left_handed else performed


def body_sway(rng: np.random.Generator, time: np.ndarray) -> np.ndarray:
    """Small smooth restlessness (T, C), rad: three slow sines a coordinate."""
    sway = np.zeros((len(time), len(COLUMN)))
    for name, amplitude in _SWAY_AMPLITUDE_DEG.items():
        for column in _columns(name):
            frequencies = rng.uniform((0.1, 0.25, 0.5), (0.25, 0.5, 0.9))
            phases = rng.uniform(0, 2 * np.pi, size=3)
            weights = np.radians(amplitude) * np.array([1.0, 0.6, 0.35])
            sway[:, column] = np.sin(2 * np.pi * np.outer(time, frequencies) + phases) @ weights
    return sway
