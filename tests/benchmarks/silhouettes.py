"""Masks against Blender's own pixels, clothes against the body under them, joints against masks.

    python tests/benchmarks/silhouettes.py DATA [--size 512] [--frames 5] [--engine workbench]

DATA: the folder that holds cmu_mocap/ and hdm05/. For each recording and view, in per cent:
    iou      of the projected body mesh with the undressed body that Blender draws white on black
    clothed  the same for the dressed person
    covered  of the body's pixels, those that the dressed mask contains
    joints   of the frame-joint pairs inside the picture, those inside the dressed mask
Workbench draws sharp outlines and needs OpenGL; Cycles filters them, so that it measures a little less.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import torch

from odah.body.body_model import BodyModel
from odah.body.fitting.body_fitter import BodyFit
from odah.clothing import Material, MeshLayer
from odah.config import GenerateConfig
from odah.dataset.plan import plan_clips
from odah.pipeline.clip_maker import ClipMaker
from odah.pipeline.clips import PreparedClip, prepare_clip
from odah.pipeline.labels import skeleton_pose, to_world
from odah.render import RenderSettings, draw_masks, find_blender, part_under
from odah.render.jobs import write_job
from odah.render.parts import OUTSIDE
from odah.render.settings import Engine
from odah.render.view import views_of
from odah.render.worker_process import WorkerProcess
from odah.scene import Scene, Surface

RECORDINGS = (
    ("cmu_mocap/asfamc/07_05.amc", 0.5),  # slow walk
    ("cmu_mocap/asfamc/11_01.amc", 1.0),  # kick
    ("cmu_mocap/asfamc/02_03.amc", 0.0),  # run
    ("cmu_mocap/bvh_cgspeed/10_01.bvh", 0.5),  # kick a ball
    ("cmu_mocap/bvh_from_fbx/64_28.bvh", 1.0),  # pick up a ball
    ("cmu_mocap/c3d/basketball_dribble_shoot.c3d", 0.5),
)
DURATION, RATE = 2.0, 10.0


@dataclass(frozen=True)
class Case:
    """One clip, thinned to a few frames: joints (T, J, 3) world, m."""

    name: str
    scene: Scene
    body: MeshLayer
    dressed: list[MeshLayer]
    joints: np.ndarray


def cases(data: Path, size: int, num_frames: int) -> Iterator[Case]:
    """Every recording, fitted, dressed and put before the two cameras of its scene."""
    config = GenerateConfig.model_validate(
        {
            "name": "silhouettes",
            "motion": {
                "root": str(data),
                "recordings": [
                    {"path": path, "start": start, "action": "recorded"} for path, start in RECORDINGS
                ],
            },
            "clip": {"duration": DURATION, "rate": RATE},
            "video": {"width": size, "height": size},
        }
    )
    plans = plan_clips(config, data)
    maker = ClipMaker(config, plans, data)
    for plan in plans:
        clip = prepare_clip(plan, maker, maker.solve(plan))
        frames = np.linspace(0, len(clip.fit.poses) - 1, num_frames).round().astype(int)
        yield thinned(
            Path(plan.recording.path).name if plan.recording else "", clip, maker.fitter.body, frames
        )


def thinned(name: str, clip: PreparedClip, body: BodyModel, frames: np.ndarray) -> Case:
    joints = to_world(clip.T_world_ground, skeleton_pose(clip.kinematics).joints.numpy())
    dressed = [replace(layer, vertices=layer.vertices[frames]) for layer in clip.layers]
    return Case(name, black(clip.scene), body_layer(body, clip.fit, frames), dressed, joints[frames])


def body_layer(body: BodyModel, fit: BodyFit, frames: np.ndarray) -> MeshLayer:
    """The whole undressed body."""
    tensors = (
        torch.as_tensor(values, dtype=body.dtype) for values in (fit.poses[frames], fit.transl[frames])
    )
    with torch.no_grad():
        pose = body(torch.as_tensor(fit.betas, dtype=body.dtype), *tensors)
    return MeshLayer("body", pose.vertices.numpy().astype(np.float32), body.faces, Material("skin"))


def black(scene: Scene) -> Scene:
    """An empty black room so large that its walls do not matter."""
    color = (0.0, 0.0, 0.0)
    surface = Surface("paint", color, color, 2.0, 1.0, 0)
    room = replace(scene.room, size=(60.0, 60.0, 60.0), floor=surface, walls=(surface,) * 4, ceiling=surface)
    return replace(scene, lights=(), room=room, furniture=(), environment=None)


def white(layers: Sequence[MeshLayer]) -> list[MeshLayer]:
    """The same shapes without colours."""
    plain = Material("cloth", (0.9, 0.9, 0.9), 1.0)
    return [replace(layer, material=plain, uv=None, colors=None) for layer in layers]


def rendered_masks(
    worker: WorkerProcess, scene: Scene, layers: Sequence[MeshLayer], engine: Engine
) -> dict[str, list[np.ndarray]]:
    """(H, W) bool by view and frame: what Blender draws brighter than half its brightest."""
    settings = RenderSettings(engine, samples=16, threads=1, device="cpu", allow_software_gl=True)
    found: dict[str, list[np.ndarray]] = {camera.name: [] for camera in scene.cameras}
    with tempfile.TemporaryDirectory() as folder:
        path = write_job(Path(folder), scene, layers, views_of(scene, layers, None, 256), settings)
        path.write_text(json.dumps(json.loads(path.read_text()) | {"ambient": [1.0, 1.0, 1.0]}))
        worker.send(path)
        while (answer := worker.next_answer())["event"] == "frame":
            picture = cv2.imread(answer["path"], cv2.IMREAD_GRAYSCALE)
            assert picture is not None
            found[answer["view"]].append(picture > picture.max() / 2)
    return found


def iou(found: Sequence[np.ndarray], expected: Sequence[np.ndarray]) -> float:
    """Over all frames together."""
    a, b = np.stack(found), np.stack(expected)
    return float((a & b).sum() / (a | b).sum())


def inside_share(masks: Sequence[np.ndarray], keypoints: np.ndarray) -> float:
    """Of the keypoints (T, J, 2) inside the picture, the share inside the mask."""
    under = np.stack([part_under(m.astype(np.uint8), k) for m, k in zip(masks, keypoints, strict=True)])
    return float((under == 1).sum() / (under != OUTSIDE).sum())


def measure(case: Case, worker: WorkerProcess, engine: Engine) -> dict[str, list[float]]:
    """The four numbers of each view."""
    undressed = rendered_masks(worker, case.scene, white([case.body]), engine)
    clothed = rendered_masks(worker, case.scene, white(case.dressed), engine)
    numbers = {}
    for camera in case.scene.cameras:
        body, dressed = list(draw_masks([case.body], camera)), list(draw_masks(case.dressed, camera))
        numbers[camera.name] = [
            iou(undressed[camera.name], body),
            iou(clothed[camera.name], dressed),
            float((np.stack(body) & np.stack(dressed)).sum() / np.stack(body).sum()),
            inside_share(dressed, camera.project(case.joints)),
        ]
    return numbers


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--frames", type=int, default=5)
    parser.add_argument("--engine", choices=get_args(Engine)[1:], default="workbench")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    worker = WorkerProcess(find_blender(), 600)
    print(f"{'recording':32s}{'view':8s}{'iou':>8s}{'clothed':>9s}{'covered':>9s}{'joints':>8s}")
    rows = []
    try:
        for case in cases(arguments.data.resolve(), arguments.size, arguments.frames):
            for view, row in measure(case, worker, arguments.engine).items():
                rows.append(row)
                print(
                    f"{case.name:32s}{view:8s}" + "".join(f"{100 * value:8.2f} " for value in row), flush=True
                )
    finally:
        worker.close()
    for name, values in (("mean", np.mean(rows, axis=0)), ("worst", np.min(rows, axis=0))):
        print(f"{name:40s}" + "".join(f"{100 * value:8.2f} " for value in values))


if __name__ == "__main__":
    main()
