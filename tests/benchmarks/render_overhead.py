"""What jobs, labels, encoding and files add to a bare Blender loop that renders the same frames.

    python tests/benchmarks/render_overhead.py [--frames 60] [--width 256] [--height 170] [--engine cycles]

Both run in turns, a pair at a time, with one thread for the renderer, and both start Blender themselves.
Printed are the medians of seconds and processor seconds, the ratios within pairs, and the processor's
milliseconds for one picture's labels. On a busy machine only the ratio of the processor seconds means
something.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from render_clips import scene_around, walking_blob

from odah.assets import asset_path
from odah.clothing.layers import MeshLayer
from odah.render import RenderSettings, draw_masks, find_blender, render_clip
from odah.render.jobs import write_job
from odah.render.view import views_of
from odah.scene import Scene


def run_bare_loop(scene: Scene, layers: list[MeshLayer], settings: RenderSettings) -> None:
    """Blender renders the clip's pictures and nothing else, from start to end of the process."""
    executable = find_blender().executable
    with tempfile.TemporaryDirectory() as folder:
        job = write_job(
            Path(folder), scene, layers, views_of(scene, layers, None, settings.crop_size), settings
        )
        script = Path(__file__).with_name("bare_loop.py")
        command = [str(executable), str(script), str(job), str(asset_path("blender_scenes"))]
        subprocess.run(command, check=True, capture_output=True)


def run_render_clip(scene: Scene, layers: list[MeshLayer], settings: RenderSettings) -> None:
    """`render_clip`, Blender's start included."""
    with tempfile.TemporaryDirectory() as folder:
        render_clip(scene, layers, folder, settings, say=lambda line: None)


def draw_all_masks(scene: Scene, layers: list[MeshLayer]) -> None:
    """Every frame's labels in every view."""
    for camera in scene.cameras:
        for _ in draw_masks(layers, camera):
            pass


def seconds_of(work: Callable[[], None]) -> np.ndarray:
    """(2,) wall seconds and processor seconds, those of child processes included."""
    before = np.array([time.perf_counter(), sum(os.times()[:4])])
    work()
    return np.array([time.perf_counter(), sum(os.times()[:4])]) - before


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (("frames", 60), ("width", 256), ("height", 170), ("pairs", 3)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--engine", default="cycles")
    arguments = parser.parse_args()
    layers = [walking_blob(arguments.frames)]
    scene = scene_around(layers, arguments.width, arguments.height)
    settings = RenderSettings(engine=arguments.engine, threads=1, device="cpu", allow_software_gl=True)
    draw_all_masks(scene, [walking_blob(1)])  # compiled once a machine
    times = np.array(
        [
            [seconds_of(partial(run, scene, layers, settings)) for run in (run_bare_loop, run_render_clip)]
            for _ in range(arguments.pairs)
        ]
    )
    masks = seconds_of(lambda: draw_all_masks(scene, layers))
    (bare, bare_cpu), (clip, clip_cpu) = np.median(times, axis=0)
    report = {
        "bare_loop_s": bare,
        "render_clip_s": clip,
        "bare_loop_cpu_s": bare_cpu,
        "render_clip_cpu_s": clip_cpu,
        "label_cpu_ms": 1000 * masks[1] / (2 * arguments.frames),
    }
    for name, ratios in zip(("ratio", "cpu_ratio"), (times[:, 1] / times[:, 0]).T, strict=True):
        report |= {name: np.median(ratios), f"{name}_least": ratios.min(), f"{name}_most": ratios.max()}
    print(json.dumps({key: round(float(value), 3) for key, value in report.items()}))


if __name__ == "__main__":
    main()
