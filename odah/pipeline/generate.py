"""A dataset from a config: subjects once, then clip after clip; what is finished stays."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rich.text import Text

from odah.config import GenerateConfig
from odah.dataset.describe import describe_dataset
from odah.dataset.file_hashes import FileHashes
from odah.dataset.inputs import with_inputs
from odah.dataset.plan import ClipPlan, choose_subset, plan_clips, shard, smaller_subsets
from odah.dataset.resume import drop_remains, find_clips, relabel
from odah.dataset.run_lock import run_lock
from odah.dataset.schema import DatasetPaths
from odah.dataset.writer import changes_of_config, check_folder, update_info
from odah.errors import OdahError
from odah.failures import sentence
from odah.locks import locked
from odah.progress import say, steps
from odah.scratch import sweep_scratch
from odah.stopping import Stopped, stoppable

if TYPE_CHECKING:
    from odah.pipeline.clip_maker import ClipMaker


@dataclass(frozen=True)
class GenerateOptions:
    """What the command line says about one run.

    subset: name of one of the config's. shard: "I/N" of its clips. address: of the Ray cluster, see
    `ray_cluster`. force: take a config that differs from the one with which the dataset was begun.
    """

    shard: str | None = None
    executor: Literal["local", "ray"] = "local"
    address: str | None = None
    force: bool = False
    subset: str | None = None


_EVERYTHING = GenerateOptions()


def generate_dataset(
    config: GenerateConfig, config_folder: Path, out: Path, options: GenerateOptions = _EVERYTHING
) -> tuple[DatasetPaths, dict[str, str]]:
    """Make every clip that is not there yet or was made from other inputs, then index and card.

    A clip that fails is told and left out; the others go on.

    Returns:
        The dataset, and for each clip that failed, why.

    Raises:
        InputError: the config, a recording's path or the folder cannot be used.
        OdahError: another run makes clips in the folder; its disk is full or gone; no Blender, or nothing can
            be rendered with it.
        Stopped: on a signal, when the clips in hand are dropped.
    """
    try:
        with stoppable():
            return _generate(config, config_folder.resolve(), out, options)
    except Stopped as stop:
        say(f"stopped by {stop.signal.name}: finished clips stay in {out}, and the same command goes on")
        raise


def _generate(
    config: GenerateConfig, folder: Path, out: Path, options: GenerateOptions
) -> tuple[DatasetPaths, dict[str, str]]:
    all_plans = plan_clips(config, folder, say)
    plans = shard(choose_subset(all_plans, config, options.subset), options.shard)
    for line in smaller_subsets(all_plans, config):
        say(line)
    paths = check_folder(out, config, options.force)
    is_other_config = bool(changes_of_config(paths, config))
    with (
        _gone_if_nothing_began(paths, options),
        run_lock(paths, options.shard, options.subset, say, is_alone=is_other_config),
    ):
        own = None if options.shard is None else {plan.clip_id for plan in plans}
        drop_remains(paths, own)
        sweep_scratch()
        plans = _with_inputs(plans, all_plans, config, folder, paths)
        found = find_clips(paths, plans, {plan.clip_id for plan in all_plans})
        for line in found.sentences():
            say(line)
        with locked(paths.lock("subjects")):
            update_info(paths, config, all_plans)
        relabel(paths, found.relabelled)
        with _described(paths, own):
            if not (found.waiting or is_other_config):
                return paths, {}
            # only now, for it loads all that people are made with
            from odah.pipeline.clip_maker import ClipMaker

            maker = ClipMaker(config, all_plans, folder)
            return paths, _make(maker, found.waiting, paths, options, is_other_config)


@contextmanager
def _gone_if_nothing_began(paths: DatasetPaths, options: GenerateOptions) -> Iterator[None]:
    """A folder that a whole run made for nothing, because what it needs is missing, is removed."""
    is_new = options.shard is None and not paths.root.exists()
    try:
        yield
    finally:
        if is_new and not paths.info.exists():
            shutil.rmtree(paths.state, ignore_errors=True)
            with suppress(OSError):  # something is in it after all
                paths.root.rmdir()


def _with_inputs(
    plans: Sequence[ClipPlan],
    all_plans: Sequence[ClipPlan],
    config: GenerateConfig,
    folder: Path,
    paths: DatasetPaths,
) -> list[ClipPlan]:
    hashes = FileHashes(paths.hashes)
    with steps("inputs") as tell:
        plans = with_inputs(plans, all_plans, config, folder, hashes, tell)
    hashes.save()
    return plans


@contextmanager
def _described(paths: DatasetPaths, own: Collection[str] | None) -> Iterator[None]:
    """However the block ends, what it left half made goes, and index and card say what there is."""
    try:
        yield
    except BaseException:
        try:
            _describe(paths, own)
        except (OSError, OdahError) as error:  # the first failure is the one to tell
            say(f"index and card are not up to date: {sentence(error)}")
        raise
    _describe(paths, own)


def _describe(paths: DatasetPaths, own: Collection[str] | None) -> None:
    drop_remains(paths, own)
    if paths.info.is_file():
        describe_dataset(paths)


def _make(
    maker: ClipMaker,
    waiting: Sequence[ClipPlan],
    paths: DatasetPaths,
    options: GenerateOptions,
    is_other_config: bool,
) -> dict[str, str]:
    """Make the waiting clips; for each that failed, why."""
    from odah.pipeline.clip_work import begin_dataset
    from odah.pipeline.executors import clip_outcomes

    if is_other_config:
        with locked(paths.lock("subjects")):
            begin_dataset(maker, paths, force=True)
    failures: dict[str, str] = {}
    if not waiting:
        return failures
    made = clip_outcomes(maker, waiting, paths, options.executor, options.address)
    with steps("clips") as tell, closing(made) as outcomes:
        tell(0, len(waiting))
        for done, (plan, outcome) in enumerate(outcomes, 1):
            tell(done, len(waiting))
            if outcome.why is None:
                continue
            if outcome.stops_run:
                raise OdahError(
                    f"{plan.clip_id} failed, so the run stops and finished clips stay: {outcome.why}"
                )
            failures[plan.clip_id] = outcome.why
            say(Text.assemble((f"{plan.clip_id} failed", "red"), f": {outcome.why}"))
    return failures
