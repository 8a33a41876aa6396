"""Use of a coordinate's range: extremes, frames beyond it, rest at its ends."""

import numpy as np
import pytest

from odah.osim.model import Coordinate
from odah.osim.ranges import is_outside, range_uses


def test_extremes_frames_outside_and_rest_at_a_bound_are_counted() -> None:
    knee = Coordinate("knee", (np.deg2rad(-10.0), np.deg2rad(120.0)), clamped=True)
    values = np.deg2rad([-10.0, -9.95, -9.8, 0.0, 119.95, 120.0, 130.0, -20.0])
    (use,) = range_uses([knee], values[:, None])
    assert (use.minimum, use.maximum) == (values[7], values[6])
    assert use.num_outside == 2
    assert use.at_bound == pytest.approx(4 / 8)
    np.testing.assert_array_equal(np.flatnonzero(is_outside(knee, values)), [6, 7])


def test_rounding_is_not_outside_and_a_free_coordinate_rests_nowhere() -> None:
    shift = Coordinate("shift", (-1.0, 2.0), motion_type="translational")
    (use,) = range_uses([shift], np.array([[-1.0 - 1e-9], [2.0 + 1e-9], [0.5]]))
    assert (use.num_outside, use.at_bound) == (0, None)
    clamped = Coordinate("shift", (-1.0, 2.0), motion_type="translational", clamped=True)
    (use,) = range_uses([clamped], np.array([[-0.9992], [1.9985], [0.5], [2.0]]))
    assert use.at_bound == pytest.approx(0.5)  # 1 mm for shifts
