"""What a method gets and what it is judged by: recordings with calibrated cameras and a known motion.

Letters: T frames, C coordinates, K bodies, J joints.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from odah.scene.camera import Camera


@dataclass(frozen=True, eq=False)
class Motion:
    """A motion of an OpenSim model, known or estimated.

    coordinates: by `coordinate_names`, rad and m. joints: origins of the joints' child frames, ground, m, by
    `joint_names`. scale_factors: of the bodies in `body_names` against the generic model; None where the
    model is of another kind. model: the scaled `.osim`; None if there is none. notes: what is to be said of
    it, a sentence each.
    """

    times: Float[np.ndarray, " T"]
    coordinates: Float[np.ndarray, "T C"]
    coordinate_names: tuple[str, ...]
    joints: Float[np.ndarray, "T J 3"]
    joint_names: tuple[str, ...]
    scale_factors: Float[np.ndarray, "K 3"] | None = None
    body_names: tuple[str, ...] = ()
    model: Path | None = None
    notes: tuple[str, ...] = ()

    def only(self, coordinates: Collection[str]) -> Motion:
        """The same without coordinates that nobody told."""
        places = [k for k, name in enumerate(self.coordinate_names) if name in coordinates]
        return replace(
            self,
            coordinates=self.coordinates[:, places],
            coordinate_names=tuple(self.coordinate_names[k] for k in places),
        )


@dataclass(frozen=True, eq=False)
class View:
    """One camera's video. camera: of the full picture, as calibrated.

    frames: which frame of the video shows the recording's t-th time. mask: video of the person's mask, None
    if there is none. crops: left, top, side of the squares that the video shows of the full picture, px; None
    if it shows full pictures.
    """

    camera: Camera
    video: Path
    frames: Int[np.ndarray, " T"]
    mask: Path | None = None
    crops: Float[np.ndarray, "T 3"] | None = None


@dataclass(frozen=True, eq=False)
class Recording:
    """Somebody's motion as several cameras saw it.

    views: by camera name. T_world_ground: ground (OpenSim, y up) to the cameras' world, m. height: m, mass:
    kg, as measured, None if unknown. read_truth: reads what is known of the motion, at the frames' times.
    """

    dataset: str
    name: str
    subject: str
    action: str
    rate: float
    num_frames: int
    views: Mapping[str, View]
    T_world_ground: Float[np.ndarray, "4 4"]
    read_truth: Callable[[], Motion] = field(repr=False)
    height: float | None = None
    mass: float | None = None

    @cached_property
    def truth(self) -> Motion:
        """The known motion, read once.

        Raises:
            InputError: files that are missing or damaged.
        """
        return self.read_truth()
