"""Changes of training pictures: all but noise and bites is drawn once for a sequence and view."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad

from odah.estimator.config import AugmentationConfig
from odah.estimator.inputs.draws import happens, uniform
from odah.estimator.inputs.mirror import mirrored_coordinates, mirrored_points, mirrored_scales
from odah.estimator.inputs.pair import Labels, Pair
from odah.names import OPENSIM_BODIES, OPENSIM_JOINTS

_GREY = (0.299, 0.587, 0.114)
"""Of red, green and blue in luma (ITU-R BT.601)."""
_NUM_NOISES = 8
"""Noise pictures drawn; each picture gets one of them."""


def mirrored_some(pair: Pair, chance: float, generator: torch.Generator) -> Pair:
    """Some sequences as in a mirror: flipped pictures, of a person whose right side was the left.

    The world is reflected at y = 0, ground at z = 0, cameras' frames at x = 0: rotations stay rotations.
    """
    device, size = pair.images.device, pair.images.shape[-1]
    is_mirrored = happens(generator, chance, len(pair.images), device=device)
    flip = torch.diag(torch.tensor([-1.0, 1, 1], device=device))
    flip[0, 2] = size - 1
    cam, world, ground = (
        torch.diag(torch.tensor(signs, device=device))
        for signs in ([-1.0, 1, 1, 1], [1.0, -1, 1, 1], [1.0, 1, -1, 1])
    )

    def chosen(changed: Tensor, given: Tensor) -> Tensor:
        return torch.where(is_mirrored.view(-1, *(1,) * (given.ndim - 1)), changed, given)

    labels = pair.labels
    if labels is not None:
        mirrored = _mirrored_labels(labels)
        labels = Labels(
            **{name: chosen(getattr(mirrored, name), getattr(labels, name)) for name in vars(labels)}
        )
    images, masks = pair.images.clone(), pair.masks.clone()
    for pictures in (images, masks):
        _change(pictures, is_mirrored, lambda some: some.flip(-1))
    return replace(
        pair,
        images=images,
        masks=masks,
        K=chosen(flip @ pair.K @ cam[:3, :3], pair.K),
        T_cam_world=chosen(cam @ pair.T_cam_world @ world, pair.T_cam_world),
        T_world_ground=chosen(world @ pair.T_world_ground @ ground, pair.T_world_ground),
        labels=labels,
    )


def _mirrored_labels(labels: Labels) -> Labels:
    return Labels(
        coordinates=mirrored_coordinates(labels.coordinates),
        joints=mirrored_points(labels.joints, OPENSIM_JOINTS),
        body_coms=mirrored_points(labels.body_coms, OPENSIM_BODIES),
        scale_factors=mirrored_scales(labels.scale_factors),
    )


def miscalibrated(pair: Pair, augmentation: AugmentationConfig, generator: torch.Generator) -> Pair:
    """Cameras that are told a little wrong: turned about their centres, principal points moved, px."""
    device, shape = pair.images.device, pair.K.shape[:2]
    K, T_cam_world = pair.K, pair.T_cam_world
    if augmentation.camera_deg > 0:
        largest = math.radians(augmentation.camera_deg)
        x, y, z = uniform(generator, 3, *shape, low=-largest, high=largest, device=device)
        zero = torch.zeros_like(x)
        skew = torch.stack([zero, -z, y, zero, z, zero, -x, zero, -y, x, zero, zero, *(zero,) * 4], dim=-1)
        T_cam_world = torch.linalg.matrix_exp(skew.unflatten(-1, (4, 4))) @ T_cam_world
    if augmentation.camera_px > 0:
        largest = augmentation.camera_px
        shift = uniform(generator, *shape, 1, 2, low=-largest, high=largest, device=device)
        K = K.clone()
        K[..., :2, 2] += shift
    return replace(pair, K=K, T_cam_world=T_cam_world)


def disturbed_masks(
    masks: Bool[Tensor, "B V T S S"], augmentation: AugmentationConfig, generator: torch.Generator
) -> Bool[Tensor, "B V T S S"]:
    """Masks with what segmenters get wrong, and with boxes before the person.

    What a box hides is no person any more, neither in the mask nor in the picture, which the mask cuts out.
    """
    if augmentation.mask > 0:
        masks = _eroded_or_dilated(masks, augmentation.mask, generator)
        masks = masks & ~_bites(masks, augmentation.mask, generator)
    if augmentation.occlusion > 0:
        masks = masks & ~_occluders(masks, augmentation.occlusion, generator)
    return masks


def _eroded_or_dilated(masks: Bool[Tensor, "B V T S S"], chance: float, generator: torch.Generator) -> Tensor:
    """By up to a 64th of the side."""
    device, shape, size = masks.device, (*masks.shape[:2], 1), masks.shape[-1]
    is_changed = happens(generator, chance, *shape, device=device)
    is_eroded = happens(generator, 0.5, *shape, device=device)[..., None, None]
    largest = max(size // 64, 1)
    radii = uniform(generator, *shape, low=1, high=largest + 1, device=device).int() * is_changed
    masks = masks ^ is_eroded
    for radius in range(largest):
        _change(masks, (radii > radius).expand(masks.shape[:3]), _dilated)
    return masks ^ is_eroded


def _dilated(masks: Bool[Tensor, "F S S"]) -> Bool[Tensor, "F S S"]:
    """By one pixel up, down, left and right."""
    framed = pad(masks, (1, 1, 1, 1))
    across = framed[:, 1:-1, :-2] | masks | framed[:, 1:-1, 2:]
    return across | framed[:, :-2, 1:-1] | framed[:, 2:, 1:-1]


def _bites(masks: Bool[Tensor, "B V T S S"], chance: float, generator: torch.Generator) -> Tensor:
    """Three small boxes in each frame, elsewhere in the next."""
    device, shape = masks.device, masks.shape
    is_bitten = happens(generator, chance, *shape[:2], 1, 1, device=device)
    middles = uniform(generator, *shape[:3], 3, 2, low=0.05, high=0.95, device=device)
    halves = uniform(generator, *shape[:3], 3, 2, low=0.01, high=0.06, device=device)
    return _boxes(middles, halves * is_bitten[..., None], shape[-1])


def _occluders(masks: Bool[Tensor, "B V T S S"], chance: float, generator: torch.Generator) -> Tensor:
    """A box in some sequences and views, which drifts."""
    device, shape = masks.device, masks.shape
    is_hidden = happens(generator, chance, *shape[:2], 1, 1, device=device)
    middles = uniform(generator, *shape[:2], 1, 2, device=device)
    halves = uniform(generator, *shape[:2], 1, 2, low=0.04, high=0.25, device=device)
    drifts = uniform(generator, *shape[:2], 1, 2, low=-0.3, high=0.3, device=device)
    time = torch.linspace(-0.5, 0.5, shape[2], device=device)[:, None]
    ways = middles + drifts * time
    return _boxes(ways[:, :, :, None], (halves * is_hidden).expand_as(ways)[:, :, :, None], shape[-1])


def _boxes(
    middles: Float[Tensor, "*F n 2"], halves: Float[Tensor, "*F n 2"], size: int
) -> Bool[Tensor, "*F S S"]:
    """True inside any of n boxes; middles and half sides (x, y) in shares of the picture's side."""
    places = (torch.arange(size, device=middles.device) + 0.5) / size
    is_within = (places - middles[..., None]).abs() < halves[..., None]
    is_column, is_row = is_within.unbind(-2)
    boxes = is_column[..., None, :] & is_row[..., None]
    return boxes.view(torch.uint8).amax(-3).view(torch.bool)


