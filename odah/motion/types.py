"""What every motion reader returns: arrays with their units, axes and rate said.

`world` is Z-up, metres. `ground` is OpenSim's frame: X forward, Y up, Z right, metres.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

Frame = Literal["world", "ground"]
Gender = Literal["male", "female", "neutral"]

R_WORLD_GROUND = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""Takes ground (Y-up) to world (Z-up): +90 degrees about X, so that X stays forward."""


@dataclass(frozen=True)
class Source:
    """Where a motion came from and under which terms it may be used."""

    path: str
    format: str
    licence: str = "unknown"


@dataclass(frozen=True)
class Motion:
    """A moving person as SMPL-X joint rotations.

    poses: (T, 55, 3) rotation vectors, parent-relative, rad; joint 0 is the root in world.
    transl: (T, 3) AMASS `trans`, world, m.
    leg_length: hip to ankle of the recorded person, m, if the source knows it; used to scale
        `transl` onto a body of another size.
    betas: shape of the licensed body the file was made with; meaningless on any other body.
    """

    poses: np.ndarray
    transl: np.ndarray
    rate: float
    source: Source
    gender: Gender = "neutral"
    betas: np.ndarray | None = None
    surface_model: str = "none"
    leg_length: float | None = None

    @property
    def num_frames(self) -> int:
        return len(self.poses)

    @property
    def time(self) -> np.ndarray:
        return np.arange(self.num_frames) / self.rate


@dataclass(frozen=True)
class MarkerTrajectories:
    """Labelled surface markers: positions (T, M, 3) in m in `frame`; NaN where a marker was not seen.

    notes: sentences about what the reader left out.
    """

    names: tuple[str, ...]
    positions: np.ndarray
    rate: float
    frame: Frame
    source: Source
    start_time: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def num_frames(self) -> int:
        return len(self.positions)

    @property
    def time(self) -> np.ndarray:
        return self.start_time + np.arange(self.num_frames) / self.rate

    def in_ground(self) -> MarkerTrajectories:
        """The same markers in OpenSim's Y-up ground frame."""
        if self.frame == "ground":
            return self
        return replace(self, positions=self.positions @ R_WORLD_GROUND, frame="ground")


@dataclass(frozen=True)
class CoordinateTrajectory:
    """OpenSim coordinates over time: values (T, C), rad and m, in the order of `names`."""

    names: tuple[str, ...]
    values: np.ndarray
    rate: float
    source: Source
    start_time: float = 0.0
    notes: tuple[str, ...] = field(default=())

    @property
    def num_frames(self) -> int:
        return len(self.values)

    @property
    def time(self) -> np.ndarray:
        return self.start_time + np.arange(self.num_frames) / self.rate
