"""Pictures of the person cut out anew: one affine map a picture, of its pixels, its mask and its camera."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor
from torch.nn.functional import avg_pool2d, grid_sample

from odah.estimator.config import AugmentationConfig
from odah.estimator.inputs.draws import uniform

_SCALE = 1.1
"""Side of the square over the longer side of the person's box, as in the code of the ODAH paper."""
_SMALLEST = 1 / 4
"""Of a picture's side: a person of whom less is in the picture is not drawn larger than life."""
_UNREST = 0.1
"""Share of the jitter that is drawn anew in each frame; the rest is the same in a whole sequence."""


def mask_boxes(
    masks: Bool[Tensor, "*F S S"],
) -> tuple[Float[Tensor, "*F 2"], Float[Tensor, "*F 2"], Bool[Tensor, "*F"]]:
    """Middle (x, y), width and height of the box about a mask, px, and whether there is anything in the mask.

    The whole picture's box where not. Pixel centres are on whole numbers.
    """
    size = masks.shape[-1]
    places = torch.arange(size, device=masks.device)
    values = masks.view(torch.uint8)
    is_used = torch.stack([values.amax(-2), values.amax(-1)], dim=-2) > 0
    first = torch.where(is_used, places, size).amin(-1)
    last = torch.where(is_used, places, -1).amax(-1)
    is_person = last[..., 0] >= 0
    first = torch.where(is_person[..., None], first, 0)
    last = torch.where(is_person[..., None], last, size - 1)
    return (first + last) / 2, (last - first + 1).float(), is_person


def crop_maps(
    masks: Bool[Tensor, "B V T S S"],
    size: int,
    generator: torch.Generator,
    augmentation: AugmentationConfig,
    *,
    recrop: bool,
) -> Float[Tensor, "B V T 3 3"]:
    """Maps from the pixels of a picture to those of a square of `size` px cut out of it, jittered.

    A crop's camera has the matrix `maps @ K`. With `recrop` the square is the tightest about the mask in each
    frame, 1.1 times the longer side of its box; else, and where nobody is, the whole picture.
    """
    whole = masks.shape[-1]
    if recrop:
        middles, extents, is_person = mask_boxes(masks)
        sides = (_SCALE * extents.amax(-1)).clamp_min(_SMALLEST * whole)
        sides = torch.where(is_person, sides, float(whole))
    else:
        middles = torch.full((*masks.shape[:3], 2), (whole - 1) / 2, device=masks.device)
        sides = torch.full(masks.shape[:3], float(whole), device=masks.device)
    shifts, zooms, rolls = _jitter(masks.shape[:3], generator, augmentation, masks.device)
    factors = size / sides * zooms
    cos, sin = factors * rolls.cos(), factors * rolls.sin()
    turns = torch.stack([cos, -sin, sin, cos], dim=-1).unflatten(-1, (2, 2))
    targets = (size - 1) / 2 + shifts * size
    maps = torch.zeros(*masks.shape[:3], 3, 3, device=masks.device)
    maps[..., :2, :2] = turns
    maps[..., :2, 2] = targets - (turns @ middles[..., None])[..., 0]
    maps[..., 2, 2] = 1
    return maps


def _jitter(
    shape: tuple[int, ...], generator: torch.Generator, augmentation: AugmentationConfig, device: torch.device
) -> tuple[Float[Tensor, "B V T 2"], Float[Tensor, "B V T"], Float[Tensor, "B V T"]]:
    """Shifts in shares of the side, factors of size, and turns, rad."""
    num_sequences, num_views, num_frames = shape
    deviations = torch.zeros(*shape, 4, device=device)
    largest = (augmentation.shift, augmentation.shift, augmentation.zoom, math.radians(augmentation.roll_deg))
    if any(largest):
        for share, count in ((1 - _UNREST, 1), (_UNREST, num_frames)):
            drawn = uniform(generator, num_sequences, num_views, count, 4, low=-1, high=1, device=device)
            deviations += share * drawn
        deviations *= torch.tensor(largest, device=device)
    return deviations[..., :2], deviations[..., 2].exp(), deviations[..., 3]


def cut(
    images: Shaped[Tensor, "F 3 S S"], masks: Bool[Tensor, "F S S"], maps: Float[Tensor, "F 3 3"], size: int
) -> tuple[Float[Tensor, "F 3 s s"], Bool[Tensor, "F s s"]]:
    """Pictures, 0 to 255, and masks through `maps`; black beyond the pictures' edges.

    Each pixel of a square smaller than its picture is the mean of several samples, lest things flicker.
    """
    whole = images.shape[-1]
    layers = torch.empty(len(images), 4, whole, whole, device=images.device)
    layers[:, :3], layers[:, 3] = images, masks
    if whole != size or not _is_identity(maps):
        fineness = max(math.ceil(whole / size - 0.25), 1)
        grid = _grid(torch.linalg.inv(maps), size, fineness, whole)
        layers = grid_sample(layers, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
        layers = avg_pool2d(layers, fineness) if fineness > 1 else layers
    return layers[:, :3], layers[:, 3] >= 0.5


def _is_identity(maps: Float[Tensor, "F 3 3"]) -> bool:
    return bool((maps == torch.eye(3, device=maps.device)).all())


def _grid(inverses: Float[Tensor, "F 3 3"], size: int, fineness: int, whole: int) -> Float[Tensor, "F n n 2"]:
    """Where in a picture each pixel of the square lies, as `grid_sample` counts."""
    places = (torch.arange(size * fineness, device=inverses.device) + 0.5) / fineness - 0.5
    offset = inverses.new_tensor([0.0, 0.0, 1.0])
    counted = (2 * inverses[:, :2] + offset) / whole - offset
    across = counted[..., :1] * places
    down = counted[..., 1:2] * places + counted[..., 2:]
    return (across[:, :, None] + down[..., None]).permute(0, 2, 3, 1)
