"""Two-view frames a second on a graphics processor, by number of workers and kind of picture, as a table.

    python tests/benchmarks/gpu_frames.py [--workers 1 2 4 8 16] [--frames 120] [--engine auto]

Each worker renders a clip of `frames` frames of a gait lab from two views, after a short one that compiles
its shaders; labels and encoding included. `--allow-cpu` runs without a graphics processor, to try the script.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from render_clips import scene_around, walking_blob

from odah.clothing.layers import MeshLayer
from odah.errors import OdahError
from odah.render import EngineChoice, Renderer, RenderSettings, choose_engine, find_blender
from odah.scene import Scene
from odah.workers import in_processes


def work(task: tuple[str, int, int, int, int, bool, RenderSettings, EngineChoice]) -> tuple[float, float]:
    """When one worker's clip began and ended; it begins when all workers are warm."""
    folder, workers, frames, width, height, is_crop, settings, choice = task
    layers, short = [walking_blob(frames)], [walking_blob(2)]
    scene = scene_around(layers, width, height, kinds=("gait_lab",))
    with (
        tempfile.TemporaryDirectory() as out,
        Renderer(settings, say=lambda line: None, choice=choice) as renderer,
    ):
        _render(renderer, scene, short, out, is_crop)
        (Path(folder) / Path(out).name).touch()
        while len(list(Path(folder).iterdir())) < workers:
            time.sleep(0.05)
        begun = time.time()
        _render(renderer, scene, layers, out, is_crop)
        return begun, time.time()


def _render(renderer: Renderer, scene: Scene, layers: list[MeshLayer], out: str, is_crop: bool) -> None:
    crops = None
    if is_crop:
        square = [scene.cameras[0].width / 2 - 250.0, scene.cameras[0].height / 2 - 250.0, 500.0]
        crops = {camera.name: np.tile(square, (len(layers[0].vertices), 1)) for camera in scene.cameras}
    renderer.render(scene, layers, out, crops=crops)


def frames_a_second(
    workers: int,
    frames: int,
    size: tuple[int, int],
    is_crop: bool,
    settings: RenderSettings,
    choice: EngineChoice,
) -> float:
    """Frames of both views that all workers together finish a second."""
    with tempfile.TemporaryDirectory() as folder:
        task = (folder, workers, frames, *size, is_crop, settings, choice)
        spans = np.array([span for _, span in in_processes(work, [task] * workers, workers)])
    return workers * frames / (spans[:, 1].max() - spans[:, 0].min())


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--size", type=int, nargs=2, default=[1080, 720])
    parser.add_argument("--crop", type=int, default=256)
    parser.add_argument("--allow-cpu", action="store_true")
    arguments = parser.parse_args()
    settings = RenderSettings(
        arguments.engine, threads=1, crop_size=arguments.crop, allow_software_gl=arguments.allow_cpu
    )
    try:
        choice = choose_engine(find_blender(), settings, lambda line: print(line, file=sys.stderr))
    except OdahError as error:
        sys.exit(str(error))
    if not (choice.is_on_gpu or arguments.allow_cpu):
        sys.exit("no graphics processor draws here; --allow-cpu measures the CPU instead")
    width, height = arguments.size
    print(f"{choice.engine} on {choice.gl_renderer or choice.device_name}: two-view frames/s\n")
    print(f"| workers | {width}x{height} | crops of {arguments.crop}x{arguments.crop} |\n|---|---|---|")
    for workers in arguments.workers:
        rates = [
            frames_a_second(workers, arguments.frames, (width, height), is_crop, settings, choice)
            for is_crop in (False, True)
        ]
        print(f"| {workers} | {rates[0]:.1f} | {rates[1]:.1f} |", flush=True)


if __name__ == "__main__":
    main()
