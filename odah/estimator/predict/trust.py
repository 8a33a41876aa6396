"""How far to trust an estimate: what is known of the network, and what it says of itself here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

_UNKNOWN = "how large this network's errors are is not written in it: compare before you rely on it"


def trust(facts: Mapping[str, Any], errors: Float[np.ndarray, "T A"] | None) -> str:
    """A sentence.

    facts: of a checkpoint; its `test` is what `odah evaluate --keep` found, with the network's row. errors:
    that the network expects here, rad; NaN where nobody was seen.
    """
    test = facts.get("test")
    row = test.get("network") if isinstance(test, Mapping) else None
    angle_error_deg = row.get("angle_error_deg") if isinstance(row, Mapping) else None
    sentence = _UNKNOWN
    if isinstance(angle_error_deg, int | float):
        sentence = (
            f"on drawn people whom it had not seen this network is {angle_error_deg:.1f} degrees off on "
            "average; on real video expect more"
        )
    if errors is not None and np.isfinite(errors).any():
        sentence += f"; here it expects {np.rad2deg(np.nanmean(errors)):.1f} degrees itself"
    return sentence
