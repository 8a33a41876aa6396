"""What will be made: a config unrolled into subjects and clips, before any work."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from odah.config import GenerateConfig, Recording
from odah.dataset.schema import SPLITS, seeded_rng
from odah.errors import InputError


@dataclass(frozen=True)
class ClipPlan:
    """One clip: who does what. Exactly one of `builtin` (an action's name) and `recording` is set."""

    clip_id: str
    subject: str
    action: str
    split: str
    builtin: str | None = None
    recording: Recording | None = None


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


def plan_clips(config: GenerateConfig, config_folder: Path) -> list[ClipPlan]:
    """All clips of a dataset in a fixed order.

    Raises:
        InputError: a recording that does not exist, or two clips with one id.
    """
    root = config_folder / Path(config.motion.root).expanduser() if config.motion.root else config_folder
    synthetic = [f"subject{k + 1:03d}" for k in range(config.subjects.count)] if config.motion.actions else []
    recordings = [_resolve(recording, root) for recording in config.motion.recordings]
    recorded = list(dict.fromkeys(_recording_subject(recording) for recording in recordings))
    splits = _splits(synthetic + recorded, config)
    plans = [
        ClipPlan(f"{subject}_{action}", subject, action, splits[subject], builtin=action)
        for subject in synthetic
        for action in config.motion.actions
    ]
    for recording in recordings:
        if not Path(recording.path).is_file():
            raise InputError(recording.path, "no such file", "a recording named in motion.recordings")
        subject = _recording_subject(recording)
        action = _identifier(recording.action or Path(recording.path).stem)
        clip_id = subject if recording.subject is None else f"{subject}_{action}"
        plans.append(ClipPlan(clip_id, subject, action, splits[subject], recording=recording))
    _check_unique(plans)
    return plans


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
