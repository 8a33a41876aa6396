"""Points inside the person's outlines: candidates along the rays of mask pixels, a few of them drawn."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from odah.estimator.inputs.crops import mask_boxes
from odah.estimator.inputs.draws import uniform

STATURE = 1.7
"""m; what a person's box is taken to be long where one view alone must tell how far away they are."""
REACH = 1.5
"""m; candidates lie at most this far before and behind the person, and at most half the person's distance."""
LONE_REACH = 0.5
"""m; the same along the rays of a view that no other confirms."""
_TRUST = 0.01
"""Weight of the distance by stature against that by two rays: it decides where these are nearly parallel."""
_STAND_IN_REACH = 0.3
"""m; the same where no candidate is inside both outlines."""
_NEAREST = 0.3
"""m; nobody is nearer to a camera."""


@dataclass(frozen=True)
class _Cameras:
    """By frame and view. centres: m, world. unprojections: pixels to directions in world. projections: back.
    focal_lengths: px."""

    centres: Float[Tensor, "F 2 3"]
    unprojections: Float[Tensor, "F 2 3 3"]
    projections: Float[Tensor, "F 2 3 4"]
    focal_lengths: Float[Tensor, "F 2"]


@dataclass(frozen=True)
class _Rays:
    """Unit directions in world, and the offsets of the candidates on them from the person's distance, m."""

    directions: Float[Tensor, "F 2 N 3"]
    distances: Float[Tensor, "F 2"]
    offsets: Float[Tensor, " M"]


def draw_points(
    masks: Bool[Tensor, "B 2 T S S"],
    K: Float[Tensor, "B 2 T 3 3"],
    T_cam_world: Float[Tensor, "B 2 4 4"],
    count: int,
    step: float,
    generator: torch.Generator,
) -> Float[Tensor, "B T N 3"]:
    """Points that lie inside both masks, m in world, in random order; after section 3.1 of the ODAH paper.

    In each view `count` pixels of the mask are drawn without replacement, spread evenly over it (repeated if
    it has fewer); on their rays lies a candidate every `step` m about the person's distance. Those inside the
    other view's mask stay, and `count` of them are drawn likewise. The paper's code looks for them about the
    origin of the world; here the rays through the middles of the masks tell where the person is, and the
    candidates end `REACH` from there.

    Where a mask is empty the other decides alone; where no candidate is in both, those of either at the
    person's distance stand in; where both are empty, the whole first picture counts as the person.
    """
    num_frames = masks.shape[2]
    frames, is_seen = _outlines(masks.transpose(1, 2).flatten(0, 1))
    cameras = _cameras(K.transpose(1, 2).flatten(0, 1), T_cam_world.repeat_interleave(num_frames, dim=0))
    num_steps = int(REACH / step)
    offsets = step * torch.arange(-num_steps, num_steps + 1, device=masks.device)
    directions = _directions(frames, cameras, count, generator)
    rays = _Rays(directions, _distances(frames, cameras, is_seen), offsets)
    is_inside = _are_inside_the_other(frames, cameras, rays) | ~is_seen.flip(1)[..., None, None]
    points = _drawn(_candidates(is_inside, rays, is_seen), rays, cameras, count, generator)
    return points.unflatten(0, (len(masks), num_frames))


def project(
    points: Float[Tensor, "B T N 3"], K: Float[Tensor, "B V T 3 3"], T_cam_world: Float[Tensor, "B V 4 4"]
) -> Float[Tensor, "B V T N 2"]:
    """Pixels of points, m in world, in each view; finite but meaningless for points behind a camera."""
    matrices = K @ T_cam_world[:, :, None, :3]
    homogeneous = points[:, None] @ matrices[..., :3].mT + matrices[..., None, :, 3]
    return homogeneous[..., :2] / homogeneous[..., 2:].clamp_min(1e-3)


def _outlines(masks: Bool[Tensor, "F 2 S S"]) -> tuple[Bool[Tensor, "F 2 S S"], Bool[Tensor, "F 2"]]:
    """The masks, the first one full where both are empty, and whether there is anything in each."""
    is_seen = masks.view(torch.uint8).amax((-2, -1)) > 0
    is_full = torch.stack([~is_seen.any(1), torch.zeros_like(is_seen[:, 0])], dim=1)
    return masks | is_full[..., None, None], is_seen | is_full


def _cameras(K: Float[Tensor, "F 2 3 3"], T_cam_world: Float[Tensor, "F 2 4 4"]) -> _Cameras:
    turns, shifts = T_cam_world[..., :3, :3], T_cam_world[..., :3, 3:]
    determinants = K[..., 0, 0] * K[..., 1, 1] - K[..., 0, 1] * K[..., 1, 0]
    return _Cameras(
        centres=-(turns.mT @ shifts)[..., 0],
        unprojections=turns.mT @ torch.linalg.inv(K),
        projections=K @ T_cam_world[..., :3, :],
        focal_lengths=determinants.abs().sqrt(),
    )


def _unit_rays(pixels: Float[Tensor, "F 2 N 2"], cameras: _Cameras) -> Float[Tensor, "F 2 N 3"]:
    """Directions in world."""
    directions = pixels @ cameras.unprojections[..., :2].mT + cameras.unprojections[..., None, :, 2]
    return torch.nn.functional.normalize(directions, dim=-1)


