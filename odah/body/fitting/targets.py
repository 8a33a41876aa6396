"""What a body is fitted to: a skeleton's joint centres, markers and segment orientations, in world."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from odah.body.registration import Registration
from odah.body.so3 import rotmat_to_rotvec, rotvec_to_rotmat
from odah.errors import InputError
from odah.motion.types import R_WORLD_GROUND
from odah.names import SEGMENTS, SIDES, SMPLX_INDEX
from odah.osim.fk import ForwardKinematics
from odah.osim.full_body import full_body_model
from odah.osim.kinematics import Kinematics
from odah.osim.model import Model
from odah.osim.scale import recovered_scale_factors

GENERIC_STATURE = 1.70
"""Height of a person with the unscaled full-body model's skeleton, m."""

_HEAD_SHARE = 0.6
"""Part of the trunk's lean that neck and head make up for."""

_HEAD = [SMPLX_INDEX[name] for name in ("neck", "head")]
_FACE = [SMPLX_INDEX[name] for name in ("jaw", "left_eye", "right_eye")]
_FINGERS = list(range(SMPLX_INDEX["left_index1"], len(SMPLX_INDEX)))


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
        scale_factors = recovered_scale_factors(model, full_body_model())
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


def loose_rotvecs(
    segments: Tensor, hand_mean: np.ndarray, guide: np.ndarray | None = None, head: Tensor | None = None
) -> Tensor:
    """(T, 55, 3) rotation vectors of the joints that no joint centre or marker tells; else zero.

    The toes bend as those of the skeleton; neck, head, face and fingers are beyond it.
    From `guide` (T, 55, 3) where there is one; otherwise `head_posture` and relaxed hands, hand_mean (30, 3).
    head: (T, 3) rotation vectors of the head in the chest's frame if known, half of them the neck's.
    """
    rotvecs = torch.zeros(len(segments), len(SMPLX_INDEX), 3, dtype=segments.dtype)
    rotvecs[:, _FINGERS] = torch.as_tensor(hand_mean, dtype=segments.dtype)
    rotvecs[:, _HEAD] = head_posture(segments)[:, None]
    turned = dict(zip(SEGMENTS, segments.unbind(1), strict=True))
    for side in SIDES:
        toes = turned[f"{side}_ankle"].mT @ turned[f"{side}_foot"]
        rotvecs[:, SMPLX_INDEX[f"{side}_foot"]] = rotmat_to_rotvec(toes)
    if guide is not None:
        # Fingers that stay exactly straight were not recorded.
        known = [*_HEAD, *_FACE, *(_FINGERS if guide[:, _FINGERS].any() else ())]
        rotvecs[:, known] = torch.as_tensor(guide[:, known], dtype=segments.dtype)
    if head is not None:
        rotvecs[:, _HEAD] = 0.5 * head.to(segments)[:, None]
    return rotvecs


def loose_but_sideways(loose: Tensor, head: Tensor) -> Tensor:
    """`loose` (T, 55, 3) with neck and head turned and bent to the sides as `head` (T, 3), but up as before.

    Of markers on a band that tilts nobody knows how much.
    """
    rotvecs = loose.clone()
    rotvecs[:, _HEAD, 1:] = 0.5 * head.to(loose)[:, None, 1:]
    return rotvecs


def with_head(local_rotmats: Tensor, head: Tensor) -> Tensor:
    """Parent-relative rotations (T, 55, 3, 3), neck and head turned as `head` (T, 3) in `loose_rotvecs`."""
    turned = local_rotmats.clone()
    turned[:, _HEAD] = rotvec_to_rotmat(0.5 * head.to(local_rotmats))[:, None]
    return turned


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
    for side in SIDES:
        for chain in (("pelvis", "hip", "knee", "ankle", "foot"), ("spine3", "shoulder", "elbow", "wrist")):
            for near, far in pairwise(chain):
                parent = turned[near] if near in turned else turned[f"{side}_{near}"]
                local[:, SMPLX_INDEX[f"{side}_{far}"]] = parent.mT @ turned[f"{side}_{far}"]
    return local
