"""How a trial's coordinates use the ranges of their model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from odah.osim.kinematics import Kinematics
from odah.osim.model import Coordinate

_OUTSIDE = 1e-6  # rad or m beyond the range that still count as inside: rounding of files and solvers
_AT_BOUND_RAD, _AT_BOUND_M = np.deg2rad(0.1), 1e-3


@dataclass(frozen=True)
class RangeUse:
    """One coordinate over a trial; minimum and maximum in rad or m.

    num_outside: frames beyond the model's range. at_bound: share of the frames that rest on an end of the
    range (within 0.1 degrees or 1 mm); None where the model does not clamp the coordinate.
    """

    coordinate: Coordinate
    minimum: float
    maximum: float
    num_outside: int
    at_bound: float | None


def range_uses(coordinates: Sequence[Coordinate], values: Float[np.ndarray, "T C"]) -> tuple[RangeUse, ...]:
    """What each coordinate does with its range; values in rad and m."""
    return tuple(_range_use(c, column) for c, column in zip(coordinates, values.T, strict=True))


def is_outside(coordinate: Coordinate, values: Float[np.ndarray, " T"]) -> np.ndarray:
    """(T,) whether the coordinate is beyond its range."""
    low, high = coordinate.range
    return (values < low - _OUTSIDE) | (values > high + _OUTSIDE)


def range_flags(solved: Kinematics) -> list[str]:
    """One sentence for each coordinate that leaves the model's range."""
    return [
        f"{use.coordinate.name} outside its range in {use.num_outside} of {solved.num_frames} frames"
        for use in range_uses(solved.model.coordinates, solved.coordinates)
        if use.num_outside
    ]


def _range_use(coordinate: Coordinate, values: np.ndarray) -> RangeUse:
    near = _AT_BOUND_M if coordinate.motion_type == "translational" else _AT_BOUND_RAD
    to_bound = np.abs(values[:, None] - np.array(coordinate.range)).min(axis=1)
    return RangeUse(
        coordinate=coordinate,
        minimum=float(values.min()),
        maximum=float(values.max()),
        num_outside=int(is_outside(coordinate, values).sum()),
        at_bound=float((to_bound <= near).mean()) if coordinate.clamped else None,
    )
