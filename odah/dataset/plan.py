"""What will be made: a config unrolled into subjects and clips, before any work."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from odah.config import GenerateConfig, Recording
from odah.dataset.schema import SPLITS, seeded_rng
from odah.dataset.subsets import subset_members
from odah.errors import InputError
from odah.motion.collections.sources import collection_takes
from odah.motion.collections.take import Take


@dataclass(frozen=True)
class ClipPlan:
    """One clip: who does what. Exactly one of `builtin` (an action's name) and `recording` is set.

    variant: how much the body that performs it is heavier than the subject's own, kg/m^2 of body mass index.
    subsets: names of the config's subsets that the clip belongs to.
    inputs, person_inputs: digests of all that the clip, and its person, are made from, which
        `odah.dataset.inputs` fills in.
    """

    clip_id: str
    subject: str
    action: str
    split: str = "train"
    builtin: str | None = None
    recording: Recording | None = None
    variant: float = 0.0
    subsets: tuple[str, ...] = ()
    inputs: str = ""
    person_inputs: str = ""

    @property
    def person(self) -> str:
        """The subject, or the variant of their body: its folder under `subjects/`."""
        return f"{self.subject}_bmi{self.variant:g}" if self.variant else self.subject


def _identifier(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9-]+", "_", text).strip("_").lower() or "unnamed"


def _splits(subjects: list[str], config: GenerateConfig) -> dict[str, str]:
    """Subjects to splits, whole subjects only, in a seeded order; train is filled first."""
    shares = np.asarray(config.subjects.split, dtype=float)
    if shares.sum() <= 0:
        raise InputError("config: subjects.split", f"{list(shares)}", "shares whose sum is positive")
    edges = np.round(np.cumsum(shares / shares.sum()) * len(subjects)).astype(int)
    order = seeded_rng(config.seed, "splits").permutation(len(subjects))
    rank = {subjects[subject]: place for place, subject in enumerate(order)}
    return {name: SPLITS[int(np.searchsorted(edges, rank[name], side="right"))] for name in subjects}


def _resolve(recording: Recording, root: Path) -> Recording:
    update: dict[str, str] = {"path": str(root / Path(recording.path).expanduser())}
    if recording.osim is not None:
        update["osim"] = str(root / Path(recording.osim).expanduser())
    return recording.model_copy(update=update)


def _recording_subject(recording: Recording) -> str:
    return _identifier(recording.subject or f"{Path(recording.path).stem}_{Path(recording.path).suffix[1:]}")


def plan_clips(
    config: GenerateConfig, config_folder: Path, tell: Callable[[str], None] = lambda line: None
) -> list[ClipPlan]:
    """All clips of a dataset in a fixed order: built-in actions, the source's takes, single recordings.

    tell: hears of files of the source that are passed over.

    Raises:
        InputError: the source's folder or a recording does not exist, or two clips have one id.
    """
    motion = config.motion
    root = config_folder / Path(motion.root).expanduser() if motion.root else config_folder
    plans = [*_builtin_clips(config), *_collection_clips(config, root, tell)]
    plans += [_recording_clip(_resolve(recording, root)) for recording in motion.recordings]
    splits = _splits(list(dict.fromkeys(plan.subject for plan in plans)), config)
    plans = [
        replace(plan, split=splits[plan.subject], variant=_variant(plan.clip_id, config)) for plan in plans
    ]
    _check_unique(plans)
    return _with_subsets(plans, config)


def _builtin_clips(config: GenerateConfig) -> list[ClipPlan]:
    actions = config.motion.builtin_actions
    people = [f"subject{k + 1:03d}" for k in range(config.subjects.count)]
    return [ClipPlan(f"{who}_{action}", who, action, builtin=action) for who in people for action in actions]


def _collection_clips(config: GenerateConfig, root: Path, tell: Callable[[str], None]) -> list[ClipPlan]:
    motion = config.motion
    if motion.source in (None, "builtin"):
        return []
    takes = collection_takes(motion.source, root, config.subjects.count, motion.takes, tell)
    return [_take_clip(take, motion.licence) for take in takes]


def _take_clip(take: Take, licence: str | None) -> ClipPlan:
    subject, action = _identifier(take.subject), _identifier(take.action)
    recording = Recording(
        path=str(take.path), subject=take.subject, action=take.action, start=take.start,
        duration=take.duration, gender=take.gender, licence=take.licence or licence,
        osim=None if take.osim is None else str(take.osim),
    )  # fmt: skip
    return ClipPlan(f"{subject}_{_identifier(take.name or action)}", subject, action, recording=recording)


def _recording_clip(recording: Recording) -> ClipPlan:
    if not Path(recording.path).is_file():
        raise InputError(recording.path, "no such file", "a recording named in motion.recordings")
    subject = _recording_subject(recording)
    action = _identifier(recording.action or Path(recording.path).stem)
    clip_id = subject if recording.subject is None else f"{subject}_{action}"
    return ClipPlan(clip_id, subject, action, recording=recording)


def _variant(clip_id: str, config: GenerateConfig) -> float:
    variants = config.subjects.bmi_variants
    if not variants:
        return 0.0
    return variants[int(seeded_rng(config.seed, "bmi variant", clip_id).integers(len(variants)))]


def _check_unique(plans: list[ClipPlan]) -> None:
    seen: set[str] = set()
    for plan in plans:
        if plan.clip_id in seen:
            raise InputError(
                "config: motion",
                f"two clips called {plan.clip_id!r}",
                "names that differ (set subject or action)",
            )
        seen.add(plan.clip_id)
    people: dict[str, str] = {}
    for plan in plans:
        if people.setdefault(plan.person, plan.subject) != plan.subject:
            found = f"a subject and a variant of another who are both called {plan.person!r}"
            raise InputError("config: motion", found, "names that differ (set subject)")


def shard(plans: list[ClipPlan], text: str | None) -> list[ClipPlan]:
    """The clips of shard "I/N" (I from 1): every Nth, so that shards need not talk.

    Raises:
        InputError: the text is not I/N with 1 <= I <= N.
    """
    if text is None:
        return plans
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    index, count = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= index <= count:
        raise InputError("--shard", repr(text), "I/N with 1 <= I <= N")
    return plans[index - 1 :: count]


def _with_subsets(plans: list[ClipPlan], config: GenerateConfig) -> list[ClipPlan]:
    """The plans with the names of the config's subsets that they belong to."""
    train = {plan.clip_id: plan.subject for plan in plans if plan.split == "train"}
    members = subset_members(train, config.subsets, config.seed)
    return [
        replace(
            plan, subsets=tuple(n for n in members if plan.split != "train" or plan.clip_id in members[n])
        )
        for plan in plans
    ]


def choose_subset(plans: list[ClipPlan], config: GenerateConfig, name: str | None) -> list[ClipPlan]:
    """The clips of a subset: its train clips, and all of val and test.

    Raises:
        InputError: the config has no such subset.
    """
    if name is None:
        return plans
    if name not in config.subsets:
        expected = f"one of {', '.join(config.subsets)}" if config.subsets else "a config with subsets"
        raise InputError("--subset", repr(name), expected)
    return [plan for plan in plans if name in plan.subsets]


def smaller_subsets(plans: list[ClipPlan], config: GenerateConfig) -> list[str]:
    """A sentence for each subset that has fewer train clips than its config asks for."""
    told = []
    for name, subset in config.subsets.items():
        count = sum(name in plan.subsets for plan in plans if plan.split == "train")
        if count < subset.clips:
            told.append(f"subset {name} has {count} train clips instead of {subset.clips}: there are no more")
    return told


def described_plans(plans: Sequence[ClipPlan]) -> dict[str, Any]:
    """What `dataset.json` says of splits, by their subjects, and of subsets, by the number of their clips."""
    return {
        "planned_clips": len(plans),
        "splits": {
            split: list(dict.fromkeys(plan.subject for plan in plans if plan.split == split))
            for split in SPLITS
        },
        "subsets": dict(Counter(name for plan in plans for name in plan.subsets)),
    }
