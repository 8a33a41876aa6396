"""How little joints and pelvis accelerate: the smoothness of a whole clip (cf. MoSh++, stage II).

MoSh++ asks each frame to continue its predecessors with constant velocity. So does this, as one residual
a frame that looks both ways: the second difference of each joint's rotation in its parent's frame,

    a_t = (log(R_t+1 R_t^T) - log(R_t R_t-1^T)) / dt^2,

and of the pelvis' position, over a spread in rad/s^2 and m/s^2. Being an acceleration, it weighs the
same motion the same at any frame rate.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from odah.body.fitting.skinned_points import NUM_SOLVED_JOINTS
from odah.body.so3 import left_jacobian_inverse, rotmat_to_rotvec


@dataclass(frozen=True)
class Smoothness:
    """turn_sigmas (22,): of the joints' angular accelerations, rad/s^2; shift_sigma: of the pelvis', m/s^2.

    Infinite to leave a joint, or the pelvis, alone.
    """

    turn_sigmas: Float[Tensor, " 22"]
    shift_sigma: float

    @classmethod
    def uniform(cls, turn_sigma: float = 300.0, shift_sigma: float = 30.0) -> Smoothness:
        """The same spread for every joint.

        The default tells apart what is slower from what is faster than about 15 Hz where a joint is known
        to 0.03 rad; people move below 10 Hz (Winter 2009, section 3.4.3).
        """
        return cls(torch.full((NUM_SOLVED_JOINTS,), turn_sigma, dtype=torch.float64), shift_sigma)

    @classmethod
    def off(cls) -> Smoothness:
        return cls.uniform(float("inf"), float("inf"))

    @property
    def is_on(self) -> bool:
        return bool(torch.isfinite(self.turn_sigmas).any()) or self.shift_sigma < float("inf")

    def weights(self, rate: float, like: Tensor) -> Float[Tensor, "23 1"]:
        """Of the squared second differences: of the pelvis' position, then of each joint's rotation."""
        sigmas = torch.cat([self.turn_sigmas.new_tensor([self.shift_sigma]), self.turn_sigmas])
        return (rate**2 / sigmas)[:, None].square().to(like)


def velocities(
    local_rotmats: Float[Tensor, "T 22 3 3"], transl: Float[Tensor, "T 3"]
) -> Float[Tensor, "t 23 3"]:
    """From each frame to the next: of the pelvis' position, then of each joint's rotation; a frame."""
    turns = rotmat_to_rotvec(local_rotmats[1:] @ local_rotmats[:-1].mT)
    return torch.cat([transl.diff(dim=0)[:, None], turns], 1)


def frame_costs(velocity: Float[Tensor, "t 23 3"], weights: Float[Tensor, "23 1"]) -> Float[Tensor, " T"]:
    """Half the weighted squared accelerations at each frame; zero at the two ends."""
    costs = velocity.new_zeros(len(velocity) + 1)
    costs[1:-1] = 0.5 * (velocity.diff(dim=0).square() * weights).sum((1, 2))
    return costs


def gradient(velocity: Float[Tensor, "t 23 3"], weights: Float[Tensor, "23 1"]) -> Float[Tensor, "T 23 3"]:
    """Of the sum of `frame_costs`, by each frame's shift and turns of its joints, in the parent's frame."""
    pull = weights * velocity.diff(dim=0)
    by_velocity = torch.zeros_like(velocity)
    by_velocity[1:] += pull
    by_velocity[:-1] -= pull
    later, earlier = by_velocity.clone(), by_velocity.clone()
    jacobian = left_jacobian_inverse(velocity[:, 1:])
    later[:, 1:] = (jacobian.mT @ by_velocity[:, 1:, :, None])[..., 0]
    earlier[:, 1:] = (jacobian @ by_velocity[:, 1:, :, None])[..., 0]
    result = velocity.new_zeros(len(velocity) + 1, *velocity.shape[1:])
    result[1:] += later
    result[:-1] -= earlier
    return result


def curvature_diagonal(num_frames: int, like: Tensor) -> Float[Tensor, " T"]:
    """The diagonal of D^T D, where D takes second differences in time."""
    diagonal = torch.zeros(num_frames, dtype=like.dtype)
    for offset, square in enumerate((1.0, 4.0, 1.0)):
        diagonal[offset : num_frames - 2 + offset] += square
    return diagonal


def curvature(moves: Tensor) -> Tensor:
    """D^T D moves, (T, ...): the Gauss-Newton curvature of the smoothness, before its weights.

    Turns between two frames are small, so those of neighbours are subtracted as vectors here; the
    gradient is exact, and with it where the fit ends.
    """
    bend = moves[2:] - 2 * moves[1:-1] + moves[:-2]
    result = torch.zeros_like(moves)
    result[2:] += bend
    result[1:-1] -= 2 * bend
    result[:-2] += bend
    return result