def disturbed_images(
    images: Float[Tensor, "B V T 3 S S"], augmentation: AugmentationConfig, generator: torch.Generator
) -> Float[Tensor, "B V T 3 S S"]:
    """Pictures, 0 to 255, as other cameras might have taken them: blurred, coarse, in other colours, noisy.

    They may be overwritten: at this size, memory costs more time than arithmetic.
    """
    if augmentation.blur > 0:
        images = _blurred(images, augmentation.blur, generator)
    if augmentation.brightness > 0 or augmentation.contrast > 0 or augmentation.saturation > 0:
        images = _recoloured(images, augmentation, generator)
    if augmentation.noise > 0:
        images = _noisy(images, augmentation.noise, generator)
    return images


def _blurred(images: Float[Tensor, "B V T 3 S S"], chance: float, generator: torch.Generator) -> Tensor:
    is_blurred = happens(generator, chance, *images.shape[:2], 1, device=images.device)
    kinds = uniform(generator, *images.shape[:2], 1, high=len(_BLURS), device=images.device).int()
    for kind, blur in enumerate(_BLURS):
        _change(images, (is_blurred & (kinds == kind)).expand(images.shape[:3]), blur)
    return images


def _softened(images: Float[Tensor, "F 3 S S"]) -> Float[Tensor, "F 3 S S"]:
    """By binomial weights 1 2 1 across and down."""
    return _averaged(pad(images, (1, 1, 1, 1), mode="replicate"), 1)


