"""Errors of the bodies' scale factors (D3KE paper, section 3.1.1). K bodies; columns are bodies."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from odah.benchmark.metrics.measured import Measured, by_column


def rmse_body(estimated: Float[np.ndarray, "K 3"], true: Float[np.ndarray, "K 3"]) -> Measured:
    """RMSE_body: root mean square error of the scale factors themselves, without unit, over the axes.

    The D3KE paper's Table 2 has one for each body over its participants: the root mean square of these.
    """
    errors = np.sqrt(np.square(estimated - true).mean(axis=1))
    return by_column(np.mean, np.all(np.isfinite(true), axis=1)[None], errors[None])


def mae_body(
    estimated: Float[np.ndarray, "K 3"],
    true: Float[np.ndarray, "K 3"],
    dimensions: Float[np.ndarray, "K 3"],
) -> Measured:
    """MAE_body: absolute error of a body's scale along its longest dimension, as a length, m.

    dimensions: of the generic model's bodies, which both factors scale, along their own axes, m
    (`dimensions.body_dimensions`).
    """
    bodies = np.arange(len(dimensions))
    longest = dimensions.argmax(axis=1)
    errors = np.abs(estimated - true)[bodies, longest] * dimensions[bodies, longest]
    return by_column(np.mean, np.isfinite(true)[bodies, longest][None], errors[None])
