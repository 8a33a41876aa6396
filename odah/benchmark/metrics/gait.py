"""Step length, stride length, step width and cadence from the heels' paths, left and right apart.

Letters as in `strikes`. In the full-body model the origins of calcn, which are those of the joints
`subtalar_l` and `subtalar_r`, lie at the heels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from odah.benchmark.metrics.measured import NO_ESTIMATE, Measured, Undefined
from odah.benchmark.metrics.strikes import Strike, heel_strikes
from odah.names import SIDES

GAIT_PARAMETERS: tuple[str, ...] = (
    *(f"{what}_{side}" for what in ("step_length", "stride_length") for side in SIDES),
    "step_width",
    "cadence",
)
"""m, and steps/min. A step is the side's whose heel strikes at its end."""


@dataclass(frozen=True)
class Step:
    """From one heel's strike to the other's. side: of the latter; begin, end: frames of the two.

    length, width, stride_length: m, along and across the line of progression; NaN where there is none. The
    width is positive if the left foot stands left of the right one. stride_length: of the stride that ends
    with this step.
    """

    side: str
    begin: int
    end: int
    length: float
    width: float
    stride_length: float


def steps_of(strikes: Sequence[Strike]) -> tuple[Step, ...]:
    """The steps of one stretch of walking; a strike that follows one of the same side begins anew.

    The line of progression runs between the two footholds of the stride that ends with the step (Huxham et
    al. 2006, Gait & Posture 23, p. 159-163), so walks may bend: the chord then makes steps of one side wider
    and of the other narrower by as much. For the first step, which ends none, it is the other foot's stride
    about it.
    """
    return tuple(step for walk in _alternating(strikes) for step in _steps(walk))


def gait_parameters(
    heels: Float[np.ndarray, "T S 3"], pelvis: Float[np.ndarray, "T 3"], rate: float
) -> Measured:
    """Means over all steps, in the columns `GAIT_PARAMETERS`; the frames that are counted are steps.

    heels: left and right. pelvis: its joint. Both in ground. NaN with the reason for columns without a step,
    and for all if there are missing frames, no travel (standing, treadmill) or less than a stride.
    """
    try:
        walks = heel_strikes(heels, pelvis, rate)
    except Undefined as reason:
        return _undefined(str(reason))
    samples = _samples([step for strikes in walks for step in steps_of(strikes)], rate)
    values = np.array([np.mean(each) if each else np.nan for each in samples.values()])
    values[GAIT_PARAMETERS.index("cadence")] **= -1
    return Measured(
        values=values,
        reasons=tuple("" if each else "no steps" for each in samples.values()),
        num_frames=np.array([len(each) for each in samples.values()]),
        num_failed=np.zeros(len(samples), dtype=int),
    )


def gait_errors(estimated: Measured, true: Measured) -> Measured:
    """Absolute differences of two results of `gait_parameters`: each motion is judged by the strikes found in
    itself, as a user would find them. The true steps are counted; all have failed where the estimate shows
    none."""
    is_asked = np.isfinite(true.values)
    is_failed = is_asked & ~np.isfinite(estimated.values)
    asked: Int[np.ndarray, " C"] = np.where(is_asked, true.num_frames, 0)
    reasons = (
        truth or (f"{NO_ESTIMATE}: {estimate}" if estimate else "")
        for truth, estimate in zip(true.reasons, estimated.reasons, strict=True)
    )
    return Measured(
        values=np.abs(estimated.values - true.values),
        reasons=tuple(reasons),
        num_frames=asked,
        num_failed=np.where(is_failed, asked, 0),
    )


def _alternating(strikes: Sequence[Strike]) -> list[list[Strike]]:
    walks: list[list[Strike]] = []
    for strike in strikes:
        if walks and walks[-1][-1].side != strike.side:
            walks[-1].append(strike)
        else:
            walks.append([strike])
    return walks


def _steps(walk: Sequence[Strike]) -> Iterable[Step]:
    if len(walk) < 3:
        return
    for number in range(1, len(walk)):
        before, strike = walk[number - 1], walk[number]
        begin = max(number - 2, 0)
        line = walk[begin + 2].foothold - walk[begin].foothold
        stride = float(np.linalg.norm(line))
        if not stride:
            continue
        x, z = line / stride
        step = strike.foothold - before.foothold
        to_the_left = float(step @ (z, -x)) * (1 if strike.side == "left" else -1)
        yield Step(
            side=strike.side,
            begin=before.frame,
            end=strike.frame,
            length=float(step @ (x, z)),
            width=to_the_left,
            stride_length=stride if number >= 2 else np.nan,
        )


def _samples(steps: Sequence[Step], rate: float) -> dict[str, list[float]]:
    """By parameter; of the cadence its inverse, the minutes that steps take."""
    samples: dict[str, list[float]] = {name: [] for name in GAIT_PARAMETERS}
    for step in steps:
        samples[f"step_length_{step.side}"].append(step.length)
        if np.isfinite(step.stride_length):
            samples[f"stride_length_{step.side}"].append(step.stride_length)
        samples["step_width"].append(step.width)
        samples["cadence"].append((step.end - step.begin) / rate / 60)
    return samples


def _undefined(reason: str) -> Measured:
    none = np.zeros(len(GAIT_PARAMETERS), dtype=int)
    return Measured(np.full(len(none), np.nan), (reason,) * len(none), none, none)
