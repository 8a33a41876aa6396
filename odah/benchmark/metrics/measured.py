"""One measure of one recording, by column, and the rule for frames without an answer.

A frame is asked where the truth is known, finite. An asked frame without a finite estimate has failed: it has
no error that could enter a mean, but it is counted, and the count stays with the value in every summary. A
recording on which a method failed altogether is an estimate of NaN. Frames whose truth is unknown are
nobody's failure and are left out.

Letters: T frames, C columns (coordinates, joints, bodies), J points.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

NO_TRUTH = "no frames of known truth"
NO_ESTIMATE = "no estimate"


class Undefined(Exception):
    """A measure has no value here; the message says why."""


@dataclass(frozen=True, eq=False)
class Measured:
    """A measure of one recording, by column.

    values: of the frames with an answer; NaN where there is none. reasons: why it is NaN, else empty.
    num_frames: that were asked. num_failed: of these, without an answer.
    """

    values: Float[np.ndarray, " C"]
    reasons: tuple[str, ...]
    num_frames: Int[np.ndarray, " C"]
    num_failed: Int[np.ndarray, " C"]


def by_column(
    measure: Callable[..., float], asked: Bool[np.ndarray, "T C"], *series: Float[np.ndarray, "T C"]
) -> Measured:
    """`measure` of each column's asked and answered frames.

    measure: one array (F,) for each of `series` to a value; may raise `Undefined`.
    """
    answered = asked & np.all([np.isfinite(each) for each in series], axis=0)
    found = [
        _value(measure, asked[:, c].any(), [each[answered[:, c], c] for each in series])
        for c in range(asked.shape[1])
    ]
    return Measured(
        values=np.array([value for value, _ in found], dtype=float),
        reasons=tuple(reason for _, reason in found),
        num_frames=asked.sum(axis=0),
        num_failed=(asked & ~answered).sum(axis=0),
    )


def root_mean_square(errors: Float[np.ndarray, " F"]) -> float:
    """In the errors' unit."""
    return float(np.sqrt(np.mean(np.square(errors))))


def _value(
    measure: Callable[..., float], is_asked: bool | np.bool_, series: Sequence[np.ndarray]
) -> tuple[float, str]:
    """The measure, or NaN and the reason."""
    if not is_asked:
        return np.nan, NO_TRUTH
    if not len(series[0]):
        return np.nan, NO_ESTIMATE
    try:
        return float(measure(*series)), ""
    except Undefined as reason:
        return np.nan, str(reason)
