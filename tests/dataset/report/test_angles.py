import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from odah.dataset.audit.label_checks import MAX_RANGE_EXCESS as TOLERANCE
from odah.dataset.report.angles import add_counts, bin_edges, count_angles, panels
from odah.names import OPENSIM_COORDINATES

RANGES = np.array([[-0.5, 2.0], [-1.0, 0.25]])
values = arrays(float, st.tuples(st.integers(1, 30), st.just(2)), elements=st.floats(-5, 5))


@given(values)
def test_every_frame_is_counted_once_and_what_is_outside_told(angles: np.ndarray) -> None:
    counts = count_angles(angles, RANGES)
    assert (counts.bins.sum(axis=1) == len(angles)).all()
    outside = (angles < RANGES[:, 0] - TOLERANCE) | (angles > RANGES[:, 1] + TOLERANCE)
    np.testing.assert_array_equal(counts.outside, outside.sum(axis=0))
    inner = counts.bins[:, 6:-6].sum(axis=1)
    np.testing.assert_array_equal(inner, len(angles) - outside.sum(axis=0))


@given(values, values)
def test_clips_counted_apart_are_clips_counted_together(first: np.ndarray, second: np.ndarray) -> None:
    apart = add_counts([count_angles(first, RANGES), count_angles(second, RANGES)])
    together = count_angles(np.concatenate([first, second]), RANGES)
    for name in ("bins", "outside", "minimum", "maximum"):
        np.testing.assert_array_equal(getattr(apart, name), getattr(together, name))


def test_bins_lie_where_their_edges_say() -> None:
    edges = bin_edges(*RANGES[0])
    angles = np.array([[0.71, 0.0]])
    (bin_,) = np.flatnonzero(count_angles(angles, RANGES).bins[0])
    assert edges[bin_] <= 0.71 < edges[bin_ + 1]
    assert edges[6] == pytest.approx(-0.5)
    assert edges[-7] == pytest.approx(2.0)


def test_a_sweep_of_the_lower_half_visits_half_of_the_range() -> None:
    sweep = np.linspace(-0.499, 0.749, 500)
    visited = count_angles(np.stack([sweep, np.full(500, 0.1)], axis=1), RANGES).visited()
    assert visited.tolist() == [0.5, 0.05]


def test_panels_join_right_and_left_and_leave_out_what_is_no_joint_angle() -> None:
    found = panels(OPENSIM_COORDINATES)
    assert len(found) == 20
    knee = next(panel for panel in found if panel.name == "knee_angle")
    assert OPENSIM_COORDINATES[knee.columns["right"]] == "knee_angle_r"
    assert OPENSIM_COORDINATES[knee.columns["left"]] == "knee_angle_l"
    assert sum(len(panel.columns) for panel in found) == 34
    assert all(panel.sign for panel in found)
