"""What is said of a network's errors."""

from __future__ import annotations

import numpy as np

from odah.estimator.predict.trust import trust


def test_the_test_and_what_the_network_expects_are_told() -> None:
    errors = np.full((3, 36), np.deg2rad(8))
    errors[0] = np.nan
    told = trust({"test": {"network": {"angle_error_deg": 6.25}}}, errors)
    assert "6.2 degrees off on average" in told
    assert told.endswith("here it expects 8.0 degrees itself")


def test_what_is_not_known_is_not_made_up() -> None:
    for test in (None, {}, {"network": 3}, {"network": {"angle_error_deg": None}}):
        assert trust({"test": test}, None).startswith("how large this network's errors are is not written")
