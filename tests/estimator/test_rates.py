"""Frames at other rates, by hand."""

from odah.estimator.rates import frames_at_rate, rate_steps


def test_the_nearest_frames_at_any_rate() -> None:
    assert rate_steps(60.0, None, 3).tolist() == [0, 1, 2]
    assert rate_steps(60.0, 20.0, 3).tolist() == [0, 3, 6]
    assert rate_steps(20.0, 40.0, 5).tolist() == [0, 1, 1, 2, 2]


def test_the_frames_of_a_whole_clip() -> None:
    assert frames_at_rate(7, 60.0, 20.0).tolist() == [0, 3, 6]
    assert frames_at_rate(4, 30.0, None).tolist() == [0, 1, 2, 3]
    assert frames_at_rate(3, 10.0, 20.0).tolist()[:4] == [0, 1, 1, 2]
    assert frames_at_rate(1, 60.0, 20.0).tolist() == [0]
