"""Grouping, and the figures of a group against hand-worked cases, numpy and scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import bootstrap

from odah.benchmark.metrics.bootstrap import Interval, SubjectBootstrap
from odah.benchmark.metrics.measured import NO_ESTIMATE, Measured
from odah.benchmark.metrics.samples import Samples, gathered
from odah.benchmark.metrics.statistics import summarize

NAN = np.nan


def measured(values: list[float], num_frames: int = 1, num_failed: int = 0) -> Measured:
    array = np.array(values, dtype=float)
    failed = np.where(np.isfinite(array), num_failed, num_frames)
    reasons = tuple("" if np.isfinite(value) else NO_ESTIMATE for value in values)
    return Measured(array, reasons, np.full(len(array), num_frames), failed)


def samples(values: list[float], subjects: list[str]) -> Samples:
    entries = [({"subject": s}, ["knee"], measured([v])) for v, s in zip(values, subjects, strict=True)]
    return gathered(entries, "coordinate")


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


WALK_A = {"subject": "a", "action": "walk", "view": "front"}
RUN_A = {"subject": "a", "action": "run", "view": "side"}
WALK_B = {"subject": "b", "action": "walk", "view": "side"}
KNEES = ["knee_l", "knee_r"]


def test_samples_are_found_by_every_label() -> None:
    found = gathered(
        [
            (WALK_A, KNEES, measured([1.0, 2.0])),
            (RUN_A, ["knee_r"], measured([3.0], num_frames=5)),
            (WALK_B, KNEES, measured([NAN, 6.0], num_frames=7)),
        ],
        "coordinate",
    )
    np.testing.assert_array_equal(found.values, [1, 2, 3, NAN, 6])
    assert {name: group.values.tolist() for name, group in found.by("action").items()} == {
        "run": [3.0], "walk": pytest.approx([1.0, 2.0, NAN, 6.0], nan_ok=True),
    }  # fmt: skip
    assert found.by("subject")["a"].num_frames.tolist() == [1, 1, 5]
    assert found.by("view")["side"].values[0] == 3.0
    right = found.by("coordinate")["knee_r"]
    assert right.values.tolist() == [2.0, 3.0, 6.0]
    assert right.labels["subject"].tolist() == ["a", "a", "b"]
    assert right.by("action")["walk"].values.tolist() == [2.0, 6.0]
    assert found.by("subject")["b"].reasons == (NO_ESTIMATE, "")


def test_the_mean_is_over_frames_quartiles_over_samples() -> None:
    found = gathered(
        [(WALK_A, KNEES, measured([1.0, 2.0], 10)), (WALK_B, KNEES, measured([4.0, 8.0], 40, 10))],
        "coordinate",
    )
    figures = summarize(found, rng())
    # Weights 10 10 30 30.
    assert figures.mean == pytest.approx((10 + 20 + 120 + 240) / 80, abs=1e-9)
    assert figures.rms == pytest.approx(np.sqrt((10 + 40 + 480 + 1920) / 80), abs=1e-9)
    assert (figures.q1, figures.median, figures.q3) == pytest.approx((1.75, 3.0, 5.0), abs=1e-9)
    assert (figures.num_subjects, figures.num_samples) == (2, 4)
    assert (figures.num_frames, figures.num_failed) == (100, 20)
    assert figures.undefined == {}


def test_a_failed_recording_is_told_beside_the_mean() -> None:
    undefined = Measured(np.array([NAN]), ("the truth does not move",), np.array([6]), np.array([0]))
    found = gathered(
        [
            (WALK_A, ["knee"], measured([2.0], 10)),
            (WALK_B, ["knee"], measured([NAN], 30)),
            (RUN_A, ["knee"], undefined),
        ],
        "coordinate",
    )
    figures = summarize(found, rng())
    assert figures.mean == 2.0
    assert (figures.num_frames, figures.num_failed) == (46, 30)
    assert (figures.num_subjects, figures.num_samples) == (1, 1)
    assert figures.undefined == {NO_ESTIMATE: 1, "the truth does not move": 1}


def test_nothing_but_failures() -> None:
    figures = summarize(samples([NAN, NAN], ["a", "b"]), rng())
    for figure in (figures.mean, figures.rms, figures.median, figures.q1, figures.q3):
        assert np.isnan(figure)
    assert np.isnan([figures.mean_interval.low, figures.median_interval.high]).all()
    assert (figures.num_subjects, figures.num_failed) == (0, 2)


def test_one_person_tells_nothing_of_others() -> None:
    figures = summarize(samples([1.0, 2.0, 3.0], ["a", "a", "a"]), rng())
    assert figures.mean == 2.0
    assert np.isnan([*vars(figures.mean_interval).values(), *vars(figures.median_interval).values()]).all()


def test_two_people_are_both_or_one_of_them_twice() -> None:
    """However many frames each has: half of the draws are one person alone, beyond either percentile."""
    values, subjects = [1.0] * 100 + [3.0] * 100, ["a"] * 100 + ["b"] * 100
    figures = summarize(samples(values, subjects), rng())
    assert figures.mean_interval == Interval(1.0, 3.0)
    assert figures.median_interval == Interval(1.0, 3.0)
    assert figures.rms_interval == Interval(1.0, 3.0)
    within = summarize(samples(values, ["a", "b"] * 100), rng())  # both people have the same errors
    assert within.mean_interval.low == pytest.approx(2.0)
    assert within.mean_interval.high == pytest.approx(2.0)


def test_the_interval_is_scipys_where_everybody_has_one_sample() -> None:
    values = np.random.default_rng(0).gamma(2.0, size=40)
    ours = summarize(samples(values.tolist(), [f"s{k}" for k in range(40)]), rng(), num_resamples=20000)
    for statistic, found in ((np.mean, ours.mean_interval), (np.median, ours.median_interval)):
        theirs = bootstrap(
            (values,),
            statistic,
            method="percentile",
            n_resamples=20000,
            random_state=np.random.default_rng(1),
        ).confidence_interval
        assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=0.03)


def test_a_lower_level_is_narrower() -> None:
    values = np.random.default_rng(5).normal(size=30).tolist()
    group = samples(values, [f"s{k}" for k in range(30)])
    wide, narrow = summarize(group, rng()).mean_interval, summarize(group, rng(), level=0.5).mean_interval
    assert wide.low < narrow.low < narrow.high < wide.high


@given(st.integers(0, 2**31))
def test_the_same_seed_gives_the_same_interval_in_any_order(seed: int) -> None:
    draw = np.random.default_rng(seed)
    values = draw.normal(size=12)
    subjects = draw.choice(["a", "b", "c", "d"], size=12)
    order = draw.permutation(12)
    first = summarize(samples(values.tolist(), subjects.tolist()), rng(), num_resamples=50)
    second = summarize(samples(values[order].tolist(), subjects[order].tolist()), rng(), num_resamples=50)
    assert first.median_interval == second.median_interval
    assert first.mean_interval.low == pytest.approx(second.mean_interval.low, abs=1e-12, nan_ok=True)
    assert first.mean_interval.high == pytest.approx(second.mean_interval.high, abs=1e-12, nan_ok=True)


@given(st.integers(0, 2**31))
def test_resampled_figures_are_those_of_the_repeated_samples(seed: int) -> None:
    draw = np.random.default_rng(seed)
    values, weights = draw.normal(size=15), draw.uniform(1, 5, size=15)
    subjects = np.concatenate([np.arange(4), draw.integers(0, 4, size=11)])
    drawn = SubjectBootstrap.drawn(4, draw, num_resamples=30, level=0.8)
    assert (drawn.draws.sum(axis=1) == 4).all()
    means, roots, medians = [], [], []
    for times in drawn.draws:
        chosen = np.repeat(np.arange(15), times[subjects])
        means.append(np.average(values[chosen], weights=weights[chosen]))
        medians.append(np.median(values[chosen]))
        roots.append(np.average(values[chosen] ** 2, weights=weights[chosen]))
    for found, figures in (
        (drawn.of_mean(values, weights, subjects), means),
        (drawn.of_median(values, subjects), medians),
    ):
        assert (found.low, found.high) == pytest.approx(tuple(np.quantile(figures, (0.1, 0.9))), abs=1e-9)
    root = drawn.of_rms(values, weights, subjects)
    assert (root.low**2, root.high**2) == pytest.approx(tuple(np.quantile(roots, (0.1, 0.9))), abs=1e-9)
