"""Linear blend skinning as in SMPL (Loper et al. 2015, equations 2-4), batched and differentiable.

Rotation matrices act on columns. A global rotation is the product of the local ones from the root
down to the joint. Every function takes any leading batch dimensions, which broadcast.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor


@lru_cache(maxsize=8)
def _levels(parents: tuple[int, ...]) -> tuple[tuple[tuple[int, ...], ...], tuple[int, ...]]:
    """The joints grouped by depth below the root, and the permutation back to joint order."""
    depth: list[int] = []
    for parent in parents:
        depth.append(0 if parent < 0 else depth[parent] + 1)
    levels = tuple(tuple(j for j, d in enumerate(depth) if d == k) for k in range(max(depth) + 1))
    order = [j for level in levels for j in level]
    return levels, tuple(order.index(j) for j in range(len(parents)))


def compose_rotations(local: Float[Tensor, "*B J 3 3"], parents: Sequence[int]) -> Float[Tensor, "*B J 3 3"]:
    """Global rotations of a tree's joints from their parent-relative ones."""
    levels, back = _levels(tuple(parents))
    done = [local[..., list(levels[0]), :, :]]
    for above, level in pairwise(levels):
        slots = [above.index(parents[j]) for j in level]
        done.append(done[-1][..., slots, :, :] @ local[..., list(level), :, :])
    return torch.cat(done, -3)[..., list(back), :, :]


def place_joints(
    joints: Float[Tensor, "*#B J 3"], rotmats: Float[Tensor, "*#B J 3 3"], parents: Sequence[int]
) -> Float[Tensor, "*B J 3"]:
    """Posed joint positions: rest `joints` turned by global `rotmats`; the root stays where it is."""
    levels, back = _levels(tuple(parents))
    above_joint = [max(parent, 0) for parent in parents]
    bones = joints - joints[..., above_joint, :]
    turned = (rotmats[..., above_joint, :, :] @ bones[..., None])[..., 0]
    root = list(levels[0])
    done = [(joints[..., root, :] + torch.zeros_like(turned[..., root, :]))]
    for above, level in pairwise(levels):
        slots = [above.index(parents[j]) for j in level]
        done.append(done[-1][..., slots, :] + turned[..., list(level), :])
    return torch.cat(done, -2)[..., list(back), :]


def skin(
    vertices: Float[Tensor, "*#B N 3"],
    weights: Float[Tensor, "N J"],
    joints: Float[Tensor, "*#B J 3"],
    rotmats: Float[Tensor, "*#B J 3 3"],
    posed_joints: Float[Tensor, "*#B J 3"],
) -> Float[Tensor, "*B N 3"]:
    """Each vertex moved by the weighted mean of the joints' rigid motions x -> R (x - joint) + posed."""
    offsets = posed_joints - (rotmats @ joints[..., None])[..., 0]
    rigid = torch.cat([rotmats.flatten(-2).expand(*offsets.shape[:-1], 9), offsets], -1)
    blended = weights @ rigid
    linear = blended[..., :9].unflatten(-1, (3, 3))
    return (linear @ vertices[..., None])[..., 0] + blended[..., 9:]


def pose_features(local: Float[Tensor, "*B J 3 3"]) -> Float[Tensor, "*B D"]:
    """What pose correctives are linear in: the non-root local rotations minus identity, row by row."""
    identity = torch.eye(3, dtype=local.dtype, device=local.device)
    return (local[..., 1:, :, :] - identity).flatten(-3)
