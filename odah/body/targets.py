"""What a body is fitted to: a skeleton's joint centres, markers and segment orientations, in world."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from odah.body.lbs import rotvec_to_rotmat
from odah.body.registration import SEGMENTS, Registration
from odah.body.so3 import rotmat_to_rotvec
from odah.errors import InputError
from odah.motion.types import R_WORLD_GROUND
from odah.names import SMPLX_INDEX
from odah.osim.fk import ForwardKinematics
from odah.osim.full_body import full_body_model
from odah.osim.kinematics import Kinematics
from odah.osim.model import Model

GENERIC_STATURE = 1.70
"""Height of a person with the unscaled full-body model's skeleton, m."""

_HEAD_SHARE = 0.6
"""Part of the trunk's lean that neck and head make up for."""

_HEAD = [SMPLX_INDEX["neck"], SMPLX_INDEX["head"]]

_NO_EXTENT = 5e-4
"""m; a body whose points span less along an axis does not tell that axis's factor."""


@dataclass(frozen=True)
class SkeletonTargets:
    """points (T, J + M, 3): joint centres, then markers, world, m; segments (T, S, 3, 3): global
    rotations that the SMPL-X joints of `SEGMENTS` should have."""

    points: Tensor
    segments: Tensor

    def __len__(self) -> int:
        return len(self.points)

    def frames(self, index: np.ndarray) -> SkeletonTargets:
        return SkeletonTargets(self.points[index], self.segments[index])


def infer_scale_factors(model: Model, generic: Model) -> np.ndarray:
    """(K, 3) factors that make `generic`'s bodies those of `model`, from joint frames and centres of mass.

    Exact where the model was scaled from `generic`; an axis without extent takes the mean of the
    body's other axes, and none is more than 1.5 times off that mean.
    """
    factors = np.ones((len(model.bodies), 3))
    for k, name in enumerate(model.body_names):
        points, known = _points_of(model, name), _points_of(generic, name)
        shared = [key for key in known if key in points]
        ours, theirs = (np.array([p[key] for key in shared]) for p in (points, known))
        extent = (theirs**2).sum(0)
        has_extent = extent > _NO_EXTENT**2
        if not has_extent.any():
            continue
        ratio = (ours * theirs).sum(0)[has_extent] / extent[has_extent]
        mean = float(np.average(ratio, weights=extent[has_extent]))
        factors[k] = mean
        factors[k, has_extent] = np.clip(ratio, mean / 1.5, mean * 1.5)
    return factors


def _points_of(model: Model, body: str) -> dict[str, np.ndarray]:
    points = {"com": next(b.com for b in model.bodies if b.name == body)}
    points |= {joint.name: joint.T_parent[:3, 3] for joint in model.joints if joint.parent == body}
    return points | {joint.name: joint.T_child[:3, 3] for joint in model.joints if joint.child == body}


def stature_of(model: Model) -> float:
    """Height (m) of a person with this skeleton: the generic one's, scaled as ankle to shoulder is."""
    heights = []
    for skeleton in (model, full_body_model()):
        rest = torch.zeros(len(skeleton.coordinates), dtype=torch.float64)
        joints = ForwardKinematics(skeleton)(rest).joints
        ankle, shoulder = (skeleton.joint_names.index(name) for name in ("ankle_r", "acromial_r"))
        heights.append(float(joints[shoulder, 1] - joints[ankle, 1]))
    return GENERIC_STATURE * heights[0] / heights[1]


