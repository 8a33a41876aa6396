"""Frames without an answer are counted, and no measure hides why it has no value."""

import numpy as np
import pytest

from odah.benchmark.metrics.measured import (
    NO_ESTIMATE,
    NO_TRUTH,
    Undefined,
    by_column,
    root_mean_square,
)

NAN = np.nan


def test_only_asked_and_answered_frames_enter_and_the_others_are_counted() -> None:
    asked = np.array([[True, False], [True, False], [True, False], [True, False]])
    errors = np.array([[1.0, 1.0], [NAN, 1.0], [3.0, NAN], [np.inf, 1.0]])
    found = by_column(np.mean, asked, errors)
    np.testing.assert_array_equal(found.values, [2.0, NAN])
    assert found.reasons == ("", NO_TRUTH)
    np.testing.assert_array_equal(found.num_frames, [4, 0])
    np.testing.assert_array_equal(found.num_failed, [2, 0])


def test_a_recording_without_an_answer_has_failed_in_all_frames() -> None:
    found = by_column(np.mean, np.ones((5, 2), dtype=bool), np.full((5, 2), NAN))
    assert np.isnan(found.values).all()
    assert found.reasons == (NO_ESTIMATE, NO_ESTIMATE)
    np.testing.assert_array_equal(found.num_failed, [5, 5])


def test_a_frame_is_answered_if_every_series_is() -> None:
    first, second = np.array([[1.0], [2.0], [NAN]]), np.array([[NAN], [5.0], [6.0]])
    found = by_column(lambda a, b: float((a * b).sum()), np.ones((3, 1), dtype=bool), first, second)
    assert found.values.tolist() == [10.0]
    assert found.num_failed.tolist() == [2]


def test_a_degenerate_column_tells_why_and_spares_the_others() -> None:
    def root(values: np.ndarray) -> float:
        if values[0] < 0:
            raise Undefined("negative")
        return float(np.sqrt(values[0]))

    found = by_column(root, np.ones((1, 3), dtype=bool), np.array([[4.0, -1.0, 9.0]]))
    np.testing.assert_array_equal(found.values, [2.0, NAN, 3.0])
    assert found.reasons == ("", "negative", "")
    assert found.num_failed.tolist() == [0, 0, 0]


def test_root_mean_square() -> None:
    assert root_mean_square(np.array([3.0, 4.0, 0.0, 5.0])) == pytest.approx(np.sqrt(12.5), abs=1e-12)
