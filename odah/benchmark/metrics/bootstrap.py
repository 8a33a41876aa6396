"""Confidence intervals by drawing subjects again. Letters: N samples, S subjects, R resamples.

Subjects are drawn with replacement and come with all their samples, for frames and clips of one person are no
independent draws (clusters: Davison and Hinkley 1997, section 3.8). The ends are percentiles (Efron and
Tibshirani 1993, chapter 13).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

_BLOCK = 2_000_000
"""Numbers that are held at once."""


@dataclass(frozen=True)
class Interval:
    """Its ends; NaN for fewer than two subjects, who tell nothing of others."""

    low: float
    high: float


@dataclass(frozen=True)
class SubjectBootstrap:
    """The same resamples for several figures. draws: how often each takes each subject, (R, S)."""

    draws: Int[np.ndarray, "R S"]
    level: float

    @classmethod
    def drawn(
        cls, num_subjects: int, rng: np.random.Generator, *, num_resamples: int, level: float
    ) -> SubjectBootstrap:
        """level: of confidence, e.g. 0.95."""
        if num_subjects < 2:
            return cls(np.zeros((0, num_subjects), dtype=np.int64), level)
        chances = np.full(num_subjects, 1 / num_subjects)
        return cls(rng.multinomial(num_subjects, chances, size=num_resamples), level)

    def of_mean(
        self,
        values: Float[np.ndarray, " N"],
        weights: Float[np.ndarray, " N"],
        subjects: Int[np.ndarray, " N"],
    ) -> Interval:
        """Of the weighted mean. subjects: number of each sample's."""
        count = self.draws.shape[1]
        sums = np.bincount(subjects, weights=values * weights, minlength=count)
        totals = np.bincount(subjects, weights=weights, minlength=count)
        return self._interval((self.draws @ sums) / (self.draws @ totals))

    def of_rms(
        self,
        values: Float[np.ndarray, " N"],
        weights: Float[np.ndarray, " N"],
        subjects: Int[np.ndarray, " N"],
    ) -> Interval:
        """Of the root of the weighted mean square; percentiles pass through a root."""
        square = self.of_mean(np.square(values), weights, subjects)
        return Interval(float(np.sqrt(square.low)), float(np.sqrt(square.high)))

    def of_median(self, values: Float[np.ndarray, " N"], subjects: Int[np.ndarray, " N"]) -> Interval:
        """Of the median of the samples, unweighted. subjects: number of each sample's."""
        order = np.argsort(values, kind="stable")
        ordered, owners = values[order], subjects[order]
        rows = max(_BLOCK // max(len(values), 1), 1)
        blocks = [self.draws[start : start + rows] for start in range(0, len(self.draws), rows)]
        medians = [_medians(ordered, block[:, owners]) for block in blocks]
        return self._interval(np.concatenate([np.array([]), *medians]))

    def _interval(self, figures: Float[np.ndarray, " R"]) -> Interval:
        if not len(figures):
            return Interval(np.nan, np.nan)
        low, high = np.quantile(figures, ((1 - self.level) / 2, (1 + self.level) / 2))
        return Interval(float(low), float(high))


def _medians(ordered: Float[np.ndarray, " N"], times: Int[np.ndarray, "R N"]) -> Float[np.ndarray, " R"]:
    """Medians of ascending values that each occur so many times."""
    upto = np.cumsum(times, axis=1)
    total = upto[:, -1:]
    middle = [(upto <= place).sum(axis=1) for place in ((total - 1) // 2, total // 2)]
    return (ordered[middle[0]] + ordered[middle[1]]) / 2