def _smeared(images: Float[Tensor, "F 3 S S"]) -> Float[Tensor, "F 3 S S"]:
    """By weights close to a normal distribution's of 1.6 px standard deviation."""
    return _averaged(_averaged(pad(images, (3, 3, 3, 3), mode="replicate"), 1), 2)


def _averaged(images: Float[Tensor, "F 3 H H"], distance: int) -> Float[Tensor, "F 3 h h"]:
    """By 1 2 1 of pixels so far apart, both ways; the frame that this needs is lost."""
    for _ in range(2):
        images = images[..., :-distance] + images[..., distance:]
        images = images[..., :-distance, :] + images[..., distance:, :]
    return images / 16


def _coarsened(images: Float[Tensor, "F 3 S S"]) -> Float[Tensor, "F 3 S S"]:
    """As pictures of half the size, enlarged again."""
    return interpolate(avg_pool2d(images, 2), images.shape[-1], mode="bilinear")


_BLURS = (_softened, _smeared, _coarsened)


def _change(tensor: Tensor, is_changed: Tensor, change: Callable[[Tensor], Tensor]) -> None:
    """In place, some of the parts that the leading axes number; `change` takes them with one leading axis."""
    places = is_changed.flatten().nonzero()[:, 0]
    parts = tensor.flatten(0, is_changed.ndim - 1)
    parts.index_copy_(0, places, change(parts.index_select(0, places)))


def _recoloured(
    images: Float[Tensor, "B V T 3 S S"], augmentation: AugmentationConfig, generator: torch.Generator
) -> Float[Tensor, "B V T 3 S S"]:
    """Saturation about a pixel's grey, contrast about middle grey, then brightness: one affine map."""
    device, shape = images.device, images.shape[:2]
    amounts = torch.tensor(
        [augmentation.brightness, augmentation.contrast, augmentation.saturation], device=device
    )
    drawn = 1 + amounts * uniform(generator, *shape, 1, 1, 1, 3, low=-1, high=1, device=device)
    brightness, contrast, saturation = drawn.unbind(-1)
    grey = torch.tensor(_GREY, device=device).expand(3, 3)
    mixing = saturation * torch.eye(3, device=device) + (1 - saturation) * grey
    mixed = (brightness * contrast * mixing) @ images.flatten(-2)
    return mixed.add_(brightness * (1 - contrast) * 127.5).clamp_(0, 255).view_as(images)


def _noisy(images: Float[Tensor, "B V T 3 S S"], largest: float, generator: torch.Generator) -> Tensor:
    """Normal, of a strength of its own in each sequence and view."""
    device, shape = images.device, images.shape
    count = min(_NUM_NOISES, math.prod(shape[:3]))
    noises = torch.randn(count, *shape[3:], generator=generator, device=generator.device).to(device)
    which = uniform(generator, math.prod(shape[:3]), high=count, device=device).long()
    strengths = uniform(generator, *shape[:2], 1, 1, 1, 1, high=255 * largest, device=device)
    chosen = noises.index_select(0, which).view(shape)
    return images.add_(chosen.mul_(strengths)).clamp_(0, 255)
