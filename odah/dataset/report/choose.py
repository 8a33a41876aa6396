"""Which clips the page shows: some of everything, the worst of each residual, and some of each flag."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from odah.dataset.report.facts import ClipFacts
from odah.dataset.report.residuals import RESIDUALS

WORST = 5
LINKED_FLAGS = 5
"""Clips of each kind of flag that a page of many clips shows whole."""
SHOW_ALL = 60
"""Datasets of at most so many clips are shown whole."""


@dataclass(frozen=True)
class FlagKind:
    """A sentence with its numbers left out, and the clips of which it is told."""

    sentence: str
    clips: tuple[str, ...]


def spread_over(clips: Sequence[ClipFacts], count: int, rng: np.random.Generator) -> list[ClipFacts]:
    """At most `count` clips, seeded, whose subjects and actions repeat as little as can be."""
    waiting = [clips[k] for k in rng.permutation(len(clips))]
    subjects: Counter[str] = Counter()
    actions: Counter[str] = Counter()
    chosen: list[ClipFacts] = []
    while waiting and len(chosen) < count:
        cost = [subjects[c.record["subject"]] + actions[c.record["action"]] for c in waiting]
        clip = waiting.pop(int(np.argmin(cost)))
        subjects[clip.record["subject"]] += 1
        actions[clip.record["action"]] += 1
        chosen.append(clip)
    return sorted(chosen, key=lambda clip: (clip.record["action"], clip.clip_id))


def worst_clips(clips: Sequence[ClipFacts], key: str, lowest: bool) -> list[tuple[ClipFacts, float]]:
    """The clips with the largest (or lowest) value of a residual, the worst first."""
    known = [(clip, value) for clip in clips if (value := clip.residual(key)) is not None]
    return sorted(known, key=lambda pair: (pair[1] if lowest else -pair[1], pair[0].clip_id))[:WORST]


def kinds_of(sentences: Sequence[tuple[str, Sequence[str]]]) -> list[FlagKind]:
    """Sentences of many clips, (clip id, its sentences), by kind; the most frequent first."""
    found: dict[str, list[str]] = {}
    for clip_id, told in sentences:
        for kind in dict.fromkeys(kind_of(sentence) for sentence in told):
            found.setdefault(kind, []).append(clip_id)
    kinds = [FlagKind(sentence, tuple(clips)) for sentence, clips in found.items()]
    return sorted(kinds, key=lambda kind: (-len(kind.clips), kind.sentence))


def kind_of(sentence: str) -> str:
    """A sentence without its numbers and what they measure off in brackets."""
    plain = re.sub(r"\s*\([^)]*\d[^)]*\)", "", sentence)
    return re.sub(r"(?<![\w.])-?\d+(\.\d+)?( of \d+)?( ?%)?", "…", plain)


def clips_shown_whole(
    clips: Sequence[ClipFacts], sheet: Sequence[ClipFacts], flags: Sequence[FlagKind]
) -> list[ClipFacts]:
    """Those with a block of their own: all of a small dataset, else what the page points at."""
    if len(clips) <= SHOW_ALL:
        return list(clips)
    wanted = {clip.clip_id for clip in sheet}
    for residual in RESIDUALS:
        wanted |= {clip.clip_id for clip, _ in worst_clips(clips, residual.key, residual.lowest)}
    for kind in flags:
        wanted |= set(kind.clips[:LINKED_FLAGS])
    return [clip for clip in clips if clip.clip_id in wanted]