def skeleton_targets(registration: Registration, kinematics: Kinematics) -> SkeletonTargets:
    """Targets of a scaled model in motion.

    Raises:
        InputError: the model has other joints or bodies than the full-body one, or an array another shape.
    """
    model, coordinates, scale_factors = kinematics.model, kinematics.coordinates, kinematics.scale_factors
    registration.check_model(model)
    if coordinates.ndim != 2 or coordinates.shape[1] != len(model.coordinates):
        raise InputError("coordinates", f"shape {coordinates.shape}", f"(frames, {len(model.coordinates)})")
    if len(coordinates) == 0 or not np.isfinite(coordinates).all():
        raise InputError("coordinates", "no frames, or numbers that are not finite", "finite numbers")
    if scale_factors.shape != (len(model.bodies), 3):
        raise InputError("scale_factors", f"shape {scale_factors.shape}", f"({len(model.bodies)}, 3)")
    if (scale_factors == 1).all():
        # A model read from a file does not say what it was scaled by.
        scale_factors = infer_scale_factors(model, full_body_model())
    with torch.no_grad():
        pose = ForwardKinematics(model)(torch.as_tensor(coordinates, dtype=torch.float64))
    bodies = [model.body_names.index(marker.body) for marker in registration.markers]
    offsets = np.array([marker.offset for marker in registration.markers]) * scale_factors[bodies]
    turned = (pose.body_rotmats[:, bodies] @ torch.from_numpy(offsets)[..., None])[..., 0]
    joints = [model.joint_names.index(name) for name in registration.regressor.joint_names]
    points = torch.cat([pose.joints[:, joints], pose.body_positions[:, bodies] + turned], 1)
    world = torch.from_numpy(R_WORLD_GROUND)
    segments = [model.body_names.index(name) for name in SEGMENTS.values()]
    rotmats = world @ pose.body_rotmats[:, segments] @ torch.from_numpy(registration.alignments)
    return SkeletonTargets(points @ world.T, rotmats)


def head_posture(segments: Tensor) -> Tensor:
    """Rotation vectors (T, 3) of neck and of head, each, that keep the face up while the trunk leans.

    The model ends at the chest. People stabilize their head in space (Pozzo et al. 1990): it makes up
    for part of the trunk's lean, more of it when leaning forward, within the neck's range.
    """
    chest = segments[:, list(SEGMENTS).index("spine3")]
    up = chest[..., 1]
    lean = torch.linalg.cross(torch.tensor([0.0, 0.0, 1.0]).to(up).expand_as(up), up)
    sine = lean.norm(dim=-1, keepdim=True).clamp_min(1e-9)
    angle = torch.atan2(sine, up[:, 2:])
    local = (chest.mT @ (lean / sine * angle)[..., None])[..., 0]
    limits = torch.tensor([[-0.2, -0.2, -0.2], [0.8, 0.2, 0.2]]).to(local)
    return -0.5 * (_HEAD_SHARE * local).clamp(limits[0], limits[1])


def loose_rotvecs(segments: Tensor, hand_mean: np.ndarray, guide: np.ndarray | None = None) -> Tensor:
    """(T, 55, 3) rotation vectors of the joints beyond the skeleton: neck, head, face, fingers; else zero.

    From `guide` (T, 55, 3) where there is one; otherwise `head_posture` and relaxed hands, hand_mean (30, 3).
    """
    rotvecs = torch.zeros(len(segments), len(SMPLX_INDEX), 3, dtype=segments.dtype)
    rotvecs[:, -len(hand_mean) :] = torch.as_tensor(hand_mean)
    rotvecs[:, _HEAD] = head_posture(segments)[:, None]
    if guide is not None:
        beyond = [*_HEAD, *range(SMPLX_INDEX["jaw"], len(SMPLX_INDEX))]
        rotvecs[:, beyond] = torch.as_tensor(guide[:, beyond], dtype=segments.dtype)
    return rotvecs


def initial_local_rotmats(segments: Tensor, loose: Tensor) -> Tensor:
    """Parent-relative rotations (T, 55, 3, 3) of a body whose segments turn as `segments` (T, S, 3, 3).

    loose: (T, 55, 3) of the joints beyond them, see `loose_rotvecs`. The spine bends evenly from pelvis
    to chest; collars follow the chest.
    """
    turned = dict(zip(SEGMENTS, segments.unbind(1), strict=True))
    local = rotvec_to_rotmat(loose)
    bend = rotvec_to_rotmat(rotmat_to_rotvec(turned["pelvis"].mT @ turned["spine3"]) / 3)
    local[:, SMPLX_INDEX["pelvis"]] = turned["pelvis"]
    for name in ("spine1", "spine2", "spine3"):
        local[:, SMPLX_INDEX[name]] = bend
    for side in ("left", "right"):
        for chain in (("pelvis", "hip", "knee", "ankle", "foot"), ("spine3", "shoulder", "elbow", "wrist")):
            for near, far in pairwise(chain):
                parent = turned[near] if near in turned else turned[f"{side}_{near}"]
                local[:, SMPLX_INDEX[f"{side}_{far}"]] = parent.mT @ turned[f"{side}_{far}"]
    return local