def _directions(
    masks: Bool[Tensor, "F 2 S S"], cameras: _Cameras, count: int, generator: torch.Generator
) -> Float[Tensor, "F 2 N 3"]:
    size = masks.shape[-1]
    places = _some_of(masks.flatten(0, 1).flatten(1), count, generator).unflatten(0, masks.shape[:2])
    return _unit_rays(torch.stack([places % size, places // size], dim=-1).float(), cameras)


def _distances(
    masks: Bool[Tensor, "F 2 S S"], cameras: _Cameras, is_seen: Bool[Tensor, "F 2"]
) -> Float[Tensor, "F 2"]:
    """Of the person from each camera, m: to where the rays through the middles of the masks pass each other.

    The distance at which somebody of `STATURE` fills the box is a weak third voice, and the only one where
    just one view shows anybody.
    """
    middles, extents, _ = mask_boxes(masks)
    by_stature = cameras.focal_lengths * STATURE / extents.amax(-1)
    ray = _unit_rays(middles[:, :, None], cameras)[:, :, 0]
    cosine = (ray[:, 0] * ray[:, 1]).sum(-1)
    between = cameras.centres[:, 1] - cameras.centres[:, 0]
    first = (between * ray[:, 0]).sum(-1) + _TRUST * by_stature[:, 0]
    second = -(between * ray[:, 1]).sum(-1) + _TRUST * by_stature[:, 1]
    weight = 1 + _TRUST
    along = torch.stack([weight * first + cosine * second, weight * second + cosine * first], dim=-1)
    along = (along / (weight**2 - cosine**2)[:, None]).clamp_min(_NEAREST)
    along = torch.where(is_seen.all(1, keepdim=True), along, by_stature)
    weights = is_seen / is_seen.sum(1, keepdim=True)
    place = (weights[..., None] * (cameras.centres + along[..., None] * ray)).sum(1, keepdim=True)
    return (place - cameras.centres).norm(dim=-1).clamp_min(_NEAREST)


def _are_inside_the_other(
    masks: Bool[Tensor, "F 2 S S"], cameras: _Cameras, rays: _Rays
) -> Bool[Tensor, "F 2 N M"]:
    """Whether candidates on the rays of one view are seen on the mask of the other, to whole pixels.

    On a ray homogeneous pixels are linear in the distance: only its start and direction are projected.
    """
    size = masks.shape[-1]
    projections = cameras.projections.flip(1)
    starts = (projections[..., :3] @ cameras.centres[..., None])[..., 0] + projections[..., 3]
    slopes = rays.directions @ projections[..., :3].mT
    along = rays.distances[..., None] + rays.offsets
    u, v, w = (starts[:, :, None, None, k] + slopes[..., k, None] * along[:, :, None] for k in range(3))
    w = w.clamp_min_(1e-3).reciprocal_()
    # A frame of one false pixel stands for all that is outside.
    column, row = ((uv.mul_(w).add_(1.5).clamp_(0, size + 1)).int() for uv in (u, v))
    framed = torch.nn.functional.pad(masks.flip(1), (1, 1, 1, 1)).flatten()
    first = torch.arange(masks[:, :, 0, 0].numel(), dtype=torch.int32, device=masks.device) * (size + 2) ** 2
    places = row.mul_(size + 2).add_(column).add_(first.view(-1, 2, 1, 1))
    return framed.index_select(0, places.flatten()).view(places.shape)


def _candidates(
    is_inside: Bool[Tensor, "F 2 N M"], rays: _Rays, is_seen: Bool[Tensor, "F 2"]
) -> Bool[Tensor, "F 2 N M"]:
    """Those near enough to the person, on the rays of views that see anybody; some in each frame."""
    away = rays.offsets.abs()
    reach = torch.where(is_seen.all(1, keepdim=True), REACH, LONE_REACH)
    is_near = away <= torch.minimum(reach, rays.distances / 2)[..., None]
    is_candidate = is_inside & (is_near & is_seen[..., None])[:, :, None]
    is_none = ~is_candidate.flatten(1).any(1)
    stand_ins = is_none[:, None, None] & is_seen[..., None] & (away <= _STAND_IN_REACH)
    return is_candidate | stand_ins[:, :, None]


def _drawn(
    is_candidate: Bool[Tensor, "F 2 N M"],
    rays: _Rays,
    cameras: _Cameras,
    count: int,
    generator: torch.Generator,
) -> Float[Tensor, "F N 3"]:
    num_rays, num_steps = is_candidate.shape[2:]
    chosen = _some_of(is_candidate.flatten(1), count, generator)
    order = uniform(generator, *chosen.shape, device=chosen.device).argsort(1)
    chosen = chosen.gather(1, order)
    ray, view = chosen // num_steps, chosen // (num_steps * num_rays)
    along = rays.distances.gather(1, view) + rays.offsets[chosen % num_steps]
    directions = rays.directions.flatten(1, 2).gather(1, ray[..., None].expand(-1, -1, 3))
    return cameras.centres.gather(1, view[..., None].expand(-1, -1, 3)) + along[..., None] * directions


def _some_of(flags: Bool[Tensor, "F M"], count: int, generator: torch.Generator) -> Int[Tensor, "F N"]:
    """Places of `count` of the true flags, one at random out of each of as many equal parts of them: none
    twice if there are enough, evenly repeated if not. In order; the first place where none is true."""
    ranks = flags.cumsum(1, dtype=torch.int32)
    edges = (torch.arange(count + 1, device=flags.device) * ranks[:, -1:] + count - 1) // count
    low, high = edges[:, :-1], edges[:, 1:]
    share = uniform(generator, len(flags), count, device=flags.device)
    drawn = torch.minimum(low + (share * (high - low)).int(), high - 1)
    return torch.searchsorted(ranks, drawn.int(), right=True)
