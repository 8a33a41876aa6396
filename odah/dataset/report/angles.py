"""How much of the model's ranges a dataset visits: joint angles counted in bins, a clip at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from odah.dataset.audit.label_checks import MAX_RANGE_EXCESS
from odah.names import ROOT_TRANSLATIONS

INNER_BINS = 40
"""Across a coordinate's range; fine enough to see the shape of a distribution."""
OUTER_BINS = 6
"""Beyond each end of the range; what lies further still falls into the last of them."""
VISIT_BINS = 20
"""Of the range, those that count as visited or not: 6 degrees for a hip that flexes by 120."""

SIGNS: dict[str, str] = {
    "pelvis_tilt": "backward", "pelvis_list": "to the right", "pelvis_rotation": "to the left",
    "lumbar_extension": "backward", "lumbar_bending": "to the right", "lumbar_rotation": "to the left",
    "hip_flexion": "flexion", "knee_angle": "flexion", "arm_flex": "flexion", "elbow_flex": "flexion",
    "wrist_flex": "flexion", "hip_adduction": "towards the body", "arm_add": "towards the body",
    "hip_rotation": "inward", "arm_rot": "inward", "ankle_angle": "dorsiflexion",
    "subtalar_angle": "sole inward", "mtp_angle": "toes down", "pro_sup": "pronation",
    "wrist_dev": "towards the little finger",
}  # fmt: skip
"""What a positive angle is (docs/conventions.md)."""


@dataclass(frozen=True)
class AngleCounts:
    """Frames by bin of each coordinate, with the smallest and largest value, rad, and frames out of range."""

    bins: Int[np.ndarray, "C B"]
    outside: Int[np.ndarray, " C"]
    minimum: Float[np.ndarray, " C"]
    maximum: Float[np.ndarray, " C"]

    @property
    def num_frames(self) -> int:
        return int(self.bins[0].sum())

    def visited(self) -> np.ndarray:
        """(C,) share of the range's bins that hold at least one frame."""
        inner = self.bins[:, OUTER_BINS:-OUTER_BINS]
        return (inner.reshape(len(inner), VISIT_BINS, -1).sum(axis=-1) > 0).mean(axis=-1)


@dataclass(frozen=True)
class Panel:
    """A coordinate, or the pair of right and left: columns of the labels by side."""

    name: str
    columns: dict[str, int]

    @property
    def sign(self) -> str:
        return SIGNS.get(self.name, "")


def panels(names: Sequence[str]) -> tuple[Panel, ...]:
    """The rotational coordinates in the model's order, right and left joined; followers are left out."""
    found: dict[str, dict[str, int]] = {}
    for column, name in enumerate(names):
        if name in ROOT_TRANSLATIONS or name.endswith("_beta"):
            continue
        stem, side = (name[:-2], name[-1]) if name.endswith(("_r", "_l")) else (name, "")
        found.setdefault(stem, {})[{"r": "right", "l": "left", "": "middle"}[side]] = column
    return tuple(Panel(stem, columns) for stem, columns in found.items())


def bin_edges(low: float, high: float) -> np.ndarray:
    """Edges of the bins of a coordinate whose range is low to high, in the unit of both."""
    width = (high - low) / INNER_BINS
    return low + width * np.arange(-OUTER_BINS, INNER_BINS + OUTER_BINS + 1)


def count_angles(values: np.ndarray, ranges: np.ndarray) -> AngleCounts:
    """Counts of one clip: values (T, C) and ranges (C, 2), rad."""
    low, high = ranges[:, 0], ranges[:, 1]
    width = np.maximum(high - low, 1e-9) / INNER_BINS
    total = INNER_BINS + 2 * OUTER_BINS
    which = np.floor((values - low) / width).astype(int) + OUTER_BINS
    # What is on the range's end, or over it by rounding alone, belongs to the range.
    is_outside = (values < low - MAX_RANGE_EXCESS) | (values > high + MAX_RANGE_EXCESS)
    which = np.where(is_outside, which, np.clip(which, OUTER_BINS, OUTER_BINS + INNER_BINS - 1))
    flat = np.clip(which, 0, total - 1) + total * np.arange(values.shape[1])
    bins = np.bincount(flat.ravel(), minlength=total * values.shape[1]).reshape(-1, total)
    return AngleCounts(bins, is_outside.sum(axis=0), values.min(axis=0), values.max(axis=0))


def add_counts(counts: Iterable[AngleCounts]) -> AngleCounts:
    """Counts of all clips together, of which there must be one."""
    several = list(counts)
    return AngleCounts(
        np.sum([each.bins for each in several], axis=0),
        np.sum([each.outside for each in several], axis=0),
        np.min([each.minimum for each in several], axis=0),
        np.max([each.maximum for each in several], axis=0),
    )
