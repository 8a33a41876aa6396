"""A body of one shape in the poses of a clip, and the two frames in which its joints are turned."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from odah.body.fitting.skinned_points import NUM_SOLVED_JOINTS
from odah.names import SMPLX_PARENTS

PARENTS = torch.tensor(SMPLX_PARENTS[1:NUM_SOLVED_JOINTS])
"""Of the joints that are solved for, the root left out."""


@dataclass(frozen=True)
class PoseState:
    """betas (B,); local_rotmats (T, 55, 3, 3), parent-relative; transl (T, 3) m."""

    betas: Float[Tensor, " B"]
    local_rotmats: Float[Tensor, "T 55 3 3"]
    transl: Float[Tensor, "T 3"]


def in_parents(turns: Float[Tensor, "T 22 3"], rotmats: Float[Tensor, "T 55 3 3"]) -> Float[Tensor, "T 22 3"]:
    """World-axis turns of joints, in their parents' frames; rotmats: of all joints, global."""
    turned = (rotmats.index_select(1, PARENTS).mT @ turns[:, 1:, :, None])[..., 0]
    return torch.cat([turns[:, :1], turned], 1)


def in_world(turns: Float[Tensor, "T 22 3"], rotmats: Float[Tensor, "T 55 3 3"]) -> Float[Tensor, "T 22 3"]:
    """The inverse of `in_parents`."""
    turned = (rotmats.index_select(1, PARENTS) @ turns[:, 1:, :, None])[..., 0]
    return torch.cat([turns[:, :1], turned], 1)
