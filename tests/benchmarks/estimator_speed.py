"""Training and inference of the estimator against the same network written plainly, in turns in one process.

    python tests/benchmarks/estimator_speed.py [configs/train/compact.yaml] [--frames 16] [--size 128]
        [--threads 1] [--rounds 3] [--device cuda] [--bf16] [--compile] [--only train] [--alone ours]

train: pictures to losses of single frames and back; infer: pictures to a prediction; sequences: the temporal
part alone, with losses and back. In two-view frames/s; with what is kept for the backward pass (on a graphics
processor: the peak of all that was allocated). On a machine that others use, too, processor seconds mean more
than frames/s.
`--bf16` and `--compile` change ours, not the plain one. `--alone` runs one of the two by itself, ours with
the memory kept as `odah train` does on the CPU, which a process cannot do for one network only.
"""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import torch
from plain_estimator import PlainNetwork, PlainSkeleton
from torch import Tensor, nn

from odah.estimator.batch import FrameFeatures, Pictures, Prediction, Targets
from odah.estimator.config import DataConfig, TrainConfig
from odah.estimator.config_file import load_train_config
from odah.estimator.devices import keep_freed_memory
from odah.estimator.losses import losses
from odah.estimator.network.outputs import num_outputs
from odah.estimator.network.two_view import TwoViewNetwork
from odah.estimator.skeleton import ANGLES, KEYPOINTS, Skeleton
from odah.names import OPENSIM_BODIES


@dataclass
class Cost:
    """Of one call, in each round: s, processor s, bytes."""

    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)


def random_pictures(data: DataConfig, frames: int, device: str) -> Pictures:
    """Single frames, so that they look like a batch of the first stage."""
    generator = torch.Generator().manual_seed(0)
    return Pictures(
        torch.randn(frames, 2, 1, 3, data.size, data.size, generator=generator).to(device),
        (torch.rand(frames, 2, 1, data.points, 2, generator=generator) * (data.size - 1)).to(device),
        torch.randn(frames, 1, data.points, 3, generator=generator).to(device),
        torch.ones(frames, 2, dtype=torch.bool, device=device),
    )


def random_targets(batch: int, length: int, device: str) -> Targets:
    generator = torch.Generator().manual_seed(1)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator).to(device)

    keypoints = draw(batch, length, len(KEYPOINTS), 3)
    scales = 1 + 0.1 * draw(batch, len(OPENSIM_BODIES), 3)
    is_frame = torch.ones(batch, length, dtype=torch.bool, device=device)
    return Targets(draw(batch, length, len(ANGLES)), scales, keypoints, draw(batch, length, 3), is_frame)


class Bench:
    """Both networks with the same weights, and the work to compare."""

    def __init__(self, config: TrainConfig, frames: int, options: argparse.Namespace) -> None:
        self.config, self.options, device = config, options, options.device
        ours = TwoViewNetwork(config.network, config.data)
        self.plain = PlainNetwork(ours, config.data).to(device)
        self.ours = ours.to(device)
        self.skeletons: dict[nn.Module, Skeleton] = {
            self.ours: Skeleton().to(device),
            self.plain: PlainSkeleton().to(device),
        }
        if options.compile:
            self.ours.hourglass.compile()
        self.pictures = random_pictures(config.data, frames, device)
        self.targets = random_targets(frames, 1, device)
        length = config.data.length
        self.vectors = torch.randn(1, length, num_outputs(config.network), device=device)
        self.sequence_targets = random_targets(1, length, device)

    @property
    def named(self) -> dict[str, nn.Module]:
        return {"plain": self.plain, "ours": self.ours}

    def train(self, network: nn.Module) -> None:
        self._learn(network, lambda: self._frames(network), self.targets)

    def infer(self, network: nn.Module) -> None:
        with torch.no_grad(), self._autocast(network):
            self._frames(network)

    def sequences(self, network: nn.Module) -> None:
        def predict() -> Prediction:
            if network is self.plain:
                return self.plain.sequence(self.vectors)
            return self.ours.sequence_prediction(FrameFeatures(self.vectors))

        self._learn(network, predict, self.sequence_targets)

    def _frames(self, network: nn.Module) -> Prediction:
        if network is self.plain:
            return self.plain(self.pictures)
        return self.ours.frame_prediction(self.ours.features(self.pictures))

    def _learn(self, network: nn.Module, predict: Callable[[], Prediction], targets: Targets) -> None:
        network.zero_grad()
        with self._autocast(network):
            prediction = predict()
        losses(prediction, targets, self.config.loss, self.skeletons[network])["total"].backward()

    def _autocast(self, network: nn.Module) -> torch.autocast:
        is_bf16 = self.options.bf16 and network is self.ours
        return torch.autocast(self.options.device, dtype=torch.bfloat16, enabled=is_bf16)


