"""Crops show the same content at the places that their cameras say."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from estimator.solids import generator, made_sample
from hypothesis import given, settings
from hypothesis import strategies as st

from odah.estimator.config import AugmentationConfig
from odah.estimator.inputs.crops import crop_maps, cut, mask_boxes
from odah.estimator.inputs.points import project

STILL = AugmentationConfig()
RESTLESS = AugmentationConfig(shift=0.1, zoom=0.2, roll_deg=25)


@settings(max_examples=30)
@given(st.integers(0, 2**31))
def test_boxes_hold_all_of_a_mask_and_no_more(seed: int) -> None:
    rng = np.random.default_rng(seed)
    masks = rng.random((3, 12, 12)) < rng.choice([0.005, 0.03, 0.5])
    middles, extents, is_person = mask_boxes(torch.from_numpy(masks))
    for mask, middle, extent, is_any in zip(masks, middles, extents, is_person, strict=True):
        places = np.argwhere(mask)[:, ::-1] if mask.any() else np.array([[0, 0], [11, 11]])
        assert is_any == mask.any()
        np.testing.assert_array_equal(middle, (places.min(0) + places.max(0)) / 2)
        np.testing.assert_array_equal(extent, np.ptp(places, axis=0) + 1)


@pytest.mark.parametrize(("whole", "size"), [(96, 96), (96, 48), (64, 96), (100, 72)])
@pytest.mark.parametrize("augmentation", [STILL, RESTLESS])
def test_a_dot_lands_where_the_crops_camera_projects_it(
    whole: int, size: int, augmentation: AugmentationConfig
) -> None:
    """One soft dot in each picture, at the projection of a point."""
    sample = made_sample(sequences=3, frames=4, size=whole)
    points = sample["places"][:, :, None] + torch.tensor([0.05, -0.1, 0.3])
    pixels = project(points, sample["K"], sample["T_cam_world"])[..., 0, :]
    maps = crop_maps(sample["masks"], size, generator(1), augmentation, recrop=True)
    dots = _dots(pixels, whole, spread=2.5)
    images, _ = cut(dots.flatten(0, 2), sample["masks"].flatten(0, 2), maps.flatten(0, 2), size)
    expected = project(points, maps @ sample["K"], sample["T_cam_world"])[..., 0, :]
    found = _centroids(images[:, 0]).view_as(expected)
    is_inside = ((expected > size / 6) & (expected < size * 5 / 6)).all(-1)
    assert is_inside.sum() > 10
    torch.testing.assert_close(found[is_inside], expected[is_inside], atol=0.06, rtol=0)


def _dots(pixels: torch.Tensor, size: int, spread: float) -> torch.Tensor:
    places = torch.arange(size)
    weights = [(-((places - pixels[..., k, None]) ** 2) / (2 * spread**2)).exp() for k in range(2)]
    picture = 255 * weights[0][..., None, :] * weights[1][..., :, None]
    return picture[..., None, :, :].expand(*picture.shape[:-2], 3, size, size)


def _centroids(pictures: torch.Tensor) -> torch.Tensor:
    places = torch.arange(pictures.shape[-1]).float()
    mass = pictures.sum((-2, -1))
    return torch.stack([(pictures.sum(-2) @ places) / mass, (pictures.sum(-1) @ places) / mass], dim=-1)


@pytest.mark.parametrize("size", [80, 64])
def test_the_square_is_tight_about_the_person_in_each_frame(size: int) -> None:
    masks = made_sample(size=80)["masks"]
    maps = crop_maps(masks, size, generator(), STILL, recrop=True)
    images = torch.zeros(*masks.shape[:3], 3, 80, 80)
    _, cropped = cut(images.flatten(0, 2), masks.flatten(0, 2), maps.flatten(0, 2), size)
    middles, extents, is_person = mask_boxes(cropped)
    assert is_person.all()
    torch.testing.assert_close(extents.amax(-1), torch.full((len(cropped),), size / 1.1), atol=2.1, rtol=0)
    torch.testing.assert_close(middles, torch.full_like(middles, (size - 1) / 2), atol=1.1, rtol=0)


def test_without_a_cut_nothing_changes_and_nobody_gives_the_whole_picture() -> None:
    sample = made_sample(size=40)
    images, masks = sample["images"].flatten(0, 2), sample["masks"].flatten(0, 2)
    maps = crop_maps(sample["masks"], 40, generator(), STILL, recrop=False)
    same, same_masks = cut(images, masks, maps.flatten(0, 2), 40)
    assert torch.equal(same, images.float())
    assert torch.equal(same_masks, masks)
    nobody = crop_maps(torch.zeros_like(sample["masks"]), 40, generator(), STILL, recrop=True)
    assert torch.equal(nobody, maps)


def test_few_pixels_of_a_person_are_not_drawn_larger_than_life() -> None:
    masks = torch.zeros(1, 1, 1, 64, 64, dtype=torch.bool)
    masks[..., 30, 20:22] = True
    maps = crop_maps(masks, 64, generator(), STILL, recrop=True)
    assert maps[0, 0, 0, 0, 0] == 4


def test_a_fine_pattern_shrinks_to_its_mean() -> None:
    board = (torch.arange(96)[:, None] + torch.arange(96)) % 2 * 200.0
    maps = crop_maps(torch.ones(1, 1, 1, 96, 96, dtype=torch.bool), 48, generator(), STILL, recrop=False)
    images, _ = cut(
        board.expand(1, 3, 96, 96), torch.ones(1, 96, 96, dtype=torch.bool), maps.flatten(0, 2), 48
    )
    torch.testing.assert_close(images, torch.full_like(images, 100), atol=1e-3, rtol=0)


def test_jitter_stays_within_its_bounds_and_hardly_changes_with_time() -> None:
    masks = torch.ones(40, 2, 6, 16, 16, dtype=torch.bool)
    maps = crop_maps(masks, 16, generator(), RESTLESS, recrop=False)
    factors = torch.linalg.det(maps[..., :2, :2]).sqrt()
    rolls = torch.atan2(maps[..., 1, 0], maps[..., 0, 0])
    shifts = ((maps @ torch.tensor([7.5, 7.5, 1]))[..., :2] - 7.5) / 16
    for values, largest in ((factors.log(), 0.2), (rolls, math.radians(25)), (shifts, 0.1)):
        assert 0.8 * largest < values.abs().max() <= largest
        assert values.mean().abs() < 0.2 * largest
        change = values.diff(dim=2).abs().max()
        assert 0.05 * largest < change < 0.21 * largest
        assert (values[:, 0] - values[:, 1]).abs().max() > largest
