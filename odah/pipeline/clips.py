"""One clip, from its plan to its files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from odah.body.checks import Plausibility, check_plausibility, floor_height, lowest_points
from odah.body.fitting.body_fitter import BodyFit, BodyFitter
from odah.clothing import MeshLayer
from odah.config import GenerateConfig
from odah.dataset.plan import ClipPlan
from odah.dataset.schema import VIEWS, DatasetPaths, seeded_rng
from odah.dataset.validate import inside_mask_share
from odah.dataset.writer import write_clip, write_labels
from odah.errors import OdahError
from odah.motion.trc import write_trc
from odah.motion.types import MarkerTrajectories, Source
from odah.names import SMPLX_INDEX
from odah.osim.kinematics import Kinematics
from odah.osim.ranges import range_flags
from odah.osim.storage import write_mot
from odah.pipeline.labels import (
    clip_labels,
    error_budget,
    skeleton_pose,
    to_world,
    world_from_ground,
)
from odah.pipeline.subjects import Subject
from odah.render import Renderer, RenderResult, read_masks
from odah.scene import CameraConfig, PersonBounds, Scene, SceneConfig, sample_scene


@dataclass(frozen=True)
class Solved:
    """Who moves in a clip, and how.

    guide: (T, 55, 3) rotation vectors of the recorded body motion, where the clip came from one, for head,
    face and fingers, of which the skeleton knows nothing.
    """

    subject: Subject
    kinematics: Kinematics
    guide: np.ndarray | None = None


@dataclass(frozen=True)
class PreparedClip:
    """A clip before rendering: everything but pixels."""

    kinematics: Kinematics
    fit: BodyFit
    scene: Scene
    layers: list[MeshLayer]
    T_world_ground: np.ndarray
    plausibility: Plausibility


def scene_config(config: GenerateConfig) -> SceneConfig:
    """The ranges from which scenes are drawn."""
    cameras, video = config.cameras, config.video
    return SceneConfig(
        camera=CameraConfig(
            width=video.width,
            height_px=video.height,
            focal_length_mm=cameras.focal_length_mm,
            sensor_width_mm=cameras.sensor_width_mm,
            height=(cameras.height, cameras.height_range),
            position_offset=cameras.position_range,
        )
    )


def prepare_clip(plan: ClipPlan, config: GenerateConfig, fitter: BodyFitter, solved: Solved) -> PreparedClip:
    """Fit the body, put it on the floor, dress it and draw a scene around it."""
    fit = fitter.fit_pose(solved.kinematics, solved.subject.body, solved.guide)
    layers = solved.subject.outfit.layers(fit.poses, fit.transl)
    lowest = lowest_points([layer.vertices for layer in layers], solved.kinematics.rate)
    floor = floor_height(lowest)
    plausibility = check_plausibility(
        fitter.body, fit.betas, fit.poses, fit.transl, solved.kinematics, lowest, floor
    )
    shift = np.array([0.0, 0.0, -floor], dtype=np.float32)
    layers = [replace(layer, vertices=layer.vertices + shift) for layer in layers]
    fit = fit.moved(shift)
    points = np.concatenate([layer.vertices[:, ::7] for layer in layers], axis=1)
    bounds = PersonBounds.from_motion(points, _facing(fitter, fit))
    rng = seeded_rng(config.seed, "scene", plan.clip_id)
    scene = sample_scene(rng, scene_config(config), bounds, config.clip.rate)
    return PreparedClip(solved.kinematics, fit, scene, layers, world_from_ground(floor), plausibility)


def _facing(fitter: BodyFitter, fit: BodyFit) -> np.ndarray:
    """(T, 3) direction in which the person faces, world."""
    poses = torch.as_tensor(fit.poses, dtype=fitter.body.dtype)
    rotmats = fitter.body.posed_joints(torch.as_tensor(fit.betas, dtype=fitter.body.dtype), poses)[1]
    return facing_directions(rotmats[:, SMPLX_INDEX["pelvis"]].double().numpy())


def facing_directions(pelvis: np.ndarray) -> np.ndarray:
    """Where people of these pelvis rotations (T, 3, 3) face, world (T, 3): +Z of the T-pose; for those bent
    over, on all fours or on their back, where the crown of the head, or the feet, point instead."""
    forward, upward = pelvis[:, :, 2], pelvis[:, :, 1]
    return forward - forward[:, 2:] * upward


def make_clip(
    paths: DatasetPaths,
    plan: ClipPlan,
    config: GenerateConfig,
    fitter: BodyFitter,
    solved: Solved,
    renderer: Renderer,
) -> None:
    """Render a clip and write its folder, whole or not at all."""
    prepared = prepare_clip(plan, config, fitter, solved)
    kinematics = prepared.kinematics
    record = {
        "num_frames": kinematics.num_frames,
        "rate": kinematics.rate,
        "seed": config.seed,
        "source": _source_record(kinematics.source),
        "body": {
            "kind": config.body,
            "licence": "CC0-1.0" if config.body == "open" else "SMPL-X (user's own)",
        },
        "textures": {"licence": "Apache-2.0, procedural"},
        "scene": prepared.scene.to_dict(),
    }
    write_clip(paths, plan, record, lambda folder: _fill(folder, prepared, renderer))


def _source_record(source: Source) -> dict[str, str]:
    return {"path": Path(source.path).name, "format": source.format, "licence": source.licence}


def _fill(folder: Path, prepared: PreparedClip, renderer: Renderer) -> dict[str, Any]:
    solved, scene = prepared.kinematics, prepared.scene
    pose = skeleton_pose(solved)
    labels = clip_labels(solved, pose, prepared.fit, scene, prepared.T_world_ground)
    write_labels(folder / "labels.npz", labels)
    write_mot(folder / "kinematics.mot", replace(solved.trajectory, start_time=0.0), solved.model)
    markers = MarkerTrajectories(
        solved.model.marker_names, pose.markers.numpy(), solved.rate, "ground", solved.source
    )
    write_trc(folder / "markers.trc", markers)
    result = renderer.render(scene, prepared.layers, folder)
    inside = _inside_share(result, labels["keypoints"])
    world = to_world(prepared.T_world_ground, pose.joints.numpy())
    budget = error_budget(solved, prepared.fit, prepared.plausibility) | {
        "reprojection_px": _mesh_reprojection(prepared.fit, scene, world),
        "joints_inside_mask": inside,
    }
    return {
        "error_budget": budget,
        "flags": [*range_flags(solved), *prepared.fit.flags(), *prepared.plausibility.flags],
        "notes": list(solved.notes),
        "render": _render_record(result),
    }


def _inside_share(result: RenderResult, keypoints: np.ndarray) -> float:
    shares = [inside_mask_share(read_masks(result.masks[view]), keypoints[v]) for v, view in enumerate(VIEWS)]
    return float(np.mean(shares))


def _mesh_reprojection(fit: BodyFit, scene: Scene, joints: np.ndarray) -> float:
    """Mean over views of the mesh-to-skeleton distance as it appears in the picture, px."""
    sizes = []
    for camera in scene.cameras:
        depth = camera.to_cam(joints)[..., 2]
        if (depth <= 0).any():
            raise OdahError(f"a joint is behind the {camera.name} camera")
        sizes.append((fit.joint_errors_mm.mean(axis=1) / 1e3 * camera.K[0, 0] / depth.mean(axis=1)).mean())
    return float(np.mean(sizes))


def _render_record(result: RenderResult) -> dict[str, Any]:
    """What drew the pictures. Time is left out: it would make equal clips differ."""
    return {
        "engine": result.engine,
        "gl_renderer": result.gl_renderer,
        "blender_version": result.blender_version,
    }
