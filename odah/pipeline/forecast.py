"""What a run would do: clips, frames, time and disk, and what stands in its way; no clip is made."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from odah.config import GenerateConfig
from odah.dataset.file_hashes import FileHashes
from odah.dataset.inputs import with_inputs
from odah.dataset.plan import ClipPlan, choose_subset, plan_clips, shard
from odah.dataset.resume import find_clips
from odah.dataset.schema import DatasetPaths
from odah.dataset.writer import check_folder
from odah.errors import OdahError
from odah.pipeline.clip_maker import ClipMaker
from odah.pipeline.executors import equip
from odah.pipeline.generate import GenerateOptions
from odah.pipeline.probe import Cost, probe
from odah.progress import say
from odah.render import find_blender

Result = TypeVar("Result")


@dataclass(frozen=True)
class Forecast:
    """What is still to be made. frames: of one view, at most, for a recording may be shorter than its clip.

    splits: clips of each. slots: clips side by side. cost: None if something is missing. free_bytes: on the
    disk of the dataset's folder, if one is named. missing: a sentence each.
    """

    clips: int
    frames: int
    people: int
    views: int
    splits: dict[str, int]
    finished: int
    slots: int
    cost: Cost | None
    free_bytes: int | None
    missing: tuple[str, ...]

    @property
    def seconds(self) -> float | None:
        if self.cost is None:
            return None
        return self.cost.seconds(self.people, self.clips, self.frames, self.slots)

    @property
    def num_bytes(self) -> float | None:
        return None if self.cost is None else self.cost.num_bytes(self.clips, self.frames)


class _Missing(list[str]):
    """Sentences about what cannot be had; the search goes on."""

    def unless(self, get: Callable[[], Result]) -> Result | None:
        """What `get` returns, or None, and why not in one more sentence."""
        try:
            return get()
        except OdahError as error:
            self.append(" ".join(str(error).split()))
            return None


def forecast(config: GenerateConfig, folder: Path, out: Path | None, options: GenerateOptions) -> Forecast:
    """Plan the run and measure one of its clips. folder: of the config file. out: the dataset's, if known."""
    missing = _Missing()
    paths = None if out is None else missing.unless(lambda: check_folder(out, config, options.force))
    everything = missing.unless(lambda: plan_clips(config, folder, say)) or []
    plans = (
        missing.unless(lambda: shard(choose_subset(everything, config, options.subset), options.shard)) or []
    )
    waiting = plans
    if paths is not None and paths.info.is_file():
        waiting = missing.unless(lambda: _waiting(plans, everything, config, folder, paths)) or []
    maker = missing.unless(lambda: ClipMaker(config, everything, folder)) if waiting else None
    blender = missing.unless(lambda: find_blender(install=False, say=say))
    equipment, cost = None, None
    if blender is not None:
        equipment = missing.unless(lambda: equip(config, len(waiting), say, blender=blender))
    if maker is not None and equipment is not None and not missing:
        cost = missing.unless(lambda: probe(maker, waiting[0], equipment))
    result = Forecast(
        clips=len(waiting),
        frames=sum(_num_frames(plan, config) for plan in waiting),
        people=len({plan.person for plan in waiting}),
        views=0 if maker is None else len(maker.views),
        splits=dict(Counter(plan.split for plan in waiting)),
        finished=len(plans) - len(waiting),
        slots=1 if equipment is None else equipment.slots.count,
        cost=cost,
        free_bytes=None if out is None else _free_bytes(out),
        missing=tuple(missing),
    )
    return replace(result, missing=(*missing, *_too_little_disk(result)))


def _waiting(
    plans: Sequence[ClipPlan],
    everything: Sequence[ClipPlan],
    config: GenerateConfig,
    folder: Path,
    paths: DatasetPaths,
) -> list[ClipPlan]:
    """Those that a dataset which was begun lacks; what else there is to say of it is told."""
    plans = with_inputs(plans, everything, config, folder, FileHashes(paths.hashes))
    found = find_clips(paths, plans, {plan.clip_id for plan in everything})
    for line in found.sentences():
        say(line)
    return found.waiting


def _num_frames(plan: ClipPlan, config: GenerateConfig) -> int:
    recorded = None if plan.recording is None else plan.recording.duration
    return round((recorded or config.clip.duration) * config.clip.rate)


def _free_bytes(out: Path) -> int:
    nearest = next(place for place in (out, *out.absolute().parents) if place.is_dir())
    return shutil.disk_usage(nearest).free


def _too_little_disk(result: Forecast) -> list[str]:
    if result.num_bytes is None or result.free_bytes is None or result.num_bytes < result.free_bytes:
        return []
    needed, free = (f"{size / 1e9:.1f} GB" for size in (result.num_bytes, result.free_bytes))
    return [f"disk: about {needed} are needed, {free} are free"]
