"""When heels strike the floor in a walk, and where they then stand.

Letters: T frames, S sides (left, right as in `odah.names.SIDES`). Ground: y up; m.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.signal import find_peaks, savgol_filter

from odah.benchmark.metrics.measured import Undefined
from odah.names import SIDES

HORIZONTAL = (0, 2)
_HEADING_WINDOW = 1.1
"""s; about a stride, over which the pelvis' sway cancels."""
_SLOWEST = 0.2
"""m/s; who travels more slowly stands, turns on the spot or walks on a treadmill."""
_SHORTEST_STRIDE = 0.5
"""s; between two strikes of the same heel."""
_SWING_SHARE = 0.3
"""Of the way that a heel moves to and fro beside the pelvis, how far it must swing to strike."""
_SHORTEST_SWING = 0.05
"""m; what moves less to and fro is not a step."""
_MID_STANCE = (0.12, 0.31)
"""Shares of a stride from a heel's strike to mid stance, when the foot is flat, and to its end, when the heel
rises (Perry and Burnfield 2010, Gait analysis, chapter 2)."""


@dataclass(frozen=True, eq=False)
class Strike:
    """A heel's. side: one of `odah.names.SIDES`. foothold: where the heel then stands, x and z, m."""

    frame: int
    side: str
    foothold: Float[np.ndarray, " 2"]


def heel_strikes(
    heels: Float[np.ndarray, "T S 3"], pelvis: Float[np.ndarray, "T 3"], rate: float
) -> tuple[tuple[Strike, ...], ...]:
    """The strikes of each stretch of walking, in order.

    A heel strikes when it is farthest ahead of the pelvis in the direction of walking (Zeni, Richards and
    Higginson 2008, Gait & Posture 27, p. 710-714, who use the sacrum). That direction is the pelvis' own over
    about a stride, so it may bend. Walks are taken to go forward. The foothold is the heel's mean place in
    mid stance, which hardly depends on the strike's exact frame; strikes that the end of the recording
    follows too soon for it are left out.

    Raises:
        Undefined: a missing frame; nobody travels, as on a treadmill, whose belt's motion no heel tells; too
            short.
    """
    if not (np.isfinite(heels).all() and np.isfinite(pelvis).all()):
        raise Undefined("missing frames")
    if len(pelvis) < max(_SHORTEST_STRIDE * rate, 3):
        raise Undefined("shorter than a stride")
    velocity = _velocity(pelvis[:, HORIZONTAL], rate)
    speed = np.linalg.norm(velocity, axis=1)
    is_walking = speed >= _SLOWEST
    if not is_walking.any():
        raise Undefined("nobody travels: standing, or a treadmill")
    heading = velocity / np.maximum(speed, _SLOWEST)[:, None]
    ahead = np.einsum("tsi,ti->ts", (heels - pelvis[:, None])[:, :, HORIZONTAL], heading)
    frames = [_peaks(ahead[:, side], rate) for side in range(len(SIDES))]
    stretch = np.cumsum(np.diff(is_walking, prepend=False))
    found = (
        _with_footholds([each[stretch[each] == number] for each in frames], heels)
        for number in np.unique(stretch[is_walking])
    )
    return tuple(strikes for strikes in found if strikes)


def _velocity(path: Float[np.ndarray, "T 2"], rate: float) -> Float[np.ndarray, "T 2"]:
    """m/s; slope of the straight line through the frames about each, or through the nearest whole window."""
    window = min(round(_HEADING_WINDOW * rate), len(path))
    window -= 1 - window % 2
    return np.asarray(savgol_filter(path, window, 1, deriv=1, delta=1 / rate, axis=0, mode="interp"))


def _peaks(ahead: Float[np.ndarray, " T"], rate: float) -> np.ndarray:
    """Frames where the heel is farthest ahead."""
    swing = max(_SWING_SHARE * float(np.ptp(ahead)), _SHORTEST_SWING)
    frames, _ = find_peaks(ahead, distance=max(_SHORTEST_STRIDE * rate, 1), prominence=swing)
    return frames


def _with_footholds(frames: list[np.ndarray], heels: Float[np.ndarray, "T S 3"]) -> tuple[Strike, ...]:
    """The strikes of one stretch, of each side at `frames`; none without a stride to place mid stance."""
    strides = np.concatenate([np.diff(each) for each in frames])
    if not len(strides):
        return ()
    begin, end = (share * float(np.median(strides)) for share in _MID_STANCE)
    strikes = []
    for side, name in enumerate(SIDES):
        for frame in frames[side].tolist():
            stance = heels[int(np.ceil(frame + begin)) : int(frame + end) + 1, side, HORIZONTAL]
            if len(stance):
                strikes.append(Strike(frame, name, stance.mean(axis=0)))
    return tuple(sorted(strikes, key=lambda strike: strike.frame))
