"""Can a configuration learn one clip by heart, with the losses of the ODAH paper?

    python tests/benchmarks/overfit.py DATASET [configs/train/compact.yaml] [--clip NAME] [--minutes 10]
        [--threads 2]

The first stage alone, its first two views, nothing of the pictures changed; points are drawn anew in each
step. The dataset should be packed. Prints the mean angle error of the clip over time and, last, one JSON
object.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import torch
from lightning.fabric import Fabric

from odah.dataset.packed import is_packed
from odah.dataset.reader import open_dataset
from odah.estimator.config import AugmentationConfig, LossConfig, StageConfig, TrainConfig
from odah.estimator.config_file import load_train_config
from odah.estimator.network.two_view import TwoViewNetwork
from odah.estimator.training.data import Mixture, Runs
from odah.estimator.training.loop import Fit, Limits, Watcher, Work
from odah.estimator.training.module import FrameStage
from odah.estimator.training.state import State


def overfitting(config: TrainConfig, epochs: int) -> TrainConfig:
    """The config with the paper's losses, and what its encoder cannot learn without; no augmentation."""
    loss = LossConfig(located=config.loss.located, votes=config.loss.votes, pelvis=config.loss.pelvis)
    alone = config.network.model_copy(update={"temporal": None})
    stage = StageConfig(
        epochs=epochs, batch=8, learning_rate=1e-3, betas=(0.9, 0.999), schedule="cosine", clip_norm=5.0
    )
    changed = {"loss": loss, "network": alone, "frame": stage, "augmentation": AugmentationConfig()}
    return config.model_copy(update=changed)


class TimeIsUp(Exception):
    """The minutes that were given are over."""


class Teller(Watcher):
    """Tells the error, and stops when time is up."""

    def __init__(self, seconds: float) -> None:
        self.began_at, self.seconds, self.best = time.monotonic(), seconds, float("inf")

    def epoch_done(self, work: Work, state: State) -> None:
        """See `Watcher`."""
        error = float(state.history[-1]["val_angle_error_deg"])
        self.best = min(self.best, error)
        passed = time.monotonic() - self.began_at
        if state.epoch % 20 == 0:
            print(f"{passed:6.0f} s  epoch {state.epoch:4d}  {error:.2f} deg", flush=True)
        if passed > self.seconds:
            raise TimeIsUp


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("config", type=Path, nargs="?", default=Path("configs/train/compact.yaml"))
    parser.add_argument("--clip")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    config = overfitting(load_train_config(options.config), options.epochs)
    dataset = open_dataset(options.dataset)
    clip = options.clip or dataset.clip_ids[0]
    alone = dataset.where(lambda each: each.clip_id == clip)
    packed = is_packed(alone, config.data.size)
    samples = Mixture([Runs(alone, config.data, length=1, stride=1, packed=packed)])
    torch.manual_seed(config.seed)
    network = TwoViewNetwork(config.network, config.data)
    teller = Teller(60 * options.minutes)
    with tempfile.TemporaryDirectory() as folder:
        stage = FrameStage(network, config)
        work = Work("frame", config.frame, stage, samples, samples, Path(folder), config.seed)
        try:
            Fit(Fabric(accelerator="cpu", devices=1), work, [teller], Limits()).run()
        except TimeIsUp:
            print("time is up")
    seconds = time.monotonic() - teller.began_at
    print(
        json.dumps({"clip": clip, "frames": len(samples), "angle_error_deg": teller.best, "seconds": seconds})
    )


if __name__ == "__main__":
    main()
