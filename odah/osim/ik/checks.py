"""What the solver is handed, refused before it can end in numbers that mean nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from odah.errors import InputError
from odah.motion.types import MarkerTrajectories

if TYPE_CHECKING:
    from odah.osim.ik.problem import IkProblem
    from odah.osim.ik.trial import CoordinateTask

_MAX_WEIGHT_RATIO = 1e8
"""Rounding of the heaviest marker's distance hides lighter ones beyond."""


def check_recording(markers: MarkerTrajectories) -> None:
    """Names and positions fit together, frames follow at a rate.

    Raises:
        InputError: they do not.
    """
    where, names = markers.source.path, markers.names
    if markers.positions.ndim != 3 or markers.positions.shape[1:] != (len(names), 3):
        expected = f"(frames, {len(names)}, 3) for its {len(names)} marker names"
        raise InputError(f"{where}, positions", f"an array {markers.positions.shape}", expected)
    if repeated := _repeated(names):
        raise InputError(f"{where}, marker names", f"{repeated!r} more than once", "distinct names")
    if not (0 < markers.rate < math.inf and math.isfinite(markers.start_time)):
        found = f"{markers.rate:g} Hz from {markers.start_time:g} s"
        raise InputError(f"{where}, rate", found, "a rate above 0 Hz and a finite time")


def check_weights(weights: Mapping[str, float]) -> None:
    """Of the markers that are tracked or, at weight 0, are not.

    Raises:
        InputError: one is negative or not finite, or two cannot be told in one sum.
    """
    for name, weight in weights.items():
        _check_weight(f"weight of marker {name!r}", weight)
    heavy = {weight: name for name, weight in weights.items() if weight > 0}
    if heavy and max(heavy) > _MAX_WEIGHT_RATIO * min(heavy):
        least, most = min(heavy), max(heavy)
        found = f"{least:g} beside {most:g} of {heavy[most]!r}"
        expected = f"weights within {_MAX_WEIGHT_RATIO:g} times each other, or 0"
        raise InputError(f"weight of marker {heavy[least]!r}", found, expected)


def check_tasks(tasks: Sequence[CoordinateTask], num_frames: int) -> None:
    """Weights, values and how many of them.

    Raises:
        InputError: a weight or value is not finite, their number is neither one nor that of the frames, or
        two tasks are of one coordinate.
    """
    for task in tasks:
        where, values = f"coordinate task {task.name!r}", np.asarray(task.values)
        _check_weight(f"{where}, weight", task.weight)
        if values.shape not in ((), (1,), (num_frames,)):
            raise InputError(f"{where}, values", f"an array {values.shape}", f"one or {num_frames}")
        if not np.isfinite(values).all():
            raise InputError(f"{where}, values", "one that is not finite", "finite numbers")
    if repeated := _repeated([task.name for task in tasks]):
        raise InputError(f"coordinate task {repeated!r}", "it twice", "one task a coordinate")


def check_given(problem: IkProblem, given: Float[np.ndarray, "t C"]) -> None:
    """What is not solved for, and the bounds of what is.

    Raises:
        InputError: a default or prescribed value is not finite, or a range ends before it begins.
    """
    wrong = ~(problem.lower <= problem.upper)
    if wrong.any():
        p = int(wrong.argmax())
        where = f"{problem.model.name}, coordinate {problem.free_names[p]!r}, range"
        raise InputError(where, f"{problem.lower[p]:g} to {problem.upper[p]:g}", "a range that is not empty")
    names = problem.model.coordinate_names
    bad = ~np.isfinite(given).all(axis=0)
    if bad.any():
        where = f"{problem.model.name}, coordinate {names[int(bad.argmax())]!r}"
        raise InputError(where, "a value that is not finite", "a finite default or prescribed motion")


def checked_start(start: object, shape: tuple[int, int]) -> Float[np.ndarray, "T C"]:
    """A warm start as float64.

    Raises:
        InputError: another shape, or not finite.
    """
    values = np.asarray(start, dtype=np.float64)
    if values.shape != shape:
        raise InputError("start", f"an array {values.shape}", f"(frames, coordinates) = {shape}")
    if not np.isfinite(values).all():
        frame = int(np.argmin(np.isfinite(values).all(axis=1)))
        raise InputError(f"start, frame {frame}", "a value that is not finite", "finite coordinates")
    return values


def check_options(
    path: str, tolerance: float, cutoff: float | None, rate: float, *, is_continuous: bool
) -> None:
    """How to solve, and how to smooth.

    Raises:
        InputError: one is beyond its range, or the cutoff is for frames that do not follow one another.
    """
    if path not in ("auto", "reference"):
        raise InputError("path", repr(path), "'auto' or 'reference'")
    if not 0 < tolerance < math.inf:
        raise InputError("tolerance", f"{tolerance:g}", "more than 0 rad or m")
    if cutoff is None:
        return
    check_cutoff(cutoff, rate, "cutoff")
    if not is_continuous:
        raise InputError("cutoff", f"{cutoff:g} Hz with is_continuous=False", "frames that follow closely")


def check_cutoff(cutoff: float | None, rate: float, where: str) -> None:
    """Whether a motion of `rate` (Hz) can be smoothed at `cutoff` (Hz); where: what an error names.

    Raises:
        InputError: it cannot.
    """
    if cutoff is not None and not 0 < cutoff < rate / 2:
        raise InputError(where, f"{cutoff:g} Hz", f"more than 0 and less than {rate / 2:g} Hz")


def _check_weight(where: str, weight: float) -> None:
    if not 0 <= weight < math.inf:
        raise InputError(where, f"{weight:g}", "a finite number, 0 or more")


def _repeated(names: Sequence[str]) -> str | None:
    return next((name for k, name in enumerate(names) if name in names[:k]), None)
