"""Pose correctives: what to add to the T-pose so that plain skinning gives the fine rig's surface.

Per vertex a ridge regression on the rotations of the joints nearby (SMPL's posedirs, Loper et al.
2015, made sparse as in STAR, Osman et al. 2020).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from odah.body.build.fine_rig import FineRig
from odah.body.build.poses import random_poses
from odah.body.files import NUM_JOINTS, NUM_POSE_FEATURES
from odah.body.lbs import compose_rotations, place_joints, pose_features
from odah.names import SMPLX_PARENTS

_RIDGE = 2e-3
_NEARBY_WEIGHT = 1e-3
_LARGEST_OFFSET = 0.08
"""m; beyond it the unposing is ill-conditioned and the sample would mislead."""

_SMALLEST_EFFECT = 3e-5
"""m; a joint's block at a vertex that moves it by less (root mean square) is dropped."""


@dataclass(frozen=True)
class CorrectiveSamples:
    """features: (P, 486). offsets: (P, N, 3) float32, wanted additions to the T-pose, m."""

    features: np.ndarray
    offsets: np.ndarray


def sample_correctives(
    rigs: list[FineRig], rng: np.random.Generator, num_poses: int, chunk: int = 16
) -> CorrectiveSamples:
    """Offsets wanted at random poses, `num_poses` shared out among the shapes of `rigs`."""
    parts = []
    for rig in rigs:
        template = rig.t_vertices()
        for start in range(0, num_poses // len(rigs), chunk):
            poses = random_poses(rng, min(chunk, num_poses // len(rigs) - start))
            parts.append((local_features(poses), unpose(rig, rig.pose(poses), poses) - template))
    offsets = np.concatenate([p[1] for p in parts]).astype(np.float32)
    return CorrectiveSamples(
        np.concatenate([p[0] for p in parts]), np.clip(offsets, -_LARGEST_OFFSET, _LARGEST_OFFSET)
    )


def local_features(poses: np.ndarray) -> np.ndarray:
    """Pose features (P, 486) of local rotation vectors (P, 55, 3)."""
    local = Rotation.from_rotvec(poses.reshape(-1, 3)).as_matrix().reshape(-1, NUM_JOINTS, 3, 3)
    return pose_features(torch.as_tensor(local)).numpy()


def _rigid_motions(rig: FineRig, poses: np.ndarray) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    local = Rotation.from_rotvec(poses.reshape(-1, 3)).as_matrix().reshape(-1, NUM_JOINTS, 3, 3)
    rotmats = compose_rotations(torch.as_tensor(local), SMPLX_PARENTS)
    joints = torch.as_tensor(rig.t_joints)
    return joints, rotmats, place_joints(joints, rotmats, SMPLX_PARENTS)


def unpose(rig: FineRig, vertices: np.ndarray, poses: np.ndarray) -> np.ndarray:
    """T-pose points (P, N, 3) that 55-joint skinning takes to `vertices`."""
    joints, rotmats, posed = _rigid_motions(rig, poses)
    weights = torch.as_tensor(rig.source.joint_weights)
    offsets = posed - (rotmats @ joints[..., None])[..., 0]
    linear = (weights @ rotmats.flatten(-2)).unflatten(-1, (3, 3))
    return torch.linalg.solve(linear, torch.as_tensor(vertices) - weights @ offsets).numpy()


def fit_posedirs(samples: CorrectiveSamples, joint_weights: np.ndarray) -> np.ndarray:
    """Pose correctives (N, 3, 486): vertices with the same joints nearby are solved together."""
    nearby = joint_weights > _NEARBY_WEIGHT
    parents = np.maximum(SMPLX_PARENTS, 0)
    # A joint bends the surface of its parent's side too.
    nearby = (nearby | nearby[:, parents])[:, 1:]
    features = samples.features
    gram = features.T @ features
    posedirs = np.zeros((len(joint_weights), 3, NUM_POSE_FEATURES), np.float32)
    joint_sets, members = np.unique(nearby, axis=0, return_inverse=True)
    for number, joint_set in enumerate(joint_sets):
        columns = np.flatnonzero(np.repeat(joint_set, 9))
        vertices = np.flatnonzero(members.ravel() == number)
        if len(columns) == 0:
            continue
        wanted = features[:, columns].T @ samples.offsets[:, vertices].reshape(len(features), -1)
        ridge = np.eye(len(columns)) * len(features) * _RIDGE
        solved = np.linalg.solve(gram[np.ix_(columns, columns)] + ridge, wanted)
        solved = solved.reshape(len(columns), len(vertices), 3).transpose(1, 2, 0)
        posedirs[np.ix_(vertices, np.arange(3), columns)] = solved
    return _without_small_blocks(posedirs, gram / len(features))


def _without_small_blocks(posedirs: np.ndarray, second_moment: np.ndarray) -> np.ndarray:
    """Zero each joint's 3x9 block at a vertex where it hardly moves that vertex over the samples."""
    blocks = posedirs.reshape(len(posedirs), 3, NUM_JOINTS - 1, 9)
    for joint in range(NUM_JOINTS - 1):
        part = slice(9 * joint, 9 * joint + 9)
        block = blocks[:, :, joint]
        effect = np.sqrt(np.einsum("nck,kl,ncl->n", block, second_moment[part, part], block, optimize=True))
        block[effect < _SMALLEST_EFFECT] = 0
    return posedirs
