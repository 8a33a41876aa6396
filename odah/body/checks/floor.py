"""Where the floor under a motion is, how deep the body goes below it, and how high it floats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from odah.body.checks.thresholds import CONTACT_SPEED, MAX_JUMP, MAX_PENETRATION
from odah.errors import InputError


@dataclass(frozen=True)
class LowestPoints:
    """The lowest point of each frame: heights (T,), world, m; speeds (T,) of the vertex there, m/s."""

    heights: np.ndarray
    speeds: np.ndarray

    @property
    def is_standing(self) -> np.ndarray:
        """(T,) whether the lowest point is at rest: what carries a person, or is about to."""
        return self.speeds < CONTACT_SPEED


@dataclass(frozen=True)
class FloorContact:
    """Depth below the floor over frames, mm, and the gap under someone who stands, mm (0 if nobody does)."""

    penetration_mean_mm: float
    penetration_p95_mm: float
    penetration_max_mm: float
    floating_p95_mm: float


def lowest_points(meshes: Sequence[Float[np.ndarray, "T _ 3"]], rate: float) -> LowestPoints:
    """Of all meshes together; frame rate in Hz.

    A sole that rolls is at rest where it touches the floor, so the speed is that of the vertex which is
    lowest, over the frames before and after.

    Raises:
        InputError: fewer than two frames.
    """
    num_frames = len(meshes[0])
    if num_frames < 2:
        raise InputError("vertices", f"{num_frames} frames", "at least two")
    frames = np.arange(num_frames)
    before, after = np.maximum(frames - 1, 0), np.minimum(frames + 1, num_frames - 1)
    heights, speeds = np.full(num_frames, np.inf), np.zeros(num_frames)
    for vertices in meshes:
        lowest = vertices[:, :, 2].argmin(axis=1)
        moved = vertices[after, lowest].astype(float) - vertices[before, lowest]
        speed = np.linalg.norm(moved, axis=-1) * rate / (after - before)
        height = vertices[frames, lowest, 2]
        is_lower = height < heights
        heights, speeds = np.where(is_lower, height, heights), np.where(is_lower, speed, speeds)
    return LowestPoints(heights, speeds)


def floor_height(lowest: LowestPoints) -> float:
    """World height of the floor, m: the median of the points that stand on it.

    Lower, where more than one frame in twenty would be deeper than `MAX_PENETRATION` below it: recorded feet
    roll over their edges, each at another height. Where nobody stands, that lower bound; but a motion that
    is wholly in the air, no more than a jump above the origin, keeps its own floor, the origin.
    """
    bound = float(np.quantile(lowest.heights, 0.05)) + MAX_PENETRATION
    standing = lowest.heights[lowest.is_standing]
    if len(standing):
        return min(float(np.median(standing)), bound)
    return 0.0 if 0.0 < lowest.heights.min() < MAX_JUMP else bound


def floor_contact(lowest: LowestPoints, floor: float) -> FloorContact:
    """Penetration and floating against a floor at this world height, m."""
    depth = 1e3 * np.maximum(floor - lowest.heights, 0)
    gap = 1e3 * np.maximum(lowest.heights[lowest.is_standing] - floor, 0)
    return FloorContact(
        penetration_mean_mm=float(depth.mean()),
        penetration_p95_mm=float(np.percentile(depth, 95)),
        penetration_max_mm=float(depth.max()),
        floating_p95_mm=float(np.percentile(gap, 95)) if len(gap) else 0.0,
    )
