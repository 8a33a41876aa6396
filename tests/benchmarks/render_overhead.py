"""What jobs, masks, encoding and files add to a bare Blender loop that renders the same frames.

    python tests/benchmarks/render_overhead.py [--frames 60] [--width 256] [--height 170] [--engine cycles]

Prints seconds for both, their ratio, and the milliseconds a mask takes. Both start Blender themselves.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
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


def time_bare_loop(scene: Scene, layers: list[MeshLayer], settings: RenderSettings) -> float:
    """Seconds of Blender rendering the clip's pictures, from start to end of the process."""
    executable = find_blender().executable
    with tempfile.TemporaryDirectory() as folder:
        job = write_job(Path(folder), scene, layers, settings.engine, settings)
        script = Path(__file__).with_name("bare_loop.py")
        started = time.perf_counter()
        command = [str(executable), str(script), str(job), str(asset_path("blender_scenes"))]
        subprocess.run(command, check=True, capture_output=True)
        return time.perf_counter() - started


def time_render_clip(scene: Scene, layers: list[MeshLayer], settings: RenderSettings) -> float:
    """Seconds of `render_clip`, Blender's start included."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        render_clip(scene, layers, folder, settings)
        return time.perf_counter() - started


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
    bare, clip = time_bare_loop(scene, layers, settings), time_render_clip(scene, layers, settings)
    started = time.perf_counter()
    for camera in scene.cameras:
        for _ in draw_masks(layers, camera):
            pass
    mask_ms = 1000 * (time.perf_counter() - started) / (2 * arguments.frames)
    seconds = {"bare_loop_s": bare, "render_clip_s": clip, "ratio": clip / bare, "mask_ms": mask_ms}
    print(json.dumps({key: round(value, 3) for key, value in seconds.items()}))


if __name__ == "__main__":
    main()
