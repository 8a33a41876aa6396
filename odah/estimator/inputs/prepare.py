"""From a batch of a dataset's samples, or of two videos, to what the network sees and should answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from odah.estimator.batch import Pictures, Reference, Targets
from odah.estimator.config import AugmentationConfig, DataConfig
from odah.estimator.inputs.augment import disturbed_images, disturbed_masks, mirrored_some, miscalibrated
from odah.estimator.inputs.crops import crop_maps, cut
from odah.estimator.inputs.pair import Labels, Pair, choose_pair
from odah.estimator.inputs.points import draw_points, project
from odah.estimator.inputs.reference import angles_in_reference, camera_reference, ground_reference
from odah.estimator.precision import exact_products
from odah.estimator.skeleton import PELVIS

_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)
"""Of ImageNet's red, green and blue, in shares of white; what the paper's code normalises by."""


@dataclass(frozen=True)
class Prepared:
    """A batch, ready. targets: None without labels.

    masks, K, T_cam_world: of the final pictures, after all augmentation; a withheld view has an empty mask.
    T_world_ground: with these cameras projects what is in ground, also of mirrored sequences.
    """

    pictures: Pictures
    targets: Targets | None
    reference: Reference
    masks: Bool[Tensor, "B 2 T S S"]
    K: Float[Tensor, "B 2 T 3 3"]
    T_cam_world: Float[Tensor, "B 2 4 4"]
    T_world_ground: Float[Tensor, "B 4 4"]


@torch.no_grad()
@exact_products()
def prepare(
    sample: Mapping[str, Tensor],
    data: DataConfig,
    *,
    generator: torch.Generator,
    augmentation: AugmentationConfig | None = None,
) -> Prepared:
    """Pictures and points of two views, and the targets if the sample has labels.

    The lens' `distortion` is ignored: give pictures that are undistorted.

    Args:
        sample: a batch of `SequenceDataset`'s samples, on any device: `images`, `masks`, `K`, `T_cam_world`,
            `T_world_ground`; with labels also `coordinates`, `joints`, `body_coms`, `scale_factors`, and
            `is_frame` if any is none.
            Any number of views; a lone one is the network's first.
        generator: of all that is drawn; same state, same result. Best on the sample's device.
        augmentation: none if None; one of all zeros changes nothing either.
    """
    augmentation = augmentation or AugmentationConfig()
    pair = choose_pair(sample, generator, any_pair=augmentation.any_pair, dropout=augmentation.view_dropout)
    if augmentation.mirror > 0:
        pair = mirrored_some(pair, augmentation.mirror, generator)
    pair = _cropped(pair, data, augmentation, generator)
    pair = miscalibrated(pair, augmentation, generator)
    pair = replace(
        pair,
        masks=disturbed_masks(pair.masks, augmentation, generator),
        images=disturbed_images(pair.images, augmentation, generator),
    )
    world = draw_points(pair.masks, pair.K, pair.T_cam_world, data.points, data.step, generator)
    return _assembled(pair, world, data, sample.get("is_frame"))


def _cropped(
    pair: Pair, data: DataConfig, augmentation: AugmentationConfig, generator: torch.Generator
) -> Pair:
    maps = crop_maps(pair.masks, data.size, generator, augmentation, recrop=data.recrop)
    images, masks = cut(pair.images.flatten(0, 2), pair.masks.flatten(0, 2), maps.flatten(0, 2), data.size)
    shape = pair.masks.shape[:3]
    return replace(pair, images=images.unflatten(0, shape), masks=masks.unflatten(0, shape), K=maps @ pair.K)


def _assembled(
    pair: Pair, world: Float[Tensor, "B T N 3"], data: DataConfig, is_frame: Bool[Tensor, "B T"] | None
) -> Prepared:
    turns, shifts = pair.T_world_ground[:, None, :3, :3], pair.T_world_ground[:, None, None, :3, 3]
    ground = (world - shifts) @ turns
    centres = ground.mean(dim=2)
    if data.reference == "camera":
        rotmats = camera_reference(pair.T_cam_world, pair.T_world_ground, centres)
    else:
        rotmats = ground_reference(centres)
    reference = Reference(rotmats, centres)
    pixels = project(world, pair.K, pair.T_cam_world)
    pictures = Pictures(
        images=_normalised(pair.images, pair.masks),
        pixels=torch.where(pair.is_view[..., None, None, None], pixels, 0.0),
        points=(ground - centres[:, :, None]) @ rotmats[:, None],
        is_view=pair.is_view,
    )
    if is_frame is None:
        is_frame = torch.ones(world.shape[:2], dtype=torch.bool, device=world.device)
    targets = None if pair.labels is None else _targets(pair.labels, reference, is_frame)
    return Prepared(pictures, targets, reference, pair.masks, pair.K, pair.T_cam_world, pair.T_world_ground)


def _normalised(
    images: Float[Tensor, "B 2 T 3 S S"], masks: Bool[Tensor, "B 2 T S S"]
) -> Float[Tensor, "B 2 T 3 S S"]:
    """In place."""
    mean, std = (images.new_tensor(values)[:, None, None] for values in (_MEAN, _STD))
    return images.div_(255 * std).sub_(mean / std).mul_(masks[:, :, :, None].to(images.dtype))


def _targets(labels: Labels, reference: Reference, is_frame: Bool[Tensor, "B T"]) -> Targets:
    rotmats = reference.rotmats
    points = torch.cat([labels.joints, labels.body_coms], dim=-2)
    pelvis = points[:, :, PELVIS]
    return Targets(
        angles=angles_in_reference(labels.coordinates, rotmats),
        scales=labels.scale_factors,
        keypoints=(points - pelvis[:, :, None]) @ rotmats[:, None],
        pelvis=(pelvis - reference.centres) @ rotmats,
        is_frame=is_frame,
    )
