"""What an answer is worth: every metric of a cell, column by column, in the units of tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

from odah.benchmark.grid import Cell
from odah.benchmark.metrics.angles import mae_angle, mve_angle, rmse_angle
from odah.benchmark.metrics.dimensions import body_dimensions
from odah.benchmark.metrics.gait import GAIT_PARAMETERS, gait_errors, gait_parameters
from odah.benchmark.metrics.measured import Measured
from odah.benchmark.metrics.positions import mpjpe, mpjve, pa_mpjpe, pa_mpjve
from odah.benchmark.metrics.segments import mae_body, rmse_body
from odah.benchmark.metrics.waves import cmc, pearson_rho
from odah.benchmark.recording import Motion
from odah.estimator.skeleton import FREE_ANGLES
from odah.names import OPENSIM_JOINTS, ROOT_TRANSLATIONS, SIDES
from odah.osim import full_body_model

Columns = Literal["coordinate", "joint", "body", "gait length", "cadence"]
_ROOT = OPENSIM_JOINTS[0]
_HEELS = tuple(f"subtalar_{side[0]}" for side in SIDES)
_GAIT_COLUMNS = {
    "gait length": tuple(name for name in GAIT_PARAMETERS if name != "cadence"),
    "cadence": ("cadence",),
}
_MM = 1e3


@dataclass(frozen=True)
class Metric:
    """title: as tables have it, with the unit. columns: what it is told of. factor: from SI to that unit.
    figure: of a `Summary`, what means of many recordings are. measure: of an `_Answer`."""

    title: str
    columns: Columns
    factor: float
    measure: Callable[[_Answer], Measured]
    figure: Literal["mean", "rms"] = "mean"


@dataclass(frozen=True, eq=False)
class _Answer:
    """An estimate and the truth in the columns that both have."""

    estimate: Motion
    truth: Motion
    rate: float
    coordinates: tuple[str, ...]
    joints: tuple[str, ...]
    bodies: tuple[str, ...]

    @property
    def angles(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of the estimate and the truth, rad, and which of them no range bounds."""
        free = np.array([name in FREE_ANGLES for name in self.coordinates], dtype=bool)
        told, true = (
            each.coordinates[:, _places(each.coordinate_names, self.coordinates)]
            for each in (self.estimate, self.truth)
        )
        return told, true, free

    @property
    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """Joints of the estimate and the truth, m, ground."""
        told, true = (
            each.joints[:, _places(each.joint_names, self.joints)] for each in (self.estimate, self.truth)
        )
        return told, true

    @property
    def scales(self) -> tuple[np.ndarray, np.ndarray]:
        """Factors of the estimate and the truth."""
        told, true = self.estimate.scale_factors, self.truth.scale_factors
        assert told is not None
        assert true is not None
        return (
            told[_places(self.estimate.body_names, self.bodies)],
            true[_places(self.truth.body_names, self.bodies)],
        )

    @property
    def root(self) -> int:
        """Number of the joint that positions are told from."""
        return self.joints.index(_ROOT)


def _mae_body(answer: _Answer) -> Measured:
    places = _places(tuple(full_body_model().body_names), answer.bodies)
    return mae_body(*answer.scales, _dimensions()[places])


def _gait(answer: _Answer, columns: Sequence[str]) -> Measured:
    told, true = (
        gait_parameters(
            each.joints[:, _places(each.joint_names, _HEELS)],
            each.joints[:, each.joint_names.index(_ROOT)],
            answer.rate,
        )
        for each in (answer.estimate, answer.truth)
    )
    errors, places = gait_errors(told, true), _places(GAIT_PARAMETERS, columns)
    return Measured(
        values=errors.values[places],
        reasons=tuple(errors.reasons[place] for place in places),
        num_frames=errors.num_frames[places],
        num_failed=errors.num_failed[places],
    )


