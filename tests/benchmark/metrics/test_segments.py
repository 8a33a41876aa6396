"""Errors of scale factors by hand."""

import numpy as np

from odah.benchmark.metrics.measured import NO_ESTIMATE, NO_TRUTH
from odah.benchmark.metrics.segments import mae_body, rmse_body

NAN = np.nan
TRUE = np.array([[1.0, 1.0, 1.0], [0.9, 1.1, 1.0]])
ESTIMATED = np.array([[1.1, 0.9, 1.2], [0.9, 1.0, 1.3]])


def test_rmse_is_of_the_factors_over_the_axes() -> None:
    found = rmse_body(ESTIMATED, TRUE)
    np.testing.assert_allclose(found.values, [np.sqrt(0.06 / 3), np.sqrt(0.1 / 3)], atol=1e-9)
    assert found.num_frames.tolist() == [1, 1]


def test_mae_is_a_length_along_the_longest_dimension() -> None:
    dimensions = np.array([[0.1, 0.2, 0.3], [0.05, 0.4, 0.1]])
    found = mae_body(ESTIMATED, TRUE, dimensions)
    np.testing.assert_allclose(found.values, [0.2 * 0.3, 0.1 * 0.4], atol=1e-9)


def test_missing_bodies_are_told() -> None:
    estimated, true = ESTIMATED.copy(), TRUE.copy()
    estimated[0, 1], true[1] = NAN, NAN
    found = rmse_body(estimated, true)
    assert found.reasons == (NO_ESTIMATE, NO_TRUTH)
    assert (found.num_frames.tolist(), found.num_failed.tolist()) == ([1, 0], [1, 0])
    found = mae_body(estimated, true, np.array([[1.0, 2.0, 1.0], [1.0, 2.0, 1.0]]))
    assert found.reasons == (NO_ESTIMATE, NO_TRUTH)
    assert mae_body(estimated, true, np.ones((2, 3))).reasons[0] == ""  # x, which is there
