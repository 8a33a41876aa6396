"""Scale factors that no human bone is likely to need."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

MIN_FACTOR, MAX_FACTOR = 0.6, 1.6
"""Outside of these a scale factor is reported: few adults' bones leave [0.8, 1.25] of the generic model's."""


def extreme_factors(factors: Mapping[str, np.ndarray]) -> list[str]:
    """A sentence on each factor out of the ordinary; factors: (3,) by body."""
    return [
        f"scale factor {value:.2f} of {body} along {axis} is outside [{MIN_FACTOR}, {MAX_FACTOR}]"
        for body, values in factors.items()
        for axis, value in zip("XYZ", values, strict=True)
        if not MIN_FACTOR <= value <= MAX_FACTOR
    ]
