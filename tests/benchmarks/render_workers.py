"""How much faster several one-thread workers on as many cores are than one.

    python tests/benchmarks/render_workers.py [--workers 2] [--frames 30] [--pairs 3] [--engine cycles]

A pair is one worker with one clip, then all workers with one clip each; every worker has rendered a short
clip before the clock starts. Speed-up is workers x time of one / time of all. On a busy machine the clock
says little: `cpu_speed_up`, the same of the processor seconds that a clip costs, tells what the workers take
from each other.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from render_clips import scene_around, walking_blob

from odah.clothing.layers import MeshLayer
from odah.render import Renderer, RenderSettings
from odah.scene import Scene


def render(renderer: Renderer, scene: Scene, layers: list[MeshLayer]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        renderer.render(scene, layers, folder)


def processor_seconds(renderers: list[Renderer]) -> float:
    """Of this process and the Blenders of its renderers."""
    ticks = 0
    for renderer in renderers:
        fields = Path(f"/proc/{renderer.process_id}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += sum(map(int, fields[11:13]))
    return sum(os.times()[:2]) + ticks / os.sysconf("SC_CLK_TCK")


def measured(renderers: list[Renderer], scene: Scene, layers: list[MeshLayer]) -> tuple[float, float]:
    """Wall and processor seconds for one clip of each renderer."""
    wall, cpu = time.perf_counter(), processor_seconds(renderers)
    with ThreadPoolExecutor(len(renderers)) as pool:
        list(pool.map(lambda renderer: render(renderer, scene, layers), renderers))
    return time.perf_counter() - wall, processor_seconds(renderers) - cpu


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (("workers", 2), ("frames", 30), ("width", 256), ("height", 170), ("pairs", 3)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--engine", default="cycles")
    arguments = parser.parse_args()
    layers, short = [walking_blob(arguments.frames)], [walking_blob(2)]
    scene = scene_around(layers, arguments.width, arguments.height)
    settings = RenderSettings(arguments.engine, threads=1, allow_software_gl=True)
    renderers = [Renderer(settings, say=lambda line: None) for _ in range(arguments.workers)]
    try:
        for renderer in renderers:
            render(renderer, scene, short)
        pairs = np.array(
            [
                [measured(some, scene, layers) for some in (renderers[:1], renderers)]
                for _ in range(arguments.pairs)
            ]
        )
    finally:
        for renderer in renderers:
            renderer.close()
    speed_ups = arguments.workers * pairs[:, 0] / pairs[:, 1]
    cpu_speed_ups = arguments.workers * speed_ups[:, 1]
    report = {
        "workers": arguments.workers,
        "cores": os.cpu_count(),
        "one_s": np.median(pairs[:, 0, 0]),
        "all_s": np.median(pairs[:, 1, 0]),
        "speed_up": np.median(speed_ups[:, 0]),
        "speed_up_most": speed_ups[:, 0].max(),
        "cpu_speed_up": np.median(cpu_speed_ups),
    }
    print(json.dumps({key: round(float(value), 3) for key, value in report.items()}))


if __name__ == "__main__":
    main()
