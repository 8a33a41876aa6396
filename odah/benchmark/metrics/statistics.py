"""The figures that a table says of a group of samples: location, spread, certainty, failures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from odah.benchmark.metrics.bootstrap import Interval, SubjectBootstrap
from odah.benchmark.metrics.samples import SUBJECT, Samples


@dataclass(frozen=True)
class Summary:
    """Of a group, in the measure's unit; NaN where no sample has a value.

    mean, rms: over all answered frames: a sample weighs as many as it has. median, q1, q3: of the samples as
    they are (linear between neighbours); the interquartile range is q3 - q1 (D3KE paper, Table 6).
    num_subjects, num_samples: with a value. num_frames: asked, of all samples; num_failed: of these, without
    an answer: no mean is to be shown without them. undefined: how many samples have no value, by reason.
    """

    mean: float
    rms: float
    median: float
    q1: float
    q3: float
    mean_interval: Interval
    rms_interval: Interval
    median_interval: Interval
    num_subjects: int
    num_samples: int
    num_frames: int
    num_failed: int
    undefined: Mapping[str, int]


def summarize(
    samples: Samples, rng: np.random.Generator, *, num_resamples: int = 1000, level: float = 0.95
) -> Summary:
    """Figures of a group, with confidence intervals by bootstrap over its subjects.

    rms: of samples of RMSE it is the RMSE over all their frames.
    """
    answered = samples.where(np.isfinite(samples.values))
    values, weights = answered.values, (answered.num_frames - answered.num_failed).astype(float)
    names, subjects = np.unique(answered.labels[SUBJECT], return_inverse=True)
    bootstrap = SubjectBootstrap.drawn(len(names), rng, num_resamples=num_resamples, level=level)
    q1, median, q3 = np.quantile(values, (0.25, 0.5, 0.75)) if len(values) else (np.nan,) * 3
    return Summary(
        mean=_mean(values, weights),
        rms=float(np.sqrt(_mean(np.square(values), weights))),
        median=float(median),
        q1=float(q1),
        q3=float(q3),
        mean_interval=bootstrap.of_mean(values, weights, subjects),
        rms_interval=bootstrap.of_rms(values, weights, subjects),
        median_interval=bootstrap.of_median(values, subjects),
        num_subjects=len(names),
        num_samples=len(values),
        num_frames=int(samples.num_frames.sum()),
        num_failed=int(samples.num_failed.sum()),
        undefined=dict(Counter(reason for reason in samples.reasons if reason)),
    )


def _mean(values: Float[np.ndarray, " N"], weights: Float[np.ndarray, " N"]) -> float:
    return float(np.average(values, weights=weights)) if len(values) else np.nan
