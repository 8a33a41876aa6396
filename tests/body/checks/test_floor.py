"""The floor under known motions, and the depth below it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odah.body.checks import LowestPoints, floor_contact, floor_height, lowest_points
from odah.body.checks.thresholds import MAX_PENETRATION
from odah.errors import InputError

RATE = 50.0


def heights_of(values: list[float], standing: list[bool]) -> LowestPoints:
    return LowestPoints(np.array(values), np.where(standing, 0.0, 1.0))


def test_the_lowest_point_of_all_meshes_and_its_own_speed() -> None:
    """A wheel that rolls is at rest where it touches the floor, whatever its hub does."""
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    turned = angle[None] + np.arange(6)[:, None] * 0.02
    wheel = np.stack(
        [0.3 * turned[:, :1] + 0.3 * np.cos(-turned), 0 * turned, 0.3 * np.sin(-turned)], axis=-1
    )
    above = np.full((6, 5, 3), 2.0)
    lowest = lowest_points([above, wheel + np.array([0, 0, 0.1])], RATE)
    np.testing.assert_allclose(lowest.heights, -0.2, atol=1e-4)
    assert lowest.speeds.max() < 0.05
    pushed = lowest_points([wheel + np.arange(6)[:, None, None] * [0.02, 0, 0]], RATE)
    np.testing.assert_allclose(pushed.speeds, 1.0, atol=0.05)


def test_one_frame_does_not_move() -> None:
    with pytest.raises(InputError, match="vertices: found 1 frames"):
        lowest_points([np.zeros((1, 4, 3))], RATE)


def test_the_floor_is_where_feet_stand_and_jumps_do_not_count() -> None:
    values = [0.1] * 60 + list(0.1 + 0.3 * np.sin(np.linspace(0, np.pi, 40)))
    lowest = heights_of(values, [True] * 60 + [False] * 40)
    assert floor_height(lowest) == pytest.approx(0.1)
    contact = floor_contact(lowest, floor_height(lowest))
    assert contact.penetration_max_mm == contact.floating_p95_mm == 0.0


@given(
    tilt=st.floats(-0.1, 0.1),
    dips=st.lists(st.floats(0, 0.1), min_size=1, max_size=20),
    height=st.floats(-2, 2),
)
def test_no_more_than_a_twentieth_is_deeper_than_allowed(
    tilt: float, dips: list[float], height: float
) -> None:
    """Over a sloping floor, and with toes that dip."""
    values = height + tilt * np.linspace(-1, 1, 100)
    values[50 : 50 + len(dips)] -= dips
    lowest = LowestPoints(values, np.zeros(100))
    contact = floor_contact(lowest, floor_height(lowest))
    assert contact.penetration_p95_mm <= 1e3 * MAX_PENETRATION + 1e-6
    assert floor_height(lowest) <= np.median(values)


@given(shift=st.floats(-3, 3))
def test_the_floor_moves_with_the_person(shift: float) -> None:
    values = [0.02, 0.0, 0.01, 0.3, 0.5, 0.01]
    standing = [True, True, True, False, False, True]
    moved = floor_height(heights_of([value + shift for value in values], standing))
    assert moved == pytest.approx(floor_height(heights_of(values, standing)) + shift)


def test_a_clip_in_the_air_keeps_the_recorded_floor() -> None:
    assert floor_height(heights_of([0.2, 0.4, 0.3], [False] * 3)) == 0.0
    far_below = floor_height(heights_of([-5.0, -4.9, -4.8], [False] * 3))
    assert far_below == pytest.approx(-4.99 + MAX_PENETRATION)


def test_depth_and_gap_against_a_given_floor() -> None:
    contact = floor_contact(heights_of([-0.02, 0.0, 0.03, 0.5], [True, True, True, False]), floor=0.0)
    assert contact.penetration_max_mm == pytest.approx(20)
    assert contact.penetration_mean_mm == pytest.approx(5)
    assert contact.floating_p95_mm == pytest.approx(np.percentile([0, 0, 30], 95))
