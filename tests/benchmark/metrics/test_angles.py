"""Angle errors against cases worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odah.benchmark.metrics.angles import (
    angle_errors,
    mae_angle,
    mv_angle,
    mve_angle,
    on_true_branch,
    rmse_angle,
)

NAN, PI = np.nan, np.pi
BOUNDED, UNBOUNDED = np.array([False]), np.array([True])
MIXED = np.array([True, False])


def column(*values: float) -> np.ndarray:
    return np.array(values)[:, None]


def test_unbounded_angles_go_the_shorter_way_round_bounded_ones_as_they_are() -> None:
    estimated = np.array([[3.0, 3.0], [0.5, 0.5], [4 * PI, -2.0], [-PI, PI]])
    true = np.array([[-3.0, -3.0], [0.2, 0.2], [0.1, 0.1], [PI, -PI]])
    expected = [[2 * PI - 6, 6.0], [0.3, 0.3], [0.1, 2.1], [0.0, 2 * PI]]
    np.testing.assert_allclose(angle_errors(estimated, true, MIXED), expected, atol=1e-9)


@given(st.lists(st.floats(-20, 20), min_size=2, max_size=8), st.integers(-5, 5))
def test_whole_turns_are_forgiven_where_no_range_bounds(angles: list[float], turns: int) -> None:
    true = np.array(angles)[:, None]
    estimated = true[::-1] + 2 * PI * turns
    errors = angle_errors(estimated, true, UNBOUNDED)
    np.testing.assert_allclose(errors, angle_errors(true[::-1], true, UNBOUNDED), atol=1e-9)
    np.testing.assert_allclose(errors, angle_errors(true, estimated, UNBOUNDED), atol=1e-9)
    assert errors.max() <= PI + 1e-12
    assert mae_angle(estimated, true, UNBOUNDED).values[0] == pytest.approx(
        np.abs(np.angle(np.exp(1j * (estimated - true)))).mean(), abs=1e-9
    )


def test_mae_and_rmse_by_hand() -> None:
    estimated, true = np.array([[0.1, 1.0], [0.5, 2.0]]), np.array([[0.0, 4.0], [0.2, 6.0]])
    np.testing.assert_allclose(mae_angle(estimated, true, MIXED).values, [0.2, 3.5], atol=1e-9)
    np.testing.assert_allclose(
        rmse_angle(estimated, true, MIXED).values, [np.sqrt(0.05), np.sqrt(12.5)], atol=1e-9
    )


def test_frames_of_unknown_truth_are_left_out_and_missing_estimates_counted() -> None:
    true = column(0.0, NAN, 0.0, 0.0)
    estimated = column(1.0, 9.0, NAN, 2.0)
    for measure, expected in ((mae_angle, 1.5), (rmse_angle, np.sqrt(2.5))):
        found = measure(estimated, true, BOUNDED)
        np.testing.assert_allclose(found.values, expected, atol=1e-12)
        assert (found.num_frames.tolist(), found.num_failed.tolist()) == ([3], [1])


def test_velocity_errors_by_hand_blind_to_a_constant_offset() -> None:
    true = column(0.0, 0.1, 0.2, 0.2)
    estimated = column(1.0, 1.1, 1.1, 1.0)
    # Changes 0.1 0 -0.1 against 0.1 0.1 0: apart 0 0.1 0.1.
    found = mve_angle(estimated, true, BOUNDED, 30.0)
    np.testing.assert_allclose(found.values, 30 * 0.2 / 3, atol=1e-9)
    assert found.num_frames.tolist() == [3]
    np.testing.assert_allclose(mve_angle(true + 5, true, BOUNDED, 30.0).values, 0, atol=1e-9)


def test_velocities_of_unbounded_angles_know_no_jump_at_half_a_turn() -> None:
    true, estimated = column(3.1, 3.2, 3.3), column(3.1, 3.2 - 2 * PI, 3.35 - 2 * PI)
    np.testing.assert_allclose(mve_angle(estimated, true, UNBOUNDED, 10.0).values, 0.25, atol=1e-9)
    np.testing.assert_allclose(mv_angle(estimated, UNBOUNDED, 10.0).values, 10 * 0.25 / 2, atol=1e-9)
    assert mv_angle(estimated, BOUNDED, 10.0).values[0] > 20


def test_the_mean_velocity_of_an_estimate_by_hand_and_its_missing_frames() -> None:
    found = mv_angle(column(0.0, 0.2, 0.1, NAN, 0.4), BOUNDED, 20.0)
    np.testing.assert_allclose(found.values, 20 * 0.3 / 2, atol=1e-9)
    assert (found.num_frames.tolist(), found.num_failed.tolist()) == ([4], [2])


def test_one_missing_frame_costs_two_velocities() -> None:
    found = mve_angle(column(0, 1, NAN, 3, 4), np.zeros((5, 1)), BOUNDED, 1.0)
    np.testing.assert_allclose(found.values, 1.0, atol=1e-12)
    assert (found.num_frames.tolist(), found.num_failed.tolist()) == ([4], [2])


def test_waves_are_laid_over_each_other_without_jumps() -> None:
    true = np.array([[3.0, 0.0], [-3.0, 7.0], [NAN, 0.0], [-2.5, 0.0]])
    estimated = np.array([[-3.0, 0.1], [3.0, 7.1], [0.0, 0.1], [NAN, 0.1]])
    over, smooth = on_true_branch(estimated, true, MIXED)
    np.testing.assert_allclose(smooth[:, 0], [3, 2 * PI - 3, NAN, 2 * PI - 2.5], atol=1e-9)
    np.testing.assert_allclose(over[:, 0], [2 * PI - 3, 3, NAN, NAN], atol=1e-9)
    np.testing.assert_allclose(smooth[:, 1], true[:, 1])
    np.testing.assert_allclose(over[:, 1], estimated[:, 1], atol=1e-12)
    assert true[1, 0] == -3.0  # the caller's own stays as it is
