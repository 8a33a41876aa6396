"""What jobs, masks, encoding and files add to a bare Blender loop that renders the same frames.

    python tests/benchmarks/render_overhead.py [--frames 60] [--width 256] [--height 170] [--engine cycles]

Prints seconds and processor seconds for both, their ratios, and the milliseconds a mask takes. Both start
Blender themselves. On a busy machine only the ratio of the processor seconds means something.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import trimesh

from odah.assets import asset_path
from odah.clothing.layers import Material, MeshLayer
from odah.render import RenderSettings, draw_masks, find_blender, render_clip
from odah.render.jobs import write_job
from odah.scene import CameraConfig, PersonBounds, Scene, SceneConfig, sample_scene


def walking_blob(num_frames: int) -> MeshLayer:
    """A bumpy standing shape of 20,480 triangles, as many as a person has, that moves 1.2 m forward."""
    ball = trimesh.creation.icosphere(subdivisions=5)
    bumps = 1 + 0.2 * np.sin(9 * ball.vertices).prod(1, keepdims=True)
    shape = ball.vertices * bumps * [0.25, 0.35, 0.9] + [0, 0, 0.95]
    path = np.linspace(0, 1.2, num_frames)[:, None, None] * [1.0, 0.0, 0.0]
    return MeshLayer("blob", (shape + path).astype(np.float32), ball.faces, Material("skin", (0.5, 0.3, 0.2)))


def run_bare_loop(scene: Scene, layers: list[MeshLayer], settings: RenderSettings) -> None:
    """Blender renders the clip's pictures and nothing else, from start to end of the process."""
    executable = find_blender().executable
    with tempfile.TemporaryDirectory() as folder:
        job = write_job(Path(folder), scene, layers, settings.engine, settings)
        script = Path(__file__).with_name("bare_loop.py")
        command = [str(executable), str(script), str(job), str(asset_path("blender_scenes"))]
        subprocess.run(command, check=True, capture_output=True)


def run_render_clip(scene: Scene, layers: list[MeshLayer], settings: RenderSettings) -> None:
    """`render_clip`, Blender's start included."""
    with tempfile.TemporaryDirectory() as folder:
        render_clip(scene, layers, folder, settings)


def draw_all_masks(scene: Scene, layers: list[MeshLayer]) -> None:
    """Every frame's mask in every view."""
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
    for name, value in (("frames", 60), ("width", 256), ("height", 170)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--engine", default="cycles")
    arguments = parser.parse_args()
    layers = [walking_blob(arguments.frames)]
    bounds = PersonBounds.from_motion(layers[0].vertices, np.array([[1.0, 0.0, 0.0]]))
    config = SceneConfig(camera=CameraConfig(width=arguments.width, height_px=arguments.height))
    scene = sample_scene(np.random.default_rng(0), config, bounds)
    settings = RenderSettings(engine=arguments.engine)
    bare = seconds_of(lambda: run_bare_loop(scene, layers, settings))
    clip = seconds_of(lambda: run_render_clip(scene, layers, settings))
    masks = seconds_of(lambda: draw_all_masks(scene, layers))
    report = {
        "bare_loop_s": bare[0],
        "render_clip_s": clip[0],
        "ratio": clip[0] / bare[0],
        "bare_loop_cpu_s": bare[1],
        "render_clip_cpu_s": clip[1],
        "cpu_ratio": clip[1] / bare[1],
        "mask_cpu_ms": 1000 * masks[1] / (2 * arguments.frames),
    }
    print(json.dumps({key: round(float(value), 3) for key, value in report.items()}))


if __name__ == "__main__":
    main()
