"""The labels of a clip: they follow from skeleton, fit and cameras; nothing is read back."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from odah.body.checks import Plausibility
from odah.body.fitting.body_fitter import BodyFit
from odah.motion.types import R_WORLD_GROUND
from odah.osim import ForwardKinematics, SkeletonPose
from odah.osim.kinematics import Kinematics
from odah.scene import Scene
from odah.scene.distortion import coefficients
from odah.scene.time_effects import points_as_seen_by


def world_from_ground(floor_height: float) -> np.ndarray:
    """(4, 4) `T_world_ground` that puts `floor_height` (m above ground's origin plane) at world height 0."""
    T = np.eye(4)
    T[:3, :3] = R_WORLD_GROUND
    T[2, 3] = -floor_height
    return T


def skeleton_pose(solved: Kinematics) -> SkeletonPose:
    """Joints, markers and bodies in ground, float64."""
    with torch.no_grad():
        return ForwardKinematics(solved.model)(torch.as_tensor(solved.coordinates))


def to_world(T_world_ground: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Ground points (..., 3) in world, m."""
    return points @ T_world_ground[:3, :3].T + T_world_ground[:3, 3]


def project_joints(scene: Scene, world: np.ndarray) -> np.ndarray:
    """(V, T, J, 2) pixels of joints (T, J, 3), world, in the full picture of every camera; NaN behind it."""
    return np.stack(
        [camera.project(points_as_seen_by(world, camera, scene.rate)) for camera in scene.cameras]
    )


def clip_labels(
    solved: Kinematics, pose: SkeletonPose, fit: BodyFit, scene: Scene, T_world_ground: np.ndarray
) -> dict[str, np.ndarray]:
    """Those arrays of `labels.npz` (`odah.dataset.schema.LABEL_SHAPES`) that are known before rendering."""
    joints = pose.joints.numpy()
    calibrated = scene.calibrated or scene.cameras
    return {
        "time": np.arange(len(joints)) / solved.rate,
        "coordinates": solved.coordinates,
        "scale_factors": solved.scale_factors,
        "joints": joints,
        "body_coms": pose.body_coms.numpy(),
        "markers": pose.markers.numpy(),
        "T_world_ground": T_world_ground,
        "K": np.stack([camera.K for camera in scene.cameras]),
        "T_cam_world": np.stack([camera.T_cam_world for camera in scene.cameras]),
        "distortion": np.array([coefficients(camera.distortion) for camera in scene.cameras]),
        "K_calibrated": np.stack([camera.K for camera in calibrated]),
        "T_cam_world_calibrated": np.stack([camera.T_cam_world for camera in calibrated]),
        "keypoints": project_joints(scene, to_world(T_world_ground, joints)),
        "betas": fit.betas,
        "poses": fit.poses,
        "transl": fit.transl,
    }


def marker_rms_mm(solved: Kinematics) -> float | None:
    """RMS distance of measured to model markers over all frames, mm; None if no marker was tracked."""
    if solved.marker_errors is None:
        return None
    return 1e3 * float(np.sqrt(np.nanmean(solved.marker_errors**2)))


def error_budget(solved: Kinematics, fit: BodyFit, plausibility: Plausibility) -> dict[str, Any]:
    """How far each stage is from the one before, recorded markers to model and mesh to skeleton, mm; and how
    plausible the body looks (`Plausibility.to_json`)."""
    joints, markers = fit.joint_errors_mm, fit.marker_errors_mm
    return {
        "marker_rms_mm": marker_rms_mm(solved),
        "mesh_joint_mean_mm": float(joints.mean()),
        "mesh_joint_p95_mm": float(np.percentile(joints, 95)),
        "mesh_joint_mm": joints.mean(axis=0).tolist(),
        "mesh_marker_mean_mm": float(markers.mean()),
        "mesh_marker_p95_mm": float(np.percentile(markers, 95)),
        **plausibility.to_json(),
    }
