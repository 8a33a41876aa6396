"""One measure of many recordings, to be grouped by action, subject, coordinate, view. Letter: N samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from odah.benchmark.metrics.measured import Measured

SUBJECT = "subject"


@dataclass(frozen=True, eq=False)
class Samples:
    """One measure's values, each of one column of one recording.

    values, num_frames, num_failed: as in `Measured`. reasons: likewise. labels: by what they can be grouped,
    with each sample's (N,); `subject` is always there.
    """

    values: Float[np.ndarray, " N"]
    num_frames: Int[np.ndarray, " N"]
    num_failed: Int[np.ndarray, " N"]
    reasons: tuple[str, ...]
    labels: Mapping[str, np.ndarray]

    def where(self, is_chosen: Bool[np.ndarray, " N"]) -> Samples:
        """Those chosen."""
        return Samples(
            values=self.values[is_chosen],
            num_frames=self.num_frames[is_chosen],
            num_failed=self.num_failed[is_chosen],
            reasons=tuple(self.reasons[place] for place in np.flatnonzero(is_chosen)),
            labels={name: labels[is_chosen] for name, labels in self.labels.items()},
        )

    def by(self, label: str) -> dict[str, Samples]:
        """The samples of each action, subject, coordinate, view, whatever the label tells, by its name."""
        return {str(name): self.where(self.labels[label] == name) for name in np.unique(self.labels[label])}


def gathered(measures: Iterable[tuple[Mapping[str, str], Sequence[str], Measured]], column: str) -> Samples:
    """The samples of at least one recording.

    measures: each recording's labels (subject, action, view ...), the same kinds for all; the names of its
    columns; what was measured. column: the label that holds those names, e.g. coordinate.
    """
    recordings, columns, measured = zip(*measures, strict=True)
    counts = [len(names) for names in columns]
    labels = {kind: np.repeat([labels[kind] for labels in recordings], counts) for kind in recordings[0]}
    return Samples(
        values=np.concatenate([each.values for each in measured]),
        num_frames=np.concatenate([each.num_frames for each in measured]),
        num_failed=np.concatenate([each.num_failed for each in measured]),
        reasons=tuple(reason for each in measured for reason in each.reasons),
        labels={**labels, column: np.concatenate([np.array(names, dtype=str) for names in columns])},
    )
