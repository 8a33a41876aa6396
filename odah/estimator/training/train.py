"""A training, whole: the pictures' network, then the part over time, to one file for `odah predict`."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from lightning.fabric import Fabric
from lightning.fabric.strategies.ddp import DDPStrategy
from lightning.fabric.utilities import rank_zero_only

from odah import __version__
from odah.dataset.schema import file_hash
from odah.estimator.checkpoint import load_checkpoint, save_checkpoint
from odah.estimator.config import TrainConfig
from odah.estimator.devices import DeviceName, device_named, keep_freed_memory
from odah.estimator.network.two_view import TwoViewNetwork
from odah.estimator.training.callbacks import watchers
from odah.estimator.training.data import Mixture, Runs, Samples, seed_of
from odah.estimator.training.features import Drawing, KeptFeatures
from odah.estimator.training.loop import Fit, Limits, Work
from odah.estimator.training.module import FrameStage, Stage, TemporalStage
from odah.estimator.training.run_folder import RunFolder, check_run_folder, held_run
from odah.estimator.training.sources import Source, open_sources
from odah.estimator.training.state import Row
from odah.names import OPENSIM_BODIES, OPENSIM_COORDINATES
from odah.progress import say, steps
from odah.stopping import Stopped, stoppable

_LONGEST_WAIT = timedelta(days=1)
"""Of processes for each other: while some draw features of a whole dataset, others have none to draw."""


@dataclass(frozen=True)
class TrainOptions:
    """How a training runs.

    restart: forget what the run folder has. num_devices: processes of
    a data-parallel training; None for all GPUs, or one CPU. threads: of numerics on the CPU; None for as many
    as torch likes. tell: is given a line for the user now and then.
    """

    restart: bool = False
    device: DeviceName = "auto"
    num_devices: int | None = None
    threads: int | None = None
    limits: Limits = field(default_factory=Limits)
    tell: Callable[[str], None] = say


def train(
    config: TrainConfig, datasets: Sequence[Path], out: Path, options: TrainOptions | None = None
) -> Path:
    """Train both stages, or go on where an earlier call was stopped; the result is `out`/model.pt.

    Raises:
        InputError: see `open_sources` and `held_run`; a GPU is wanted and there is none.
        OdahError: a loss that is not finite.
        Stopped: a signal asked for the end.
    """
    options = options or TrainOptions()
    is_first = rank_zero_only.rank == 0  # of processes that train together
    tell = options.tell if is_first else lambda line: None
    with quiet_lightning(), stoppable():
        fabric = _fabric(config, options)
        check_run_folder(out)
        sources = open_sources(datasets, config.data, tell)
        facts = {
            "datasets": [source.facts() for source in sources],
            "max_steps": options.limits.max_steps,
            "devices": fabric.world_size,
        }
        with held_run(out, config, facts, restart=options.restart, is_first=is_first) as run:
            try:
                fabric.launch()
                fabric.barrier()
                return _Training(config, sources, run, fabric, options.limits, facts).result()
            except Stopped:
                tell(f"stopped; the same command goes on from what {out} holds")
                raise


def _fabric(config: TrainConfig, options: TrainOptions) -> Fabric:
    is_gpu = device_named(options.device).type == "cuda"
    if not is_gpu:
        keep_freed_memory()
    count = options.num_devices or (torch.cuda.device_count() if is_gpu else 1)
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    torch.set_float32_matmul_precision("high")
    return Fabric(
        accelerator="cuda" if is_gpu else "cpu",
        devices=count,
        strategy=DDPStrategy(timeout=_LONGEST_WAIT) if count > 1 else "auto",
        precision="bf16-mixed" if config.precision == "bf16" else "32-true",
    )


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Without what it tells those who program with it."""
    logger = logging.getLogger("lightning.fabric")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning")
        try:
            yield
        finally:
            logger.setLevel(level)


