"""How a vector of D numbers tells angles and scales: its layout, and the way from it to a `Prediction`."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from odah.estimator.batch import Prediction
from odah.estimator.config import NetworkConfig
from odah.estimator.precision import at_least_float32
from odah.estimator.skeleton import ANGLES
from odah.names import OPENSIM_BODIES

NUM_ANGLES = len(ANGLES)
NUM_SCALES = 3 * len(OPENSIM_BODIES)
SCALES = slice(NUM_ANGLES, NUM_ANGLES + NUM_SCALES)
"""Where the scale numbers are."""
PELVIS_PLACE = slice(SCALES.stop, SCALES.stop + 3)
_SCALE_UNIT = 8.0
"""A scale is its number over this, plus one; as in the ODAH paper's code."""


def num_outputs(config: NetworkConfig) -> int:
    """D: 36 angles, 66 scale numbers and, if told, the pelvis' place and logarithms of expected errors."""
    return NUM_ANGLES + NUM_SCALES + 3 * config.tells_pelvis + NUM_ANGLES * config.tells_errors


def outputs(
    vectors: Float[Tensor, "B T D"],
    config: NetworkConfig,
    located: Float[Tensor, "B T P 3"] | None = None,
    scale_numbers: Float[Tensor, " B #T S"] | None = None,
) -> Prediction:
    """What the vectors say; `scale_numbers`, if given, instead of each frame's own.

    Never in half precision, whatever the network computed in.
    """
    vectors = at_least_float32(vectors)
    numbers = vectors[..., SCALES] if scale_numbers is None else at_least_float32(scale_numbers)
    return Prediction(
        angles=vectors[..., :NUM_ANGLES],
        scales=(numbers / _SCALE_UNIT + 1).abs().unflatten(-1, (-1, 3)),
        pelvis=vectors[..., PELVIS_PLACE] if config.tells_pelvis else None,
        errors=vectors[..., -NUM_ANGLES:].exp() if config.tells_errors else None,
        located=None if located is None else at_least_float32(located),
    )
