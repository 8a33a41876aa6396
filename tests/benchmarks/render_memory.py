"""How much a worker's memory grows over many clips of other people, rooms, textures and cameras.

    python tests/benchmarks/render_memory.py [--clips 50] [--size 64] [--engine cycles]

Blender is never started afresh. Growth is from the mean of the second fifth of the clips, when everything has
been loaded once, to the mean of the last fifth. Linux only.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
from render_clips import scene_around, walking_blob

from odah.clothing.layers import MeshLayer
from odah.render import Renderer, RenderSettings
from odah.scene.types import RoomKind


def dressed_blob(rng: np.random.Generator, num_frames: int) -> list[MeshLayer]:
    """Three shells of other fineness, texture and relief each time."""
    layers = []
    for name, kind in (("body", "skin"), ("shirt", "cloth"), ("hair", "hair")):
        blob = walking_blob(num_frames, int(rng.integers(3, 6)))
        texture = rng.integers(0, 256, (256, 256, 3), dtype=np.uint8)
        material = replace(
            blob.material, kind=kind, texture=texture, relief=texture[..., 0], relief_depth=1e-3
        )
        vertices = blob.vertices * np.float32(rng.uniform(0.95, 1.05))
        uv = rng.random((vertices.shape[1], 2)).astype(np.float32)
        layers.append(replace(blob, name=name, vertices=vertices, material=material, uv=uv))
    return layers


def resident_mb(process_id: int) -> float:
    lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (("clips", 50), ("size", 64), ("frames", 2)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--engine", default="cycles")
    arguments = parser.parse_args()
    settings = RenderSettings(
        arguments.engine, samples=1, threads=1, clips_per_worker=10**6, allow_software_gl=True
    )
    kinds, memory = get_args(RoomKind), []
    with Renderer(settings) as renderer:
        for clip in range(arguments.clips):
            layers = dressed_blob(np.random.default_rng(clip), arguments.frames)
            scene = scene_around(
                layers, arguments.size, arguments.size, clip, kinds=(kinds[clip % len(kinds)],)
            )
            with tempfile.TemporaryDirectory() as folder:
                renderer.render(scene, layers, folder)
            memory.append(resident_mb(renderer.process_id))
    fifth = max(1, arguments.clips // 5)
    early, late = np.mean(memory[fifth : 2 * fifth]), np.mean(memory[-fifth:])
    report = {
        "clips": arguments.clips,
        "early_mb": round(float(early), 1),
        "late_mb": round(float(late), 1),
        "growth": round(float(late / early - 1), 4),
        "all_mb": [round(value) for value in memory],
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
