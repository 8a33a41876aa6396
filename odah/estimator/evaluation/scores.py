"""Errors of a predictor over many clips, as the figures of a table's row."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from odah.estimator.evaluation.metrics import (
    aligned,
    angle_errors,
    position_errors,
    scale_errors,
    velocity_errors,
)
from odah.estimator.skeleton import ANGLES, Skeleton
from odah.files import atomic_path
from odah.names import OPENSIM_JOINTS

_JOINTS = slice(len(OPENSIM_JOINTS))
"""Of the keypoints, those that positions are judged by."""


@dataclass(frozen=True)
class Truth:
    """Of a clip's frames: angles, rad, in ground; keypoints from the pelvis, in ground, m; rate: frames/s."""

    angles: Float[Tensor, "T A"]
    scales: Float[Tensor, "K 3"]
    keypoints: Float[Tensor, "T P 3"]
    rate: float


@dataclass(frozen=True)
class Row:
    """One predictor's errors, means over all frames of all clips.

    angle_error_deg: MAE. pa_mpjpe_mm, mpjpe_mm: of the joints, aligned by Procrustes analysis and told from
    the pelvis. velocity_error_mm_s: of the aligned joints, as in the paper's Table 3.
    raw_velocity_error_mm_s: of those told from the pelvis. by_angle_deg: MAE by the angle's name.
    """

    name: str
    angle_error_deg: float
    pa_mpjpe_mm: float
    mpjpe_mm: float
    velocity_error_mm_s: float
    raw_velocity_error_mm_s: float
    scale_error_percent: float
    by_angle_deg: dict[str, float]


@dataclass
class Scores:
    """Gathers one predictor's errors, clip by clip."""

    name: str
    _errors: dict[str, list[Tensor]] = field(default_factory=dict)

    def add(
        self, angles: Float[Tensor, "T A"], scales: Float[Tensor, "Ts K 3"], truth: Truth, skeleton: Skeleton
    ) -> None:
        """One clip's prediction, in ground."""
        joints, true = skeleton(angles, scales)[:, _JOINTS], truth.keypoints[:, _JOINTS]
        on_true = aligned(joints, true)
        found = {
            "angles": angle_errors(angles, truth.angles),
            "pa_mpjpe": position_errors(on_true, true),
            "mpjpe": position_errors(joints, true),
            "velocity": velocity_errors(on_true, true, truth.rate),
            "raw_velocity": velocity_errors(joints, true, truth.rate),
            "scales": scale_errors(scales.expand(len(angles), -1, -1), truth.scales).flatten(1),
        }
        for name, errors in found.items():
            self._errors.setdefault(name, []).append(errors)

    def row(self) -> Row:
        """Over all clips so far, at least one."""
        means = {name: torch.cat(parts).double().mean(dim=0) for name, parts in self._errors.items()}
        by_angle = torch.rad2deg(means["angles"])
        over_all = {name: float(mean.mean()) for name, mean in means.items()}
        return Row(
            name=self.name,
            angle_error_deg=float(by_angle.mean()),
            pa_mpjpe_mm=1e3 * over_all["pa_mpjpe"],
            mpjpe_mm=1e3 * over_all["mpjpe"],
            velocity_error_mm_s=1e3 * over_all["velocity"],
            raw_velocity_error_mm_s=1e3 * over_all["raw_velocity"],
            scale_error_percent=100 * over_all["scales"],
            by_angle_deg=dict(zip(ANGLES, by_angle.tolist(), strict=True)),
        )


@dataclass(frozen=True)
class Table:
    """Predictors beside each other on the same clips. num_frames: that were judged. dataset: its name.
    notes: for the reader."""

    rows: tuple[Row, ...]
    split: str
    views: tuple[str, ...]
    num_clips: int
    num_frames: int
    dataset: str = ""
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values; null for what no frame tells, such as velocities of single frames."""
        return {**vars(self), "rows": [_finite(vars(row)) for row in self.rows]}

    def facts(self) -> dict[str, Any]:
        """What a network's file keeps of it, as plain values; rows by their name: network, frame_only if it
        has a temporal part, mean_pose."""
        told = self.to_json()
        kept = {name: told[name] for name in ("split", "dataset", "num_clips", "num_frames")}
        rows = {row["name"].replace(" ", "_"): row for row in told["rows"]}
        return {**kept, "views": list(self.views), **rows}

    def write_csv(self, path: Path) -> None:
        """One line for each predictor, angles in the columns after the means."""
        lines = [{**vars(row), **row.by_angle_deg} for row in self.rows]
        names = [name for name in lines[0] if name != "by_angle_deg"]
        with atomic_path(path) as temporary, temporary.open("w", newline="") as file:
            writer = csv.DictWriter(file, names, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(_rounded(line) for line in lines)


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}


def _rounded(line: dict[str, Any]) -> dict[str, Any]:
    return {k: f"{v:.4f}" if isinstance(v, float) else v for k, v in line.items()}


HEAD = ("MAE deg", "PA-MPJPE mm", "MPJPE mm", "velocity mm/s", "scale %")


def cells(row: Row) -> tuple[str, ...]:
    """A row's figures for eyes, in the order of `HEAD`."""
    positions = (row.angle_error_deg, row.pa_mpjpe_mm, row.mpjpe_mm)
    return (
        *(f"{value:.2f}" for value in positions),
        f"{row.velocity_error_mm_s:.1f}",
        f"{row.scale_error_percent:.2f}",
    )


def table_lines(table: Table) -> list[str]:
    """For eyes: a predictor a line."""
    head, body = ("", *HEAD), [(row.name, *cells(row)) for row in table.rows]
    widths = [max(map(len, column)) for column in zip(head, *body, strict=True)]
    return [_aligned_line(line, widths) for line in (head, *body)]


def _aligned_line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
    return "  ".join([first.strip().ljust(widths[0]), *others])
