"""Rotation matrices about the fixed axes of joints."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from odah.osim.model import STILL, Joint, TransformAxis


class AxisTurns(nn.Module):
    """Rotation matrices about the k-th moving axes of those joints that have one.

    About axis n by angle a: I + sin(a) [n]x + (1 - cos(a)) [n]x^2 (Rodrigues). The joint frame's rotation
    in the parent is folded into a joint's first axis, the inverse of that in the child into its last.
    """

    joints: Tensor  # (n,) joint number
    axes: Tensor  # (n, 3) in the frame that the axes before turn; the first ones in the parent body
    constant: Tensor  # (n, 3, 3)
    sine: Tensor  # (n, 3, 3)
    versine: Tensor  # (n, 3, 3)

    def __init__(self, joints: tuple[Joint, ...], k: int, dtype: torch.dtype) -> None:
        super().__init__()
        axes = [moving_axes(joint) for joint in joints]
        having = [j for j, moving in enumerate(axes) if len(moving) > k]
        terms, directions = [], []
        for j in having:
            cross = cross_matrix(axes[j][k].axis)
            left = joints[j].T_parent[:3, :3] if k == 0 else np.eye(3)
            directions.append(left @ axes[j][k].axis)
            right = joints[j].T_child[:3, :3].T if k == len(axes[j]) - 1 else np.eye(3)
            terms.append([left @ right, left @ cross @ right, left @ cross @ cross @ right])
        constant, sine, versine = torch.tensor(np.array(terms).reshape(-1, 3, 3, 3), dtype=dtype).unbind(1)
        self.register_buffer("joints", torch.tensor(having, dtype=torch.int64), persistent=False)
        directions = torch.tensor(np.array(directions).reshape(-1, 3), dtype=dtype)
        self.register_buffer("axes", directions, persistent=False)
        self.register_buffer("constant", constant, persistent=False)
        self.register_buffer("sine", sine, persistent=False)
        self.register_buffer("versine", versine, persistent=False)

    def forward(self, angles: Float[Tensor, "*B n"]) -> Float[Tensor, "*B n 3 3"]:
        angles = angles[..., None, None]
        turned = torch.addcmul(self.constant, torch.sin(angles), self.sine)
        return torch.addcmul(turned, 1 - torch.cos(angles), self.versine)


def moving_axes(joint: Joint) -> list[TransformAxis]:
    """The rotation axes that are not simply still; at least one."""
    return [axis for axis in joint.rotations if axis.function != STILL] or [joint.rotations[0]]


def cross_matrix(vector: np.ndarray) -> np.ndarray:
    """[v]x, so that [v]x w = v x w; (3,) to (3, 3)."""
    x, y, z = vector
    return np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
