"""From points to frame features in whatever order they come: every point votes for every keypoint."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from odah.estimator.batch import NUM_VIEWS, FrameFeatures, Votes
from odah.estimator.config import LocatedEncoderConfig
from odah.estimator.inputs.reference import pelvis_angles
from odah.estimator.network.outputs import PELVIS_PLACE
from odah.estimator.precision import at_least_float32, exact_products
from odah.estimator.skeleton import ANGLES, KEYPOINTS, PELVIS, Skeleton
from odah.names import OPENSIM_BODIES

_POOLED = 16
"""Features pooled about each keypoint."""
_HIP_R, _HIP_L, _BACK = (KEYPOINTS.index(name) for name in ("hip_r", "hip_l", "back"))
_EPS = 1e-6
_OCTAVES = 4
"""Of the waves that places are told by."""


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

    upright: Tensor  # (3, 3) from the axes of `pelvis_axes` to the pelvis' own, at rest

    def __init__(
        self, config: LocatedEncoderConfig, point_width: int, features_out: int, tells_pelvis: bool
    ) -> None:
        super().__init__()
        self.features_out, self.tells_pelvis = features_out, tells_pelvis
        width, count = config.width, len(KEYPOINTS)
        self.points = nn.Sequential(
            *_block(point_width + 3 + 6 * _OCTAVES + NUM_VIEWS, 2 * width), *_block(2 * width, width)
        )
        self.nearness = nn.Linear(width, count)
        self.votes = nn.Linear(width, 3 * count)
        self.pooled = nn.Linear(width, _POOLED)
        nn.init.normal_(self.votes.weight, std=0.01)
        nn.init.zeros_(self.votes.bias)
        widths = (6 * count + 9 + _POOLED * count + width, *config.frame_widths)
        blocks = [layer for i, o in pairwise(widths) for layer in _block(i, o)]
        last = nn.Linear(widths[-1], features_out)
        nn.init.normal_(last.weight, std=0.01)
        nn.init.zeros_(last.bias)
        self.frame = nn.Sequential(*blocks, last)
        with torch.device("cpu"):  # where sizes alone are asked for, too
            upright = Skeleton()(torch.zeros(len(ANGLES)), torch.ones(len(OPENSIM_BODIES), 3))
        self.register_buffer("upright", pelvis_axes(upright).T.contiguous(), persistent=False)

    def forward(
        self,
        point_features: Float[Tensor, "B T N L"],
        points: Float[Tensor, "B T N 3"],
        is_view: Bool[Tensor, "B V"],
    ) -> FrameFeatures:
        flags = is_view.to(points.dtype)[:, None, None].expand(*points.shape[:3], -1)
        hidden = self.points(torch.cat([point_features, *_places(points), flags], dim=-1))
        nearness = at_least_float32(self.nearness(hidden)).swapaxes(-1, -2)  # (B, T, P, N)
        log_weights = nearness.log_softmax(dim=-1)
        weights = log_weights.exp()
        votes = at_least_float32(self.votes(hidden)).unflatten(-1, (len(KEYPOINTS), 3))
        with torch.autocast(points.device.type, enabled=False), exact_products():
            located = weights @ points + torch.einsum("btpn,btnpx->btpx", weights, votes)
        # Without gradient: keypoints have losses of their own, and those of angles would pull them about.
        seen = located.detach()
        from_pelvis = seen - seen[..., PELVIS, None, :]
        pooled = at_least_float32(self.pooled(hidden))
        with torch.autocast(points.device.type, enabled=False), exact_products():
            local = weights.detach() @ pooled  # (B, T, P, pooled)
            rotmats = pelvis_axes(seen) @ self.upright
            from_within = from_pelvis @ rotmats  # rows are points: this is rotmats^T applied to each
        inputs = (
            from_pelvis.flatten(-2),
            from_within.flatten(-2),
            rotmats.flatten(-2),
            local.flatten(-2),
            at_least_float32(hidden).mean(dim=-2),
        )
        with torch.autocast(points.device.type, enabled=False):  # half precision tells half a degree
            vectors = self.frame(torch.cat(inputs, dim=-1))
        return FrameFeatures(vectors + self._start(seen, rotmats), located, Votes(points, log_weights))

    def _start(self, located: Tensor, rotmats: Tensor) -> Tensor:
        """What the keypoints say by themselves of the pelvis, in a vector's layout; zero elsewhere."""
        start = located.new_zeros(*located.shape[:2], self.features_out)
        start[..., :3] = _unwrapped(pelvis_angles(rotmats))
        if self.tells_pelvis:
            start[..., PELVIS_PLACE] = located[..., PELVIS, :]
        return start


def _block(width_in: int, width: int) -> tuple[nn.Module, ...]:
    # Normalised, for what tells points apart is a small part of what they have in common.
    return nn.Linear(width_in, width), nn.LayerNorm(width), nn.ReLU()


def _places(points: Float[Tensor, "B T N 3"]) -> tuple[Tensor, ...]:
    """Places as they are and as waves of 2 m, 1 m and so on, which tell small differences."""
    octaves = math.pi * 2.0 ** torch.arange(_OCTAVES, dtype=points.dtype, device=points.device)
    phases = (points[..., None] * octaves).flatten(-2)
    return points, phases.sin(), phases.cos()


def pelvis_axes(keypoints: Float[Tensor, "*B P 3"]) -> Float[Tensor, "*B 3 3"]:
    """Axes that hips and lumbar joint tell, as columns: z to the right, x ahead, y up."""
    hip_r, hip_l, back = (keypoints[..., place, :] for place in (_HIP_R, _HIP_L, _BACK))
    z = F.normalize(hip_r - hip_l, dim=-1, eps=_EPS)
    x = F.normalize(torch.linalg.cross(back - (hip_r + hip_l) / 2, z), dim=-1, eps=_EPS)
    return torch.stack([x, torch.linalg.cross(z, x), z], dim=-1)


def _unwrapped(angles: Float[Tensor, "B T 3"]) -> Float[Tensor, "B T 3"]:
    """Without jumps of full turns in time."""
    turns = torch.round(angles.diff(dim=1) / math.tau).cumsum(dim=1) * math.tau
    return torch.cat([angles[:, :1], angles[:, 1:] - turns], dim=1)
