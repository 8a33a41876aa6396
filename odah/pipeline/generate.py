"""A dataset from a config: subjects once, then clip after clip; what is finished stays."""

from __future__ import annotations

from pathlib import Path

import torch
from rich.text import Text

from odah.config import GenerateConfig
from odah.dataset.card import write_card
from odah.dataset.plan import ClipPlan, plan_clips, shard
from odah.dataset.reader import open_dataset
from odah.dataset.schema import DatasetPaths
from odah.dataset.writer import check_folder, start_dataset, write_index
from odah.errors import OdahError
from odah.osim import full_body_model
from odah.pipeline.clip_maker import ClipMaker
from odah.pipeline.clips import make_clip
from odah.pipeline.subjects import write_subject
from odah.progress import say, track
from odah.render import Renderer, RenderSettings, find_blender


def generate_dataset(
    config: GenerateConfig, config_folder: Path, out: Path, shard_text: str | None = None
) -> tuple[DatasetPaths, dict[str, str]]:
    """Make every clip that is not there yet, then index and card.

    A clip that fails is told and left out; the others go on.

    Returns:
        The dataset, and for each clip that failed, why.

    Raises:
        InputError: the config, a recording's path or the folder cannot be used.
    """
    torch.set_num_threads(1)  # sums in another order would change the labels' last bits
    all_plans = plan_clips(config, config_folder)
    plans = shard(all_plans, shard_text)
    paths = check_folder(out, config)
    maker = ClipMaker(config, all_plans, config_folder)
    waiting = [plan for plan in plans if not (paths.clip(plan.clip_id) / "clip.json").is_file()]
    if len(waiting) < len(plans):
        say(f"{len(plans) - len(waiting)} of {len(plans)} clips are finished already")
    failures: dict[str, str] = {}
    settings = RenderSettings(
        engine=config.render.engine,
        samples=config.render.samples,
        threads=config.render.threads,
        crf=config.video.crf,
    )
    blender = find_blender(say=say) if waiting else None  # before anything is written
    with Renderer(settings, blender, say) as renderer:
        for plan in track(waiting, "clips"):
            try:
                _make(paths, plan, maker, renderer)
            except OdahError as error:
                failures[plan.clip_id] = str(error)
                say(Text.assemble((f"{plan.clip_id} failed", "red"), f": {' '.join(str(error).split())}"))
    if paths.info.is_file():
        write_index(paths)
        write_card(open_dataset(paths.root))
    return paths, failures


def _make(paths: DatasetPaths, plan: ClipPlan, maker: ClipMaker, renderer: Renderer) -> None:
    solved = maker.solve(plan)
    start_dataset(paths.root, maker.config, maker.fitter.registration.calibrated(full_body_model()))
    write_subject(solved.subject, maker.config.body, paths.subject(plan.subject))
    make_clip(paths, plan, maker.config, maker.fitter, solved, renderer)
