"""A dataset from a config: subjects once, then clip after clip; what is finished stays."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from rich.text import Text

from odah.config import GenerateConfig
from odah.dataset.card import write_card
from odah.dataset.plan import ClipPlan, plan_clips, shard
from odah.dataset.reader import open_dataset
from odah.dataset.schema import DatasetPaths
from odah.dataset.writer import check_folder, write_index
from odah.files import drop_unfinished
from odah.pipeline.clip_maker import ClipMaker
from odah.pipeline.clip_work import ClipWork, scratch_folder
from odah.pipeline.slots import in_slots, plan_slots
from odah.progress import say, steps
from odah.render import RenderSettings, choose_engine, find_blender
from odah.workers import terminable


def generate_dataset(
    config: GenerateConfig, config_folder: Path, out: Path, shard_text: str | None = None
) -> tuple[DatasetPaths, dict[str, str]]:
    """Make every clip that is not there yet, then index and card.

    A clip that fails is told and left out; the others go on.

    Returns:
        The dataset, and for each clip that failed, why.

    Raises:
        InputError: the config, a recording's path or the folder cannot be used.
        OdahError: no Blender, or nothing can be rendered with it.
    """
    all_plans = plan_clips(config, config_folder)
    plans = shard(all_plans, shard_text)
    paths = check_folder(out, config)
    waiting = [plan for plan in plans if not (paths.clip(plan.clip_id) / "clip.json").is_file()]
    if len(waiting) < len(plans):
        say(f"{len(plans) - len(waiting)} of {len(plans)} clips are finished already")
    _drop_unfinished(paths, waiting)
    try:
        with terminable():
            failures = _make(config, all_plans, waiting, config_folder, paths) if waiting else {}
    finally:
        _drop_unfinished(paths, waiting)
        if paths.info.is_file():
            write_index(paths)
            write_card(open_dataset(paths.root))
    return paths, failures


def _drop_unfinished(paths: DatasetPaths, plans: Sequence[ClipPlan]) -> None:
    """Clips that were being made when their process was killed."""
    for plan in plans:
        drop_unfinished(paths.clip(plan.clip_id))


def render_settings(config: GenerateConfig) -> RenderSettings:
    """What the config says about rendering."""
    names = {field.name for field in fields(RenderSettings)} & type(config.render).model_fields.keys()
    values: dict[str, Any] = config.render.model_dump(include=names)
    if config.video.crop_size is not None:
        values["crop_size"] = config.video.crop_size
    return RenderSettings(**values, crf=config.video.crf)


def _make(
    config: GenerateConfig,
    all_plans: Sequence[ClipPlan],
    waiting: Sequence[ClipPlan],
    config_folder: Path,
    paths: DatasetPaths,
) -> dict[str, str]:
    """Make the waiting clips; for each that failed, why."""
    maker = ClipMaker(config, all_plans, config_folder)  # what is wrong with body or clothes is told first
    blender, settings = find_blender(say=say), render_settings(config)
    choice = choose_engine(blender, settings, say)
    slots = plan_slots(config.render.workers, config.render.workers_per_gpu, settings, choice, len(waiting))
    settings = replace(settings, threads=slots.threads)
    if slots.count > 1:
        say(f"{slots.count} clips at a time")
    failures: dict[str, str] = {}
    with scratch_folder() as scratch, steps("clips") as tell:
        tell(0, len(waiting))
        work = ClipWork(maker, paths, settings, blender, choice, scratch)
        with closing(work), closing(in_slots(work, waiting, slots)) as outcomes:
            for done, (plan, outcome) in enumerate(outcomes, 1):
                tell(done, len(waiting))
                if outcome.why is not None:
                    failures[plan.clip_id] = outcome.why
                    say(Text.assemble((f"{plan.clip_id} failed", "red"), f": {outcome.why}"))
    return failures
