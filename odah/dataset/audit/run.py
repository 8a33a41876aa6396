"""All clips of a dataset through the audit, in processes of their own; some are looked at wholly."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from odah.dataset.audit.clip_audit import NUM_LOOKS, ClipAudit, audit_clip
from odah.dataset.audit.dataset_checks import check_info, dataset_failures, dataset_notes
from odah.dataset.reader import Dataset
from odah.dataset.schema import seeded_rng
from odah.errors import InputError, OdahError
from odah.stopping import stoppable
from odah.workers import Failure, in_processes, num_cores

MIN_SAMPLE = 20
SAMPLE_SHARE = 0.05
"""Of the clips, how many are looked at wholly, unless more or fewer are asked for."""


@dataclass(frozen=True)
class AuditOptions:
    """clips: pattern of their names, as in a shell; None for all. jobs: processes; None for as many as cores.
    is_deep: look at every clip wholly. sample: how many to look at wholly; None for 20, or 5 % if that is
    more. seed: of which those are, and of the frames looked at in the others.

    Raises:
        InputError: a number that means nothing.
    """

    clips: str | None = None
    jobs: int | None = None
    is_deep: bool = False
    sample: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value, least in (
            ("jobs", self.jobs, 1),
            ("sample", self.sample, 0),
            ("seed", self.seed, 0),
        ):
            if value is not None and value < least:
                raise InputError(f"--{name}", f"{value}", f"at least {least}")
        if self.is_deep and self.sample is not None:
            raise InputError("--sample", f"{self.sample} beside --deep", "one of the two")


_DEFAULT = AuditOptions()


@dataclass(frozen=True)
class DatasetAudit:
    """What was found. clips: audits in name order. num_clips: of the dataset. failures: by place, of what is
    no clip's own. notes: what is odd but no failure."""

    clips: tuple[ClipAudit, ...]
    num_clips: int
    failures: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def is_valid(self) -> bool:
        return not self.failures and all(audit.is_valid for audit in self.clips)

    @property
    def num_valid(self) -> int:
        return sum(audit.is_valid for audit in self.clips)

    @property
    def num_whole(self) -> int:
        """Clips that were looked at wholly."""
        return sum(audit.is_whole for audit in self.clips)

    def to_json(self) -> dict[str, Any]:
        """Counts of clips: of the dataset, audited, looked at wholly, valid; failures by clip and check, and
        of the dataset by place; notes."""
        return {
            "clips": self.num_clips,
            "audited": len(self.clips),
            "looked_at_wholly": self.num_whole,
            "valid": self.num_valid,
            "failed": {audit.clip_id: audit.failures for audit in self.clips if not audit.is_valid},
            "dataset": self.failures,
            "notes": list(self.notes),
        }


def audit_dataset(
    dataset: Dataset,
    options: AuditOptions = _DEFAULT,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> DatasetAudit:
    """Audit clips and what holds them together. tell: is told (done, total) clips.

    Raises:
        InputError: no clip is called so, or `dataset.json` is damaged. OdahError: there is no clip to audit.
    """
    check_info(dataset)
    clip_ids = _chosen(dataset, options.clips)
    whole = set(clip_ids) if options.is_deep else _sample(clip_ids, options)
    with stoppable(), closing(_audits(dataset, clip_ids, whole, options)) as audits:
        found: dict[str, ClipAudit] = {}
        tell(0, len(clip_ids))
        for audit in audits:
            found[audit.clip_id] = audit
            tell(len(found), len(clip_ids))
    ordered = [found[clip_id] for clip_id in clip_ids]
    return DatasetAudit(
        tuple(ordered),
        len(dataset),
        dataset_failures(dataset, ordered, dataset.clip_ids),
        tuple(dataset_notes(dataset, ordered, is_all=len(ordered) == len(dataset))),
    )


def _chosen(dataset: Dataset, pattern: str | None) -> list[str]:
    if not len(dataset):
        raise OdahError(f"{Path(dataset.paths.root)}: found no finished clip, expected at least one")
    chosen = fnmatch.filter(dataset.clip_ids, pattern) if pattern is not None else list(dataset.clip_ids)
    if not chosen:
        raise InputError("--clips", repr(pattern), f"a pattern of clips such as {dataset.clip_ids[0]!r}")
    return chosen


def _sample(clip_ids: Sequence[str], options: AuditOptions) -> set[str]:
    default = max(MIN_SAMPLE, math.ceil(SAMPLE_SHARE * len(clip_ids)))
    count = min(default if options.sample is None else options.sample, len(clip_ids))
    rng = seeded_rng(options.seed, "audit")
    return {clip_ids[int(k)] for k in rng.choice(len(clip_ids), count, replace=False)}


def _audits(
    dataset: Dataset, clip_ids: Sequence[str], whole: set[str], options: AuditOptions
) -> Generator[ClipAudit, None, None]:
    """As they are finished; those that take longest begin first."""
    items = sorted(((clip_id, clip_id in whole) for clip_id in clip_ids), key=lambda item: not item[1])
    audit = partial(_audit, Dataset(dataset.paths, dataset.info), options.seed)
    for index, result in in_processes(audit, items, options.jobs or num_cores()):
        clip_id, is_whole = items[index]
        if isinstance(result, Failure):
            result = ClipAudit(clip_id, {"audit": result.why}, is_whole=is_whole)
        yield result


def _audit(dataset: Dataset, seed: int, item: tuple[str, bool]) -> ClipAudit:
    clip_id, is_whole = item
    return audit_clip(dataset[clip_id], dataset, None if is_whole else NUM_LOOKS, seed)