class _Training:
    """The stages of one training and what passes between them."""

    def __init__(
        self,
        config: TrainConfig,
        sources: list[Source],
        run: RunFolder,
        fabric: Fabric,
        limits: Limits,
        facts: dict[str, Any],
    ) -> None:
        self._config, self._sources, self._run = config, sources, run
        self._fabric, self._limits, self._facts = fabric, limits, facts
        self._metrics: dict[str, Row] = {}

    def result(self) -> Path:
        """Train what is not trained yet."""
        if self._run.model.is_file():
            load_checkpoint(self._run.model)
            return self._run.model
        network = self._frame_network()
        if self._config.network.temporal is not None:
            network = self._temporal_network(network)
        self._save(self._run.model, network, self._config)
        return self._run.model

    def _frame_network(self) -> TwoViewNetwork:
        """The first stage's; kept as a network of its own, without a temporal part."""
        alone = self._config.network.model_copy(update={"temporal": None})
        config = self._config.model_copy(update={"network": alone})
        file = self._run.stage("frame") / "model.pt"
        if file.is_file():
            done = load_checkpoint(file)
            self._metrics |= done.facts.get("metrics", {})
            return done.network
        network = self._new(config)
        train, val = self._data(length=1, stride=1)
        self._fit("frame", FrameStage(network, self._config), train, val, val or train)
        self._save(file, network, config)
        return network

    def _temporal_network(self, frame: TwoViewNetwork) -> TwoViewNetwork:
        network = self._new(self._config)
        network.load_state_dict(frame.state_dict(), strict=False)
        length = self._config.data.length
        train, val = self._data(length=length, stride=max(1, length // 2))
        kept_train, kept_val = train, val
        if self._config.temporal.feature_draws:
            kept_train, kept_val = self._kept(network, train, val)
        self._fit("temporal", TemporalStage(network, self._config), kept_train, kept_val, val or train)
        return network

    def _new(self, config: TrainConfig) -> TwoViewNetwork:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed_of(config.seed, "weights"))
            return TwoViewNetwork(config.network, config.data)

    def _data(self, length: int, stride: int) -> tuple[Mixture, Mixture | None]:
        config = self._config
        any_pair = config.augmentation.any_pair
        parts: dict[str, list[Runs]] = {"train": [], "val": []}
        for source in self._sources:
            for name, dataset in (("train", source.train), ("val", source.val)):
                if dataset is not None:
                    runs = Runs(
                        dataset, config.data, length=length, stride=stride if name == "train" else length,
                        any_pair=any_pair, packed=source.is_packed,
                    )  # fmt: skip
                    parts[name].append(runs)
        return Mixture(parts["train"]), Mixture(parts["val"]) if parts["val"] else None

    def _fit(self, name: str, module: Stage, train: Samples, val: Samples | None, pictures: Mixture) -> None:
        config = self._config
        folder = self._run.stage(name)
        folder.mkdir(exist_ok=True)
        settings = config.frame if name == "frame" else config.temporal
        workers = 0 if isinstance(train, KeptFeatures) else config.workers
        work = Work(name, settings, module, train, val, folder, config.seed, workers)
        self._metrics[name] = Fit(self._fabric, work, watchers(self._run, pictures), self._limits).run()

    def _kept(
        self, network: TwoViewNetwork, train: Mixture, val: Mixture | None
    ) -> tuple[Samples, Samples | None]:
        """Files of features; every process computes its share of them."""
        fabric, folder = self._fabric, self._run.stage("temporal")
        folder.mkdir(exist_ok=True)
        network.to(fabric.device).eval()
        frame = file_hash(self._run.stage("frame") / "model.pt")
        config = self._config.model_dump_json(
            include={"seed": True, "data": True, "augmentation": True, "precision": True,
                     "network": {"hourglass", "encoder", "tells_pelvis", "tells_errors"}}
        )  # fmt: skip
        digest = str(seed_of(config, self._facts, frame))
        draws = [
            (folder / f"features_{k}.pt", train, k, True) for k in range(self._config.temporal.feature_draws)
        ]
        if val is not None:
            draws.append((folder / "features_val.pt", val, 0, False))
        for number, draw in enumerate(draws):
            if number % fabric.world_size == fabric.global_rank:
                with steps(f"features, draw {number + 1} of {len(draws)}") as tell:
                    Drawing(network, self._config, fabric.device, digest, fabric.autocast, tell).keep(*draw)
        fabric.barrier()
        files = [file for file, *_ in draws]
        if val is None:
            return KeptFeatures(files), None
        return KeptFeatures(files[:-1]), KeptFeatures(files[-1:])

    def _save(self, file: Path, network: TwoViewNetwork, config: TrainConfig) -> None:
        if self._fabric.is_global_zero:
            save_checkpoint(file, network, config, self._told())
        self._fabric.barrier()

    def _told(self) -> dict[str, Any]:
        """What a network's file says of its training."""
        return {
            "odah_version": __version__, "seed": self._config.seed, **self._facts, "metrics": self._metrics,
            "coordinates": list(OPENSIM_COORDINATES), "bodies": list(OPENSIM_BODIES),
        }  # fmt: skip
