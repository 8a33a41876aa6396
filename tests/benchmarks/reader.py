"""Speed and memory of reading a dataset for training, from its videos and from the packed cache.

    OMP_NUM_THREADS=1 python tests/benchmarks/reader.py [DATASET] [--workers 2] [--length 64] [--epochs 3]

Without DATASET it draws one: clips of 600 frames, 1080x720, two views, with a textured person before a
textured background, both moving. A sample is one frame in both views: pictures, masks, cameras and labels.
Prints samples a second of wall time and of the processors' time, how that is spent, sizes on disk, and the
memory of all processes after each epoch.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader

from odah.dataset.packed import pack
from odah.dataset.reader import Dataset, open_dataset
from odah.dataset.sequences import SequenceDataset
from odah.dataset.video_window import read_window
from odah.progress import track

sys.path.insert(0, str(Path(__file__).parents[1] / "dataset"))
import synthetic

SIZE, NUM_FRAMES, RATE = (1080, 720), 600, 60.0


def texture(seed: int, width: int, height: int) -> np.ndarray:
    """Noise of several sizes, larger ones stronger, as of a room or cloth; (height, width, 3) uint8."""
    rng, total = np.random.default_rng(seed), np.zeros((height, width, 3), np.float32)
    for cells in (4, 16, 64, 256):
        coarse = rng.normal(size=(cells, cells, 3)).astype(np.float32)
        total += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) / np.sqrt(cells)
    return np.clip(128 + 70 * total, 0, 255).astype(np.uint8)


BACKGROUND, CLOTH = texture(0, SIZE[0] + 64, SIZE[1] + 64), texture(1, SIZE[0] + NUM_FRAMES, SIZE[1])
GRAIN = np.random.default_rng(2).normal(0, 1.5, (8, SIZE[1], SIZE[0], 3)).round().astype(np.int8)


def textured(mask: np.ndarray, number: int) -> np.ndarray:
    """The person in cloth that moves along, before a background that shakes, with a sensor's grain."""
    x, y = (int(32 + 2 * f(number / 9)) for f in (np.sin, np.cos))
    height, width = mask.shape
    picture = BACKGROUND[y : y + height, x : x + width].copy()
    picture[mask] = CLOTH[:, number : number + width][mask]
    return cv2.add(picture, GRAIN[number % len(GRAIN)], dtype=cv2.CV_8U)


def memory_mib() -> float:
    """Memory of this process and those it started, what they share counted once; Linux only."""
    own = os.getpid()
    children = Path(f"/proc/{own}/task/{own}/children").read_text().split()
    rollups = (Path(f"/proc/{process}/smaps_rollup").read_text() for process in (own, *children))
    return sum(int(text.split("\nPss:")[1].split()[0]) for text in rollups) / 2**10


def workers_time() -> float:
    """Processor seconds of this process and of those that it started and that have ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def epochs(sequences: SequenceDataset, workers: int, count: int) -> Iterator[tuple[float, float, float]]:
    """By epoch samples/s of wall time, of processors' time, and memory in MiB when all is running."""
    batch = max(1, 128 // sequences[0]["images"].shape[1])
    loader = DataLoader(sequences, batch, shuffle=True, num_workers=workers)
    for _ in range(count):
        samples, used, wall, memory = 0, workers_time(), time.perf_counter(), 0.0
        for k, tensors in enumerate(loader, 1):
            samples += int(tensors["is_frame"].sum())
            if k == len(loader) - workers:  # late, and before the first worker ends
                memory = memory_mib()
        yield samples / (time.perf_counter() - wall), samples / (workers_time() - used), memory


def shares(dataset: Dataset, packed: Path) -> None:
    """Prints what one sample costs on one core, in parts."""
    clip, stop = dataset[0], min(64, dataset[0].num_frames)
    cv2.setNumThreads(1)

    def cost(work) -> float:
        start = time.process_time()
        work()
        return 1e3 * (time.process_time() - start) / stop

    def decoded(ending: str, pixels: str) -> float:
        paths = [clip.folder / f"{view}{ending}" for view in clip.views]
        return cost(lambda: [list(read_window(p, 0, stop, clip.rate, pixels)) for p in paths])

    pictures, masks = decoded(".mp4", "rgb24"), decoded("_mask.mkv", "gray")
    for name, source in (("videos", False), ("packed", packed)):
        run = SequenceDataset(dataset, stop, packed=source)
        run[0]
        total = cost(lambda run=run: run[0])
        parts = f" (H264 {pictures:.2f}, masks {masks:.2f})" if name == "videos" else ""
        print(f"{name}: {total:.2f} ms a sample on one core{parts}")


def folder_mib(folder: Path, pattern: str) -> float:
    return sum(path.stat().st_size for path in folder.rglob(pattern) if path.is_file()) / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("dataset", nargs="?", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--length", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--clips", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.dataset or Path(scratch) / "dataset"
        if options.dataset is None:
            clips = {f"clip{k}": NUM_FRAMES for k in track(range(options.clips), "drawing")}
            synthetic.Synthetic(clips, SIZE, RATE, draw=textured).write(folder)
        measure(open_dataset(folder), Path(scratch) / "packed", options)


def measure(dataset: Dataset, packed: Path, options: argparse.Namespace) -> None:
    frames = sum(clip.num_frames for clip in dataset)
    start, used = time.perf_counter(), workers_time()
    done = pack(dataset, packed, jobs=options.workers)
    assert not done.failures, done.failures
    wall, cpu = frames / (time.perf_counter() - start), frames / (workers_time() - used)
    print(f"{len(dataset)} clips, {frames} frames; packed {wall:.0f} frames/s, {cpu:.0f} a processor-second")
    clips = dataset.paths.clips
    sizes = {"H264": folder_mib(clips, "*.mp4"), "masks": folder_mib(clips, "*_mask.mkv")}
    sizes["cache"] = folder_mib(packed, "*.*")
    print("KiB a frame: " + ", ".join(f"{name} {1024 * size / frames:.1f}" for name, size in sizes.items()))
    shares(dataset, packed)
    print(f"{'':8}{'epoch':>6}{'samples/s':>11}{'a cpu-s':>9}{'MiB':>7}   workers {options.workers},"
          f" length {options.length}, load {os.getloadavg()[0]:.1f}")  # fmt: skip
    for name, source in (("packed", packed), ("videos", False)):
        sequences = SequenceDataset(dataset, options.length, packed=source)
        for k, (wall, cpu, memory) in enumerate(epochs(sequences, options.workers, options.epochs), 1):
            print(f"{name:8}{k:6}{wall:11.0f}{cpu:9.0f}{memory:7.0f}", flush=True)


if __name__ == "__main__":
    main()
