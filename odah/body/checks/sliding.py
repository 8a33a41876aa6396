"""Foot sliding: how far soles that stand on the floor move over it, on the mesh and on the skeleton."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float

from odah.body.checks.thresholds import CONTACT_HEIGHT, SLIDING_SPEED
from odah.motion.types import R_WORLD_GROUND
from odah.osim.contact_points import contact_points, with_contact_markers
from odah.osim.fk import ForwardKinematics
from odah.osim.kinematics import Kinematics

_FRAME_RATE = 60.0
"""Sliding is told in mm a frame of this rate, whatever the clip's is."""
_SOLE_PARTS = ("heel", "ball", "toe")
_MATCHING_FRAMES = 16


@dataclass(frozen=True)
class FootSliding:
    """Horizontal way of standing sole points, mm a frame at 60 fps; zeros where nobody stands.

    stance_share: part of all points and frames that stand. mesh, skeleton: means; excess: of one over the
    other point by point (the motion's own sliding taken off), its mean and 95th percentile.
    """

    stance_share: float
    mesh_mm: float
    skeleton_mm: float
    excess_mm: float
    excess_p95_mm: float


def skeleton_soles(kinematics: Kinematics) -> np.ndarray:
    """(T, 10, 3) points under heels, balls and toes of a moving full-body model, right first, world, m.

    They turn with calcn and toes, where the sole of a shoe would be (see `odah.osim.contact_points`).
    """
    model = kinematics.model
    is_sole = [point.part[:-2] in _SOLE_PARTS for point in contact_points(model)]
    with torch.no_grad():
        pose = ForwardKinematics(with_contact_markers(model))(torch.as_tensor(kinematics.coordinates))
    return pose.markers.numpy()[:, is_sole] @ R_WORLD_GROUND.T


def nearest_vertices(
    vertices: Float[np.ndarray, "T N 3"], points: Float[np.ndarray, "T P 3"]
) -> Float[np.ndarray, "T P 3"]:
    """For each point the vertex that stays nearest to it over the clip."""
    frames = np.unique(np.linspace(0, len(points) - 1, _MATCHING_FRAMES).round().astype(int))
    distance = np.linalg.norm(vertices[frames, :, None] - points[frames, None], axis=-1)
    return vertices[:, distance.mean(axis=0).argmin(axis=0)].astype(float)


def stance(soles: Float[np.ndarray, "T P 3"], rate: float, floor: float) -> Bool[np.ndarray, "T-1 P"]:
    """Between which frames each sole point stands: near the floor (world height, m) in both, and slow."""
    is_near = soles[..., 2] - floor < CONTACT_HEIGHT
    speed = np.linalg.norm(np.diff(soles, axis=0), axis=-1) * rate
    return is_near[1:] & is_near[:-1] & (speed < SLIDING_SPEED)


def foot_sliding(
    mesh_soles: Float[np.ndarray, "T P 3"],
    skeleton_soles: Float[np.ndarray, "T P 3"],
    rate: float,
    floor: float,
) -> FootSliding:
    """Sliding of the same sole points on the mesh and on its skeleton; stance is the skeleton's."""
    stands = stance(skeleton_soles, rate, floor)
    if not stands.any():
        return FootSliding(0.0, 0.0, 0.0, 0.0, 0.0)
    to_mm = 1e3 * rate / _FRAME_RATE
    mesh, skeleton = (
        to_mm * np.linalg.norm(np.diff(soles[..., :2], axis=0), axis=-1)[stands]
        for soles in (mesh_soles, skeleton_soles)
    )
    excess = mesh - skeleton
    return FootSliding(
        stance_share=float(stands.mean()),
        mesh_mm=float(mesh.mean()),
        skeleton_mm=float(skeleton.mean()),
        excess_mm=float(excess.mean()),
        excess_p95_mm=float(np.percentile(excess, 95)),
    )