_DEG = float(np.rad2deg(1.0))
METRICS: dict[str, Metric] = {
    "mae": Metric("MAE, deg", "coordinate", _DEG, lambda a: mae_angle(*a.angles)),
    "rmse": Metric("RMSE, deg", "coordinate", _DEG, lambda a: rmse_angle(*a.angles), "rms"),
    "mve": Metric("angle velocity, deg/s", "coordinate", _DEG, lambda a: mve_angle(*a.angles, a.rate)),
    "rho": Metric("rho", "coordinate", 1.0, lambda a: pearson_rho(*a.angles)),
    "cmc": Metric("CMC", "coordinate", 1.0, lambda a: cmc(*a.angles)),
    "pa_mpjpe": Metric("PA-MPJPE, mm", "joint", _MM, lambda a: pa_mpjpe(*a.points)),
    "mpjpe": Metric("MPJPE, mm", "joint", _MM, lambda a: mpjpe(*a.points, a.root)),
    "pa_mpjve": Metric("PA-MPJVE, mm/s", "joint", _MM, lambda a: pa_mpjve(*a.points, a.rate)),
    "mpjve": Metric("MPJVE, mm/s", "joint", _MM, lambda a: mpjve(*a.points, a.rate, a.root)),
    "mae_body": Metric("MAE body, mm", "body", _MM, _mae_body),
    "rmse_body": Metric("RMSE body", "body", 1.0, lambda a: rmse_body(*a.scales), "rms"),
    "gait": Metric(
        "steps and strides, mm", "gait length", _MM, lambda a: _gait(a, _GAIT_COLUMNS["gait length"])
    ),
    "cadence": Metric("cadence, steps/min", "cadence", 1.0, lambda a: _gait(a, _GAIT_COLUMNS["cadence"])),
}
"""By the names that files and configs give them; defined where their functions are."""


def judge(cell: Cell) -> dict[str, tuple[tuple[str, ...], Measured]]:
    """By metric its columns' names and what was measured, SI.

    A cell that failed is asked all that the truth knows and has failed in every frame. A metric that the two
    motions cannot be compared by is left out: no common joints, no scale factors.
    """
    truth = cell.recording.truth
    answer = _answer(cell.motion or _nothing(truth), truth, cell.recording.rate)
    found = {}
    for name, metric in METRICS.items():
        columns = _columns(metric.columns, answer)
        if columns:
            found[name] = (columns, metric.measure(answer))
    return found


def unknown_coordinates(cell: Cell) -> tuple[str, ...]:
    """Angles of the truth that the answer does not tell; none where it failed."""
    if cell.motion is None:
        return ()
    return tuple(n for n in _angles(cell.recording.truth) if n not in cell.motion.coordinate_names)


def _answer(estimate: Motion, truth: Motion, rate: float) -> _Answer:
    has_scales = estimate.scale_factors is not None and truth.scale_factors is not None
    return _Answer(
        estimate,
        truth,
        rate,
        coordinates=tuple(name for name in _angles(truth) if name in estimate.coordinate_names),
        joints=tuple(name for name in truth.joint_names if name in estimate.joint_names),
        bodies=tuple(name for name in truth.body_names if name in estimate.body_names) if has_scales else (),
    )


def _columns(kind: Columns, answer: _Answer) -> tuple[str, ...]:
    if kind == "coordinate":
        return answer.coordinates
    if kind == "body":
        return answer.bodies
    has_root = _ROOT in answer.joints
    if kind == "joint":
        return answer.joints if has_root else ()
    return _GAIT_COLUMNS[kind] if has_root and set(_HEELS) <= set(answer.joints) else ()


def _angles(motion: Motion) -> tuple[str, ...]:
    return tuple(name for name in motion.coordinate_names if name not in ROOT_TRANSLATIONS)


def _nothing(truth: Motion) -> Motion:
    """The answer of who failed."""
    scales = truth.scale_factors
    return Motion(
        times=truth.times,
        coordinates=np.full_like(truth.coordinates, np.nan),
        coordinate_names=truth.coordinate_names,
        joints=np.full_like(truth.joints, np.nan),
        joint_names=truth.joint_names,
        scale_factors=None if scales is None else np.full_like(scales, np.nan),
        body_names=truth.body_names,
    )


def _places(names: Sequence[str], wanted: Sequence[str]) -> list[int]:
    return [names.index(name) for name in wanted]


@cache
def _dimensions() -> np.ndarray:
    return body_dimensions(full_body_model())
