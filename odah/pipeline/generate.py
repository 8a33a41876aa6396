"""A dataset from a config: subjects once, then clip after clip; what is finished stays."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.text import Text

from odah.config import GenerateConfig
from odah.dataset.card import write_card
from odah.dataset.plan import ClipPlan, plan_clips, shard
from odah.dataset.reader import open_dataset
from odah.dataset.schema import DatasetPaths
from odah.dataset.writer import check_folder, write_index
from odah.files import drop_unfinished
from odah.pipeline.clip_maker import ClipMaker
from odah.pipeline.executors import clip_outcomes
from odah.progress import say, steps
from odah.workers import terminable


@dataclass(frozen=True)
class GenerateOptions:
    """What the command line says about one run. shard: "I/N". address: of the Ray cluster, see `ray_cluster`."""

    shard: str | None = None
    executor: Literal["local", "ray"] = "local"
    address: str | None = None


_EVERYTHING = GenerateOptions()


def generate_dataset(
    config: GenerateConfig, config_folder: Path, out: Path, options: GenerateOptions = _EVERYTHING
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
    plans = shard(all_plans, options.shard)
    paths = check_folder(out, config)
    waiting = [plan for plan in plans if not (paths.clip(plan.clip_id) / "clip.json").is_file()]
    if len(waiting) < len(plans):
        say(f"{len(plans) - len(waiting)} of {len(plans)} clips are finished already")
    _drop_unfinished(paths, waiting)
    try:
        with terminable():
            failures = _make(ClipMaker(config, all_plans, config_folder), waiting, paths) if waiting else {}
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


def _make(maker: ClipMaker, waiting: Sequence[ClipPlan], paths: DatasetPaths) -> dict[str, str]:
    """Make the waiting clips; for each that failed, why."""
    failures: dict[str, str] = {}
    with steps("clips") as tell, closing(clip_outcomes(maker, waiting, paths)) as outcomes:
        tell(0, len(waiting))
        for done, (plan, outcome) in enumerate(outcomes, 1):
            tell(done, len(waiting))
            if outcome.why is not None:
                failures[plan.clip_id] = outcome.why
                say(Text.assemble((f"{plan.clip_id} failed", "red"), f": {outcome.why}"))
    return failures
