"""One clip, from its plan to its files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from odah.body.checks import Plausibility, check_plausibility, floor_height, lowest_points
from odah.body.fitting.body_fitter import BodyFit, BodyFitter
from odah.body.shape.measures import body_measures
from odah.clothing import Appearance, MeshLayer
from odah.config import GenerateConfig
from odah.dataset.plan import ClipPlan
from odah.dataset.reader import in_crops
from odah.dataset.schema import DatasetPaths, seeded_rng
from odah.dataset.writer import write_clip, write_labels
from odah.errors import OdahError
from odah.motion.trc import write_trc
from odah.motion.types import MarkerTrajectories, Source
from odah.names import SMPLX_INDEX
from odah.osim.kinematics import Kinematics
from odah.osim.ranges import range_flags
from odah.osim.storage import write_mot
from odah.pipeline.clip_maker import ClipMaker, Solved
from odah.pipeline.labels import (
    clip_labels,
    error_budget,
    skeleton_pose,
    to_world,
    world_from_ground,
)
from odah.pipeline.seats import stool_under
from odah.pipeline.seen_joints import joints_inside_mask, seen_joints
from odah.pipeline.subjects import Subject
from odah.render import Renderer, RenderResult
from odah.scene import PersonBounds, Scene, sample_scene
from odah.scene.coverage import Coverage
from odah.scene.crops import person_crops
from odah.scene.time_effects import points_as_seen_by

_MIN_INSIDE_MASK = 0.97
"""Below, a clip is flagged; small pictures lose one or two per cent at heels, where bone is next to skin."""


@dataclass(frozen=True)
class PreparedClip:
    """A clip before rendering: everything but pixels.

    crops: by view the squares (T, 3) that are rendered, left, top and side in px of the full picture; None
    where the whole picture is.
    """

    kinematics: Kinematics
    fit: BodyFit
    scene: Scene
    layers: list[MeshLayer]
    T_world_ground: np.ndarray
    plausibility: Plausibility
    crops: dict[str, np.ndarray] | None = None

    def in_video(self, pixels: np.ndarray, crop_size: int | None) -> dict[str, np.ndarray]:
        """Pixels (V, T, P, 2) of the full pictures in those of the videos, by view."""
        views = [camera.name for camera in self.scene.cameras]
        if self.crops is None or crop_size is None:
            return dict(zip(views, pixels, strict=True))
        return {v: in_crops(p, self.crops[v], crop_size) for v, p in zip(views, pixels, strict=True)}


def prepare_clip(plan: ClipPlan, maker: ClipMaker, solved: Solved) -> PreparedClip:
    """Fit the body, put it on the floor, dress it and draw a scene around it."""
    config, fitter = maker.config, maker.fitter
    fit = fitter.fit_pose(solved.kinematics, solved.subject.body, solved.guide)
    layers = solved.outfit.layers(fit.poses, fit.transl)
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
    T_world_ground, stools = world_from_ground(floor), []
    if solved.seat is not None:
        seat = to_world(T_world_ground, solved.seat.centre)
        seat_rng = seeded_rng(config.seed, "seat", plan.clip_id)
        stools.append(stool_under(layers, seat, bounds.heading, seat_rng))
    scene = sample_scene(rng, maker.scenes, bounds, config.clip.rate, stools)
    crops = _crops(config, scene, points)
    return PreparedClip(solved.kinematics, fit, scene, layers, T_world_ground, plausibility, crops)


def _crops(config: GenerateConfig, scene: Scene, points: np.ndarray) -> dict[str, np.ndarray] | None:
    """By view the squares around points (T, P, 3) of the person, if only they are to be rendered."""
    crop = config.video.crop
    if crop is None:
        return None
    return {
        camera.name: person_crops(
            points_as_seen_by(points, camera, scene.rate), camera, crop.margin, crop.smooth
        )
        for camera in scene.cameras
    }


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
    paths: DatasetPaths, plan: ClipPlan, maker: ClipMaker, solved: Solved, renderer: Renderer
) -> None:
    """Render a clip and write its folder, whole or not at all."""
    prepared, config = prepare_clip(plan, maker, solved), maker.config
    kinematics = prepared.kinematics
    record = {
        "num_frames": kinematics.num_frames,
        "rate": kinematics.rate,
        "seed": config.seed,
        "source": _source_record(kinematics.source),
        "body": _body_record(config, maker.fitter, solved.subject),
        "appearance": solved.outfit.appearance.to_json(),
        "textures": {"licence": _texture_licence(solved.outfit.appearance)},
        "scene": prepared.scene.to_dict(),
    }
    write_clip(paths, plan, record, lambda folder: _fill(folder, prepared, config, renderer))


def _body_record(config: GenerateConfig, fitter: BodyFitter, subject: Subject) -> dict[str, Any]:
    """Whose body, and of what kind of person: age in years, height in m, mass in kg, bmi in kg/m^2."""
    measures, betas = body_measures(fitter.body), torch.as_tensor(subject.betas, dtype=torch.float64)
    height, mass = measures.height(betas)[0], measures.mass(betas)[0]
    return {
        "kind": Path(config.body).name,
        "licence": "CC0-1.0" if config.body == "open" else "SMPL-X (user's own)",
        "gender": subject.gender,
        "age": subject.age,
        "height": height,
        "mass": mass,
        "bmi": mass / height**2,
    }


def _texture_licence(look: Appearance) -> str:
    own = [*look.garments, *(name for name in (look.upper_picture, look.lower_picture) if name)]
    procedural = "Apache-2.0, procedural"
    return f"{procedural}; user's own: {', '.join(own)}" if own else procedural


def _source_record(source: Source) -> dict[str, str]:
    return {"path": Path(source.path).name, "format": source.format, "licence": source.licence}


def _fill(folder: Path, prepared: PreparedClip, config: GenerateConfig, renderer: Renderer) -> dict[str, Any]:
    solved, scene = prepared.kinematics, prepared.scene
    pose = skeleton_pose(solved)
    labels = clip_labels(solved, pose, prepared.fit, scene, prepared.T_world_ground)
    write_mot(folder / "kinematics.mot", replace(solved.trajectory, start_time=0.0), solved.model)
    markers = MarkerTrajectories(
        solved.model.marker_names, pose.markers.numpy(), solved.rate, "ground", solved.source
    )
    write_trc(folder / "markers.trc", markers)
    keypoints = prepared.in_video(labels["keypoints"], config.video.crop_size)
    result = renderer.render(scene, prepared.layers, folder, keypoints, prepared.crops)
    part_at = np.stack([result.part_at[camera.name] for camera in scene.cameras])
    labels |= seen_joints(part_at, solved.model.joint_names)
    if prepared.crops is not None:
        labels["crops"] = np.stack([prepared.crops[camera.name] for camera in scene.cameras])
    write_labels(folder / "labels.npz", labels)
    world = to_world(prepared.T_world_ground, pose.joints.numpy())
    coverage = Coverage.of(world, scene.cameras)
    budget = error_budget(solved, prepared.fit, prepared.plausibility) | {
        "reprojection_px": _mesh_reprojection(prepared.fit, scene, world),
        "joints_inside_mask": joints_inside_mask(part_at),
        "share_outside_views": coverage.share_outside,
    }
    return {
        "error_budget": budget,
        "flags": [
            *range_flags(solved),
            *prepared.fit.flags(),
            *prepared.plausibility.flags,
            *_view_flags(budget, coverage.share_outside_by_view),
        ],
        "notes": list(solved.notes),
        "render": _render_record(result),
    }


def _view_flags(budget: dict[str, Any], by_view: dict[str, float]) -> list[str]:
    flags, share_outside_views = [], budget["share_outside_views"]
    if budget["joints_inside_mask"] < _MIN_INSIDE_MASK:
        flags.append(f"only {budget['joints_inside_mask']:.0%} of joints fall on the person in the pictures")
    if share_outside_views > 0:
        flags.append(f"no camera sees the person in {share_outside_views:.0%} of frames")
    lost = {view: share for view, share in by_view.items() if share > share_outside_views}
    if lost:
        told = ", ".join(f"{view} {share:.0%}" for view, share in lost.items())
        flags.append(f"the person is out of the picture for part of the clip ({told} of frames)")
    return flags


def _mesh_reprojection(fit: BodyFit, scene: Scene, joints: np.ndarray) -> float:
    """Mean over views of the mesh-to-skeleton distance as it appears in the picture, px.

    Frames in which a joint is behind a camera do not count.
    """
    errors, sizes = fit.joint_errors_mm.mean(axis=1) / 1e3, []
    for camera in scene.cameras:
        depth = camera.to_cam(joints)[..., 2]
        is_before = (depth > 0).all(axis=1)
        sizes.append(errors[is_before] * camera.K[0, 0] / depth[is_before].mean(axis=1))
    joined = np.concatenate(sizes)
    if not len(joined):
        raise OdahError("the person is behind every camera in every frame")
    return float(joined.mean())


def _render_record(result: RenderResult) -> dict[str, Any]:
    """What drew the pictures. Time is left out: it would make equal clips differ."""
    return {
        "engine": result.engine,
        "gl_renderer": result.gl_renderer,
        "device": result.device,
        "blender_version": result.blender_version,
    }
