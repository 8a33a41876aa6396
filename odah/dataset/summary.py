"""What is in a dataset, counted from its index."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from odah.dataset.index_columns import BUDGET, Column
from odah.dataset.schema import SPLITS

SHOWN_RESIDUALS = (
    "marker_rms_mm", "mesh_joint_mean_mm", "mesh_joint_p95_mm", "mesh_marker_mean_mm", "mesh_marker_p95_mm",
    "reprojection_px", "joints_inside_mask", "share_outside_views", "sliding_excess_mm", "penetration_max_mm",
    "floating_p95_mm", "self_penetration_mm",
)  # fmt: skip
_SMALL_IS_BAD = ("joints_inside_mask",)


@dataclass(frozen=True)
class Residual:
    """A number of the error budget over those clips that have it. p95: of the worse end; worst: the worst
    value, and worst_clip: whose, if they differ."""

    column: Column
    num_clips: int
    mean: float
    p95: float
    worst: float
    worst_clip: str | None


@dataclass(frozen=True)
class SplitSummary:
    name: str
    num_clips: int
    num_subjects: int
    num_frames: int
    seconds: float


def split_summaries(index: pa.Table) -> list[SplitSummary]:
    """Of those splits that have clips, in the order train, val, test."""
    found = []
    for name in SPLITS:
        rows = index.filter(pa.array([split == name for split in index["split"].to_pylist()], pa.bool_()))
        if len(rows):
            frames, seconds = (np.sum(rows[column].to_numpy()) for column in ("num_frames", "duration"))
            subjects = len(rows["subject"].unique())
            found.append(SplitSummary(name, len(rows), subjects, int(frames), float(seconds)))
    return found


def counted(index: pa.Table, *columns: str) -> dict[str, int]:
    """How many clips have each value, or each pair of values, the most frequent first; nulls left out."""
    rows = zip(*(index[name].to_pylist() for name in columns), strict=True)
    counts = Counter(": ".join(row) for row in rows if None not in row)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def counted_subsets(index: pa.Table) -> dict[str, int]:
    """Clips of each named subset, the smallest first."""
    counts = Counter(name for names in index["subsets"].to_pylist() for name in names)
    return dict(sorted(counts.items(), key=lambda item: (item[1], item[0])))


def people(index: pa.Table) -> pa.Table:
    """A row a person: the first of their clips."""
    persons = index["person"].to_pylist()
    first = {person: row for row, person in reversed(list(enumerate(persons)))}
    return index.take(pa.array(sorted(first.values()), pa.int64()))


def spread(table: pa.Table, column: str) -> tuple[float, float, float] | None:
    """Least, median and greatest of those values that are known; None where none is."""
    values = table[column].drop_null().to_numpy()
    return None if len(values) == 0 else (float(values.min()), float(np.median(values)), float(values.max()))


def residuals(index: pa.Table) -> list[Residual]:
    """The numbers of the error budget that a card shows, those left out that no clip has."""
    columns = {column.name: column for column in BUDGET}
    found = []
    for name in SHOWN_RESIDUALS:
        known = index.filter(index[name].is_valid())
        if len(known) == 0:
            continue
        values = known[name].to_numpy()
        small = name in _SMALL_IS_BAD
        worst = int(values.argmin() if small else values.argmax())
        p95 = np.percentile(values, 5 if small else 95)
        clip = known["clip"][worst].as_py() if np.ptp(values) > 0 else None
        found.append(
            Residual(columns[name], len(values), float(values.mean()), float(p95), float(values[worst]), clip)
        )
    return found
