"""All errors of a benchmark, to be grouped and summed up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from odah.benchmark.grid import Cell
from odah.benchmark.judge import METRICS, judge, unknown_coordinates
from odah.benchmark.metrics.measured import Measured
from odah.benchmark.metrics.samples import Samples, gathered
from odah.benchmark.metrics.statistics import Summary, summarize

GROUPS = ("subject", "action", "view", "column")
"""By which errors are told apart; `column` is a coordinate, joint, body or gait parameter."""


@dataclass(frozen=True, eq=False)
class Results:
    """What the cells of a benchmark are worth.

    seed: of the bootstraps. without: coordinates that do not count where methods are compared.
    """

    cells: tuple[Cell, ...]
    seed: int
    without: frozenset[str] = frozenset()
    _common: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def judged(self) -> list[dict[str, tuple[tuple[str, ...], Measured]]]:
        """Of each cell."""
        return [judge(cell) for cell in self.cells]

    @property
    def datasets(self) -> tuple[str, ...]:
        """In order."""
        return tuple(dict.fromkeys(cell.recording.dataset for cell in self.cells))

    @property
    def methods(self) -> tuple[str, ...]:
        """In order."""
        return tuple(dict.fromkeys(cell.method for cell in self.cells))

    def common(self, dataset: str, metric: str) -> tuple[str, ...]:
        """Columns that every method tells of every recording of a dataset, but for those left out: the
        table's."""
        if (dataset, metric) not in self._common:
            told = [found[metric][0] for found in self._of(dataset) if metric in found]
            shared = set.intersection(*map(set, told)) - self.without if told else set[str]()
            self._common[dataset, metric] = tuple(name for name in told[0] if name in shared) if told else ()
        return self._common[dataset, metric]

    def samples(self, dataset: str, method: str, metric: str, *, only_common: bool = True) -> Samples | None:
        """A method's errors, SI; None where the dataset or the method tells nothing of the kind.

        only_common: in the columns that all methods tell, so that their means can be compared.
        """
        measures = list(self._measures(dataset, method, metric))
        if not measures:
            return None
        samples = gathered(measures, "column")
        if not only_common:
            return samples
        return samples.where(np.isin(samples.labels["column"], self.common(dataset, metric)))

    def summary(self, samples: Samples) -> Summary:
        """With intervals from the same draws for all groups."""
        return summarize(samples, np.random.default_rng(self.seed))

    def figure(self, dataset: str, method: str, metric: str) -> Summary | None:
        """A method's summary in the common columns."""
        samples = self.samples(dataset, method, metric)
        return None if samples is None else self.summary(samples)

    def of(self, dataset: str, method: str) -> list[Cell]:
        """A method's cells of a dataset."""
        return [c for c in self.cells if c.recording.dataset == dataset and c.method == method]

    def untold(self, dataset: str, method: str) -> tuple[str, ...]:
        """Angles of the truth that a method's answers lack."""
        lacking = [name for cell in self.of(dataset, method) for name in unknown_coordinates(cell)]
        return tuple(dict.fromkeys(lacking))

    def _of(self, dataset: str) -> list[dict[str, tuple[tuple[str, ...], Measured]]]:
        return [j for c, j in zip(self.cells, self.judged, strict=True) if c.recording.dataset == dataset]

    def _measures(
        self, dataset: str, method: str, metric: str
    ) -> Iterator[tuple[dict[str, str], Sequence[str], Measured]]:
        for cell, found in zip(self.cells, self.judged, strict=True):
            if cell.recording.dataset == dataset and cell.method == method and metric in found:
                recording = cell.recording
                labels = {
                    "subject": recording.subject, "action": recording.action, "recording": recording.name,
                    "view": "+".join(cell.views),
                }  # fmt: skip
                yield labels, *found[metric]


def value(summary: Summary, metric: str) -> float:
    """The figure of a metric, in its table's unit."""
    return METRICS[metric].factor * float(getattr(summary, METRICS[metric].figure))
