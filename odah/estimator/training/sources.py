"""The datasets of a training: what they must have in common, who is held out, which pictures are packed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

from odah.dataset.packed import is_packed
from odah.dataset.reader import Dataset, open_dataset
from odah.dataset.squares import CropSettings
from odah.errors import InputError
from odah.estimator.config import DataConfig
from odah.names import OPENSIM_BODIES, OPENSIM_COORDINATES, OPENSIM_JOINTS
from odah.wording import some_of

_HELD_OUT = 0.1
"""Share of the training's subjects that validate where a dataset has no such split."""


@dataclass(frozen=True)
class Source:
    """A dataset's part in a training.

    val: None if there is nobody to validate on. digest: of its clips' files and splits.
    """

    folder: Path
    name: str
    digest: str
    train: Dataset
    val: Dataset | None
    is_packed: bool

    def facts(self) -> dict[str, object]:
        """What a run remembers of it."""
        counts = {"train": len(self.train), "val": 0 if self.val is None else len(self.val)}
        return {"name": self.name, "digest": self.digest, "clips": counts}


def open_sources(
    folders: Sequence[Path], data: DataConfig, tell: Callable[[str], None] = lambda line: None
) -> list[Source]:
    """Open the datasets of a training.

    Raises:
        InputError: no dataset, one without clips to train on, with other coordinates, or of one view
            beside one of several.
    """
    if not folders:
        raise InputError("--data", "nothing", "at least one dataset folder")
    sources = [_open(folder, data, tell) for folder in folders]
    first = min(2, len(sources[0].train.views))
    for source in sources[1:]:
        if min(2, len(source.train.views)) != first:
            found = f"{len(source.train.views)} views beside {first} in {sources[0].folder}"
            raise InputError(source.folder, found, "datasets of one view, or of two and more")
    _tell_shared_people(sources, tell)
    return sources


def _tell_shared_people(sources: Sequence[Source], tell: Callable[[str], None]) -> None:
    """Folders of one dataset, made at different times perhaps, should agree on who validates."""
    for train, val in permutations(sources, 2):
        if train.name != val.name or val.val is None:
            continue
        shared = sorted({clip.subject for clip in train.train} & {clip.subject for clip in val.val})
        if shared:
            people = some_of(shared)
            tell(f"{train.folder}: trains on {people} of {train.name}, who validate in {val.folder}")


def _open(folder: Path, data: DataConfig, tell: Callable[[str], None]) -> Source:
    dataset = open_dataset(folder)
    for key, known in (
        ("coordinate_names", OPENSIM_COORDINATES),
        ("body_names", OPENSIM_BODIES),
        ("joint_names", OPENSIM_JOINTS),
    ):
        if tuple(dataset.info[key]) != tuple(known):
            odd = [name for name in dataset.info[key] if name not in known] or ["another order"]
            found = f"{odd[0]!r}" if odd[0] != "another order" else odd[0]
            raise InputError(f"{folder}/dataset.json: {key}", found, "those of the full-body model, in order")
    if not len(dataset):
        raise InputError(folder, "no clips", "at least one; make them with odah generate")
    train, val = dataset.split("train"), dataset.split("val")
    if not len(train):
        raise InputError(folder, f"none of its {len(dataset)} clips in the split train", "clips to train on")
    train, held_out = (train, val) if len(val) else _held_out(train)
    if held_out is None:
        tell(f"{folder}: one subject and no split val, so nothing is validated")
    elif not len(val):
        subjects = sorted({clip.subject for clip in held_out})
        tell(f"{folder}: no split val, so {len(subjects)} of train are held out: {', '.join(subjects)}")
    _tell_rate(folder, dataset.rate, data.rate, tell)
    has_cache = all(is_packed(part, data.size) for part in (train, held_out) if part is not None)
    if not has_cache:
        size = f" --size {data.size}" * (data.size != CropSettings.size)
        tell(f"{folder}: not packed, so videos are read; quicker after: odah pack {folder}{size}")
    return Source(Path(folder), dataset.info["name"], _digest(dataset), train, held_out, has_cache)


def _held_out(train: Dataset) -> tuple[Dataset, Dataset | None]:
    """A tenth of the subjects, the same ones whenever they are asked for."""
    subjects = sorted({clip.subject for clip in train}, key=lambda s: hashlib.sha256(s.encode()).digest())
    if len(subjects) < 2:
        return train, None
    chosen = set(subjects[: max(1, round(_HELD_OUT * len(subjects)))])
    return train.where(lambda clip: clip.subject not in chosen), train.where(lambda c: c.subject in chosen)


def _digest(dataset: Dataset) -> str:
    told = [[clip.clip_id, clip.split, clip.record.get("sha256")] for clip in dataset]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def _tell_rate(folder: Path, have: float, want: float | None, tell: Callable[[str], None]) -> None:
    if want is None or have == want:
        return
    ratio = have / want
    if abs(ratio - round(ratio)) < 1e-6:
        tell(f"{folder}: {have:g} frames/s, of which one in {round(ratio)} is taken for {want:g}")
    else:
        tell(f"{folder}: {have:g} frames/s; for {want:g} the nearest frame is taken, which is not even")
