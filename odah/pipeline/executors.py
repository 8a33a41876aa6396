"""Where clips are made."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import fields, replace
from functools import partial
from typing import Any, Literal

from odah.config import GenerateConfig
from odah.dataset.plan import ClipPlan
from odah.dataset.schema import DatasetPaths
from odah.pipeline.clip_maker import ClipMaker
from odah.pipeline.clip_work import ClipWork, Equipment, clips_scratch
from odah.pipeline.slots import Outcome, in_slots, plan_slots, unless_broken
from odah.progress import say
from odah.render import Blender, RenderSettings, choose_engine, find_blender
from odah.workers import Death


def clip_outcomes(
    maker: ClipMaker,
    waiting: Sequence[ClipPlan],
    paths: DatasetPaths,
    executor: Literal["local", "ray"] = "local",
    address: str | None = None,
) -> Generator[tuple[ClipPlan, Outcome], None, None]:
    """Make the waiting clips: each with what came of it, as finished. Who stops iterating stops the work.

    executor: "local", processes of this machine, or "ray", those of the cluster at `address`, see
        `ray_cluster`. A clip whose process dies is made once more at the end by another one.

    Raises:
        OdahError: no Blender, nothing can be rendered with it, or no machine of the cluster can be used.
    """
    make = (
        _on_this_machine(maker, waiting, paths)
        if executor == "local"
        else _on_ray(maker, waiting, paths, address)
    )
    with closing(make) as outcomes:
        yield from outcomes


def _on_this_machine(
    maker: ClipMaker, waiting: Sequence[ClipPlan], paths: DatasetPaths
) -> Generator[tuple[ClipPlan, Outcome], None, None]:
    equipment = equip(maker.config, len(waiting), say)
    if equipment.slots.count > 1:
        say(f"{equipment.slots.count} clips at a time")
    with clips_scratch() as scratch:
        work = ClipWork(maker, paths, equipment, scratch)
        with closing(work), closing(in_slots(work, waiting, equipment.slots, _tell_death)) as outcomes:
            yield from outcomes


def _on_ray(
    maker: ClipMaker, waiting: Sequence[ClipPlan], paths: DatasetPaths, address: str | None
) -> Generator[tuple[ClipPlan, Outcome], None, None]:
    from odah.pipeline.ray_cluster import ray_cluster
    from odah.pipeline.ray_hosts import equipped_hosts
    from odah.pipeline.ray_slots import in_actors

    everywhere = DatasetPaths(paths.root.resolve())
    equip_host, make_work = partial(equip, maker.config, len(waiting)), partial(ClipWork, maker, everywhere)
    with (
        ray_cluster(address),
        equipped_hosts(everywhere.state, equip_host) as hosts,
        closing(in_actors(hosts, make_work, waiting, _tell_death)) as outcomes,
    ):
        yield from unless_broken(outcomes)


def _tell_death(plan: ClipPlan, death: Death) -> None:
    say(f"{plan.clip_id}: {death.why}; it is tried once more")


def equip(
    config: GenerateConfig,
    num_clips: int,
    tell: Callable[[str], None],
    lent: tuple[int, Sequence[str]] | None = None,
    blender: Blender | None = None,
) -> Equipment:
    """What this machine renders with. lent: see `plan_slots`. blender: the one to take, if it is known.

    Raises:
        OdahError: no Blender, or nothing can be rendered with it.
    """
    settings, render = render_settings(config), config.render
    blender = find_blender(say=tell) if blender is None else blender
    choice = choose_engine(blender, settings, tell)
    slots = plan_slots(render.workers, render.workers_per_gpu, settings, choice, num_clips, lent)
    return Equipment(blender, choice, replace(settings, threads=slots.threads), slots)


def render_settings(config: GenerateConfig) -> RenderSettings:
    """What the config says about rendering."""
    names = {field.name for field in fields(RenderSettings)} & type(config.render).model_fields.keys()
    values: dict[str, Any] = config.render.model_dump(include=names)
    if config.video.crop_size is not None:
        values["crop_size"] = config.video.crop_size
    return RenderSettings(**values, crf=config.video.crf)
