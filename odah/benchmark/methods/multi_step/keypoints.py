"""What a detector of 2D keypoints says of one view, and who can be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from jaxtyping import Float

from odah.benchmark.methods.multi_step.keypoint_sets import KeypointSet
from odah.benchmark.recording import Recording


@dataclass(frozen=True, eq=False)
class Keypoints:
    """Keypoints of up to N people in the recording's T frames of a view.

    pixels: of the full picture, as its lens shows it, NaN where there is none. confidence: 0 to 1, 0 where
    there is none. notes: what is to be said of them.
    """

    pixels: Float[np.ndarray, "T N M 2"]
    confidence: Float[np.ndarray, "T N M"]
    notes: tuple[str, ...] = field(default=())


class KeypointSource(Protocol):
    """place_deviation: m, how far a keypoint lies from its place on the model, as a standard deviation."""

    @property
    def keypoint_set(self) -> KeypointSet: ...

    @property
    def place_deviation(self) -> float: ...

    @property
    def facts(self) -> Mapping[str, Any]:
        """All that the keypoints depend on but the recording, as JSON values."""
        ...

    def keypoints(self, recording: Recording, view: str) -> Keypoints:
        """Of one view.

        Raises:
            OdahError: none can be had.
        """
        ...


def out_of_crops(
    pixels: Float[np.ndarray, "T N M 2"], crops: Float[np.ndarray, "T 3"], size: int
) -> Float[np.ndarray, "T N M 2"]:
    """Pixels of crops of `size` px in those of the full pictures; the inverse of `squares.in_crops`."""
    corner, side = crops[:, None, None, :2], crops[:, None, None, 2:]
    return corner + (pixels + 0.5) * side / size - 0.5
