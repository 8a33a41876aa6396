"""From points to frame features in whatever order they come: every point votes for every keypoint."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from odah.estimator.config import LocatedEncoderConfig
from odah.estimator.network.flatten_encoder import FrameFeatures
from odah.estimator.network.outputs import PELVIS_PLACE
from odah.estimator.skeleton import ANGLES, KEYPOINTS, PELVIS, Skeleton
from odah.names import OPENSIM_BODIES

_POOLED = 16
"""Features pooled about each keypoint."""
_HIP_R, _HIP_L, _BACK = (KEYPOINTS.index(name) for name in ("hip_r", "hip_l", "back"))
_EPS = 1e-6


class LocatedEncoder(nn.Module):
    """Where the keypoints are, as the points inside both silhouettes vote, and the angles from there.

    Each point says how near it is to each keypoint and how the keypoint lies from it; a keypoint is the mean
    of what the points say, weighted by a softmax over them (the integral regression of Sun et al. 2018, over
    scattered points). Keypoints enter the last layers as seen from the pelvis, too, so that what is learned
    of knees and elbows holds whichever way the person faces; the pelvis' own angles start from its three
    keypoints.

    Args:
        point_width: features of a point. features_out: D. tells_pelvis: whether three of them are its place.
    """

    upright: Tensor  # (3, 3) from the axes of `pelvis_rotmats` to the pelvis' own, at rest

    def __init__(
        self, config: LocatedEncoderConfig, point_width: int, features_out: int, tells_pelvis: bool
    ) -> None:
        super().__init__()
        self.tells_pelvis = tells_pelvis
        width, count = config.width, len(KEYPOINTS)
        self.points = nn.Sequential(
            nn.Linear(point_width + 5, 2 * width), nn.ReLU(), nn.Linear(2 * width, width), nn.ReLU()
        )
        self.nearness = nn.Linear(width, count)
        self.votes = nn.Linear(width, 3 * count)
        self.pooled = nn.Linear(width, _POOLED)
        nn.init.normal_(self.votes.weight, std=0.01)
        nn.init.zeros_(self.votes.bias)
        widths = (6 * count + 9 + _POOLED * count + width, *config.frame_widths)
        hidden = [layer for i, o in pairwise(widths) for layer in (nn.Linear(i, o), nn.ReLU())]
        self.frame = nn.Sequential(*hidden, nn.Linear(widths[-1], features_out))
        nn.init.normal_(self.frame[-1].weight, std=0.01)
        nn.init.zeros_(self.frame[-1].bias)
        upright = Skeleton()(torch.zeros(len(ANGLES)), torch.ones(len(OPENSIM_BODIES), 3))
        self.register_buffer("upright", pelvis_rotmats(upright).T.contiguous(), persistent=False)

    def forward(
        self,
        point_features: Float[Tensor, "B T N L"],
        points: Float[Tensor, "B T N 3"],
        is_view: Bool[Tensor, "B V"],
    ) -> FrameFeatures:
        flags = is_view.to(points.dtype)[:, None, None].expand(*points.shape[:3], -1)
        hidden = self.points(torch.cat([point_features, points, flags], dim=-1))
        weights = self.nearness(hidden).softmax(dim=-2).swapaxes(-1, -2)  # (B, T, P, N)
        votes = self.votes(hidden).unflatten(-1, (len(KEYPOINTS), 3))
        located = weights @ points + torch.einsum("btpn,btnpx->btpx", weights, votes)
        local = weights @ self.pooled(hidden)  # (B, T, P, pooled)
        from_pelvis = located - located[..., PELVIS, None, :]
        # Without gradient: where the hips meet, at the start, it would be huge.
        rotmats = pelvis_rotmats(located.detach()) @ self.upright
        inputs = (
            from_pelvis.flatten(-2),
            (from_pelvis @ rotmats).flatten(-2),  # rows are points: this is rotmats^T applied to each
            rotmats.flatten(-2),
            local.flatten(-2),
            hidden.mean(dim=-2),
        )
        vectors = self.frame(torch.cat(inputs, dim=-1))
        return FrameFeatures(vectors + self._start(located, rotmats), located)

    def _start(self, located: Tensor, rotmats: Tensor) -> Tensor:
        """What the keypoints say by themselves of the pelvis, in a vector's layout; zero elsewhere."""
        start = located.new_zeros(*located.shape[:2], self.frame[-1].out_features)
        start[..., :3] = pelvis_angles(rotmats)
        if self.tells_pelvis:
            start[..., PELVIS_PLACE] = located[..., PELVIS, :]
        return start


def pelvis_rotmats(keypoints: Float[Tensor, "*B P 3"]) -> Float[Tensor, "*B 3 3"]:
    """Axes that hips and lumbar joint tell, as columns: z to the right, x ahead, y up."""
    hip_r, hip_l, back = (keypoints[..., place, :] for place in (_HIP_R, _HIP_L, _BACK))
    z = F.normalize(hip_r - hip_l, dim=-1, eps=_EPS)
    x = F.normalize(torch.linalg.cross(back - (hip_r + hip_l) / 2, z), dim=-1, eps=_EPS)
    return torch.stack([x, torch.linalg.cross(z, x), z], dim=-1)


def pelvis_angles(rotmats: Float[Tensor, "B T 3 3"]) -> Float[Tensor, "B T 3"]:
    """Tilt, list and rotation, rad, of R = Rz(tilt) Rx(list) Ry(rotation); no jumps of a full turn in time."""
    tilt = torch.atan2(-rotmats[..., 0, 1], rotmats[..., 1, 1])
    lean = torch.asin(rotmats[..., 2, 1].clamp(-1, 1))
    rotation = torch.atan2(-rotmats[..., 2, 0], rotmats[..., 2, 2])
    return torch.stack([_unwrapped(tilt), lean, _unwrapped(rotation)], dim=-1)


def _unwrapped(angles: Float[Tensor, "B T"]) -> Float[Tensor, "B T"]:
    steps = angles.diff(dim=-1)
    turns = torch.round(steps / math.tau).cumsum(dim=-1) * math.tau
    return torch.cat([angles[:, :1], angles[:, 1:] - turns], dim=-1)