@contextlib.contextmanager
def measured(cost: Cost, device: str) -> Iterator[None]:
    """Adds what happens inside."""
    start, cpu_start = time.perf_counter(), time.process_time()
    yield
    if device == "cuda":
        torch.cuda.synchronize()
    cost.seconds.append(time.perf_counter() - start)
    cost.cpu_seconds.append(time.process_time() - cpu_start)


@contextlib.contextmanager
def memory(cost: Cost, device: str) -> Iterator[None]:
    """Adds what is kept for the backward pass, or on a graphics processor what is allocated at most."""
    if device == "cuda":
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        yield
        cost.memory.append(torch.cuda.max_memory_allocated() - before)
        return
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        if not isinstance(tensor, nn.Parameter):
            storage = tensor.untyped_storage()
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    hooks: AbstractContextManager[None] = torch.autograd.graph.saved_tensors_hooks(
        keep, lambda tensor: tensor
    )
    with hooks:
        yield
    cost.memory.append(sum(kept.values()))


def compare(bench: Bench, name: str, frames: int, rounds: int) -> None:
    """In turns, so that both meet the same neighbours; a first round warms up and looks at the memory."""
    work: Callable[[nn.Module], None] = getattr(bench, name)
    costs = {
        network: Cost() for label, network in bench.named.items() if bench.options.alone in (None, label)
    }
    for number in range(rounds + 1):
        for network, cost in costs.items():
            with (measured if number else memory)(cost, bench.options.device):
                work(network)
    for label, network in bench.named.items():
        cost = costs.get(network)
        if cost is None:
            continue
        print(
            f"{name:10} {label:6} {frames / min(cost.seconds):9.2f} frames/s "
            f"{cost.memory[0] / 1e6 / frames:8.1f} MB a frame "
            f"{min(cost.cpu_seconds) / frames:9.4f} processor s a frame"
        )
    if bench.options.alone:
        return
    plain, ours = costs[bench.plain], costs[bench.ours]
    print(
        f"{name:10} ratio  {min(plain.seconds) / min(ours.seconds):9.2f} x        "
        f"{ours.memory[0] / max(plain.memory[0], 1):8.2f} x memory  "
        f"{min(plain.cpu_seconds) / min(ours.cpu_seconds):9.2f} x",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("config", nargs="?", default="configs/train/compact.yaml")
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--size", type=int)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--only", choices=("train", "infer", "sequences"))
    parser.add_argument("--alone", choices=("plain", "ours"))
    options = parser.parse_args()
    if options.alone == "ours" and options.device == "cpu":
        keep_freed_memory()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    config = load_train_config(options.config)
    if options.size:
        data = config.data.model_copy(update={"size": options.size})
        config = config.model_copy(update={"data": data})
    bench = Bench(config, options.frames, options)
    for name in (options.only,) if options.only else ("train", "infer", "sequences"):
        frames = config.data.length if name == "sequences" else options.frames
        compare(bench, name, frames, options.rounds)


if __name__ == "__main__":
    main()
