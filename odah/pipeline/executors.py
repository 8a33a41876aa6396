"""Where clips are made."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import fields, replace
from typing import Any

from odah.config import GenerateConfig
from odah.dataset.plan import ClipPlan
from odah.dataset.schema import DatasetPaths
from odah.pipeline.clip_maker import ClipMaker
from odah.pipeline.clip_work import ClipWork, scratch_folder
from odah.pipeline.slots import Outcome, in_slots, plan_slots
from odah.progress import say
from odah.render import RenderSettings, choose_engine, find_blender


def clip_outcomes(
    maker: ClipMaker, waiting: Sequence[ClipPlan], paths: DatasetPaths
) -> Generator[tuple[ClipPlan, Outcome], None, None]:
    """Make the waiting clips: each with what came of it, as finished. Who stops iterating stops the work.

    Raises:
        OdahError: no Blender, or nothing can be rendered with it.
    """
    config = maker.config
    blender, settings = find_blender(say=say), render_settings(config)
    choice = choose_engine(blender, settings, say)
    slots = plan_slots(config.render.workers, config.render.workers_per_gpu, settings, choice, len(waiting))
    settings = replace(settings, threads=slots.threads)
    if slots.count > 1:
        say(f"{slots.count} clips at a time")
    with scratch_folder() as scratch:
        work = ClipWork(maker, paths, settings, blender, choice, scratch)
        with closing(work), closing(in_slots(work, waiting, slots)) as outcomes:
            yield from outcomes


def render_settings(config: GenerateConfig) -> RenderSettings:
    """What the config says about rendering."""
    names = {field.name for field in fields(RenderSettings)} & type(config.render).model_fields.keys()
    values: dict[str, Any] = config.render.model_dump(include=names)
    if config.video.crop_size is not None:
        values["crop_size"] = config.video.crop_size
    return RenderSettings(**values, crf=config.video.crf)
