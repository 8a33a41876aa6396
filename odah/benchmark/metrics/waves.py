"""How alike two curves over time are, whatever their size: Pearson's rho and the CMC, by coordinate.

Letters as in `measured`; P protocols, F frames of a cycle.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from odah.benchmark.metrics.angles import on_true_branch
from odah.benchmark.metrics.measured import Measured, Undefined, by_column

_STILL = 1e-9
"""rad or m; what moves by less does not move."""
_FEWEST = 3
"""Frames: two points correlate perfectly, whatever they are."""


def pearson_rho(
    estimated: Float[np.ndarray, "T C"],
    true: Float[np.ndarray, "T C"],
    is_unbounded: Bool[np.ndarray, " C"],
) -> Measured:
    """Pearson's correlation coefficient over the frames (D3KE paper, section 3.4).

    Undefined where the truth or the estimate does not move and for fewer than three frames.
    """
    return by_column(_rho, np.isfinite(true), *on_true_branch(estimated, true, is_unbounded))


def cmc(
    estimated: Float[np.ndarray, "T C"],
    true: Float[np.ndarray, "T C"],
    is_unbounded: Bool[np.ndarray, " C"],
) -> Measured:
    """Coefficient of multiple correlation between estimate and truth, the recording being one cycle.

    `cmc_of_cycles` has the equation, and takes recordings cut into cycles.
    """
    return by_column(_cmc_of_two, np.isfinite(true), *on_true_branch(estimated, true, is_unbounded))


def cmc_of_cycles(cycles: Sequence[Float[np.ndarray, "P _"]]) -> float:
    """Inter-protocol coefficient of multiple correlation of waves measured at the same time in G cycles.

    Ferrari, Cutti and Cappello (Gait & Posture 31, 2010, p. 540-542), who take what differs from cycle to
    cycle out of the within-day coefficient of Kadaba et al. (J. Orthop. Res. 7, 1989):

        CMC = sqrt(1 - [sum_gpf (Y_gpf - mean_p Y_gf)^2 / (G F_g (P - 1))]
                     / [sum_gpf (Y_gpf - mean_pf Y_g)^2 / (G (P F_g - 1))])

    It tells of offset, gain and correlation at once, 1 being the same wave. Cycles may differ in length.

    Raises:
        Undefined: fewer than three frames in all; nothing moves; the waves differ more than they move, which
            makes the root imaginary.
    """
    if sum(cycle.shape[1] for cycle in cycles) < _FEWEST:
        raise Undefined(f"fewer than {_FEWEST} frames")
    if max(np.ptp(cycle) for cycle in cycles) <= _STILL:
        raise Undefined("neither truth nor estimate moves")
    within = sum(
        np.sum((cycle - cycle.mean(axis=0)) ** 2) / (cycle.shape[1] * (len(cycle) - 1)) for cycle in cycles
    )
    overall = sum(np.sum((cycle - cycle.mean()) ** 2) / (cycle.size - 1) for cycle in cycles)
    square = 1 - within / overall
    if square < 0:
        raise Undefined("truth and estimate differ more than they move")
    return float(np.sqrt(square))


def _cmc_of_two(estimated: Float[np.ndarray, " F"], true: Float[np.ndarray, " F"]) -> float:
    return cmc_of_cycles([np.stack([estimated, true])])


def _rho(estimated: Float[np.ndarray, " F"], true: Float[np.ndarray, " F"]) -> float:
    if len(true) < _FEWEST:
        raise Undefined(f"fewer than {_FEWEST} frames")
    for name, wave in (("truth", true), ("estimate", estimated)):
        if np.ptp(wave) <= _STILL:
            raise Undefined(f"the {name} does not move")
    return float(np.corrcoef(estimated, true)[0, 1])
