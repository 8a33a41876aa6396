"""Many random clips in one picture, one frame each, both views: is every clip somebody else, somewhere else?

python tests/benchmarks/contact_sheet.py OUT.jpg [--clips 60] [--config FILE.yaml] [--width 270]
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch

from odah.config import GenerateConfig, load_config
from odah.dataset.plan import ClipPlan, plan_clips
from odah.names import BMLMOVI_ACTIONS
from odah.pipeline.clip_maker import ClipMaker
from odah.pipeline.clips import prepare_clip
from odah.progress import track
from odah.render import Renderer, RenderSettings, read_frames

COLUMNS = 6


def random_config(count: int, width: int) -> GenerateConfig:
    """So many people, short clips, small pictures, everything else as in any dataset."""
    height = 2 * round(width / 3)
    return GenerateConfig.model_validate(
        {
            "name": "contact_sheet",
            "seed": 11,
            "motion": {"actions": list(BMLMOVI_ACTIONS)},
            "subjects": {"count": count},
            "clip": {"duration": 3.0, "rate": 10},
            "video": {"width": width, "height": height, "crf": 12},
        }
    )


def one_clip_a_person(plans: list[ClipPlan], count: int) -> list[ClipPlan]:
    """Each subject once, each time in another action."""
    by_subject: dict[str, list[ClipPlan]] = {}
    for plan in plans:
        by_subject.setdefault(plan.subject, []).append(plan)
    return [own[k % len(own)] for k, own in enumerate(list(by_subject.values())[:count])]


def tile(maker: ClipMaker, plan: ClipPlan, renderer: Renderer) -> np.ndarray:
    """(H, 2 W, 3) uint8 RGB: the clip's middle frame, one view beside the other."""
    clip = prepare_clip(plan, maker, maker.solve(plan))
    middle = clip.kinematics.num_frames // 2
    layers = [replace(layer, vertices=layer.vertices[middle : middle + 1]) for layer in clip.layers]
    with tempfile.TemporaryDirectory() as folder:
        result = renderer.render(clip.scene, layers, folder)
        views = [next(read_frames(result.videos[camera.name])) for camera in clip.scene.cameras]
    return np.concatenate(views, axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--clips", type=int, default=60)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--width", type=int, default=270)
    parser.add_argument("--samples", type=int, default=8)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    config = random_config(arguments.clips, arguments.width)
    if arguments.config:
        config = load_config(arguments.config)
    plans = plan_clips(config, Path())
    maker = ClipMaker(config, plans)
    with Renderer(RenderSettings(engine="cycles", samples=arguments.samples, crf=12)) as renderer:
        chosen = track(one_clip_a_person(plans, arguments.clips), "clips")
        tiles = [tile(maker, plan, renderer) for plan in chosen]
    while len(tiles) % COLUMNS:
        tiles.append(np.full_like(tiles[0], 255))
    rows = [np.concatenate(tiles[k : k + COLUMNS], axis=1) for k in range(0, len(tiles), COLUMNS)]
    sheet = np.concatenate(rows)
    cv2.imwrite(str(arguments.out), sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
