"""Each change of a picture is what it says, and leaves alone what it should."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from estimator.solids import generator, made_pair
from torch import Tensor

from odah.estimator.config import AugmentationConfig
from odah.estimator.inputs.augment import (
    _BLURS,
    disturbed_images,
    disturbed_masks,
    mirrored_some,
    miscalibrated,
)
from odah.estimator.inputs.mirror import mirrored_name
from odah.estimator.inputs.pair import Pair
from odah.estimator.inputs.points import project
from odah.names import OPENSIM_JOINTS


def joints_of(pair: Pair) -> Tensor:
    """Projected joints, px."""
    assert pair.labels is not None
    T = pair.T_world_ground[:, None]
    return project(pair.labels.joints @ T[..., :3, :3].mT + T[..., None, :3, 3], pair.K, pair.T_cam_world)


def soft_masks(sequences: int = 30, frames: int = 2, size: int = 128) -> Tensor:
    """A disc in each picture."""
    places = torch.arange(size) - size / 2 + 0.5
    disc = places**2 + places[:, None] ** 2 < (0.4 * size) ** 2
    return disc.expand(sequences, 2, frames, size, size)


def test_in_a_mirror_every_joint_is_where_its_namesake_was() -> None:
    pair = made_pair(sequences=3, size=32)
    pair.K[:, :, :, 0, 1], pair.K[:, :, :, 1, 0] = 0.7, -0.4  # as of a turned crop
    mirrored = mirrored_some(pair, 1.0, generator())
    before, after = joints_of(pair), joints_of(mirrored)
    namesakes = [OPENSIM_JOINTS.index(mirrored_name(name)) for name in OPENSIM_JOINTS]
    expected = before[..., namesakes, :] * torch.tensor([-1.0, 1.0]) + torch.tensor([31.0, 0.0])
    torch.testing.assert_close(after, expected, atol=1e-3, rtol=1e-5)
    assert torch.equal(mirrored.images, pair.images.flip(-1))
    assert torch.equal(mirrored.masks, pair.masks.flip(-1))
    for T in (mirrored.T_cam_world, mirrored.T_world_ground):
        torch.testing.assert_close(torch.linalg.det(T[..., :3, :3]), torch.ones(T.shape[:-2]))
    up = mirrored.T_world_ground[:, :3, 1]
    torch.testing.assert_close(up, torch.tensor([0.0, 0, 1]).expand_as(up))


def test_twice_mirrored_is_as_before_and_some_are_left_alone() -> None:
    pair = made_pair(sequences=20, frames=1, size=8)
    pair.K[..., 0, 2] += 0.5
    again = mirrored_some(mirrored_some(pair, 0.5, generator(3)), 0.5, generator(3))
    some = mirrored_some(pair, 0.5, generator(3))
    for name in ("images", "masks", "K", "T_cam_world", "T_world_ground"):
        torch.testing.assert_close(getattr(again, name), getattr(pair, name))
    for name in ("images", "K", "T_cam_world", "T_world_ground"):
        is_left = (getattr(some, name) == getattr(pair, name)).flatten(1).all(1)
        assert 3 < is_left.sum() < 17
        assert torch.equal(is_left, (some.images == pair.images).flatten(1).all(1))
    assert pair.labels is not None
    assert again.labels is not None
    for name, label in vars(pair.labels).items():
        torch.testing.assert_close(getattr(again.labels, name), label)


def test_a_camera_told_wrong_stays_where_it_is() -> None:
    pair = made_pair(sequences=30)
    told = miscalibrated(pair, AugmentationConfig(camera_deg=2, camera_px=3), generator())
    turns = told.T_cam_world[..., :3, :3] @ pair.T_cam_world[..., :3, :3].mT
    angles = torch.acos((turns.diagonal(dim1=-2, dim2=-1).sum(-1) - 1).div(2).clamp(-1, 1)).rad2deg()
    assert 1.5 < angles.max() < 2 * math.sqrt(3) + 0.1
    assert angles.min() < 1
    centres = [-(T[..., :3, :3].mT @ T[..., :3, 3:]) for T in (told.T_cam_world, pair.T_cam_world)]
    torch.testing.assert_close(*centres)
    shifts = told.K - pair.K
    assert 2.7 < shifts[..., :2, 2].abs().max() <= 3
    assert torch.equal(shifts[:, :, :1].expand_as(shifts), shifts)
    shifts[..., :2, 2] = 0
    assert not shifts.any()


def test_a_box_hides_the_person_and_drifts() -> None:
    masks = soft_masks(frames=5)
    hidden = masks & ~disturbed_masks(masks, AugmentationConfig(occlusion=0.5), generator())
    is_changed = hidden.flatten(2).any(-1)
    assert 15 < is_changed.sum() < 45
    shares = hidden.flatten(3).sum(-1) / masks.flatten(3).sum(-1)
    assert 0.1 < shares.max() < 0.5
    columns = torch.arange(128.0)
    for sequence, view in is_changed.nonzero()[:10]:
        seen = hidden[sequence, view]
        boxes = seen.any(1, keepdim=True) & seen.any(2, keepdim=True)
        assert torch.equal(boxes & masks[0, 0], seen)
    moves = [(h[0] * columns).sum() / h[0].sum() - (h[-1] * columns).sum() / h[-1].sum()
             for h in hidden[is_changed] if h[0].any() and h[-1].any()]  # fmt: skip
    assert 3 < torch.stack(moves).abs().max() < 40


def test_outlines_grow_shrink_and_are_bitten_a_little() -> None:
    masks = soft_masks()
    changed = disturbed_masks(masks, AugmentationConfig(mask=0.5), generator())
    added, lost = (changed & ~masks).flatten(2).any(-1), (masks & ~changed).flatten(2).any(-1)
    assert added.any()
    assert lost.any()
    assert not (added | lost).all()
    places = torch.arange(128) - 63.5
    radii = (places**2 + places[:, None] ** 2).sqrt().expand_as(masks)
    assert radii[changed].max() <= 0.4 * 128 + 2
    share = (masks & ~changed).flatten(2).sum(-1) / masks.flatten(2).sum(-1)
    assert 0.03 < share.max() < 0.3
    bitten = masks & ~changed & (radii < 0.4 * 128 - 4)
    frames = bitten[bitten.flatten(2).any(-1)]
    assert not torch.equal(frames[:, 0], frames[:, 1])


def test_nothing_is_drawn_for_nothing() -> None:
    still, state = AugmentationConfig(), generator()
    images, masks = torch.rand(2, 2, 1, 3, 16, 16), soft_masks(2, 1, 16)
    assert disturbed_images(images, still, state) is images
    assert disturbed_masks(masks, still, state) is masks
    pair = made_pair(size=8)
    assert miscalibrated(pair, still, state).K is pair.K
    assert torch.equal(state.get_state(), generator().get_state())


def test_colours_change_by_sequence_and_view_but_not_with_time() -> None:
    picture = torch.full((20, 2, 3, 3, 8, 8), 120.0) + torch.tensor([30.0, 0, -30])[:, None, None]
    changed = disturbed_images(
        picture.clone(), AugmentationConfig(brightness=0.3, contrast=0.3, saturation=0.5), generator()
    )
    assert torch.equal(changed[:, :, :1].expand_as(changed), changed)
    colours = changed[:, :, 0, :, 0, 0].flatten(0, 1)
    assert len(torch.unique(colours, dim=0)) == 40
    assert (colours.mean(0) - torch.tensor([150.0, 120, 90])).abs().max() < 15
    grey = disturbed_images(
        torch.full((9, 2, 1, 3, 8, 8), 77.0), AugmentationConfig(saturation=0.9), generator()
    )
    torch.testing.assert_close(grey, torch.full_like(grey, 77))
    darker = disturbed_images(
        torch.full((99, 2, 1, 3, 8, 8), 100.0), AugmentationConfig(brightness=0.3), generator()
    )
    assert 70 <= darker.min() < 72
    assert 128 < darker.max() <= 130.01


@pytest.mark.parametrize("blur", _BLURS)
def test_a_blur_keeps_what_is_even_and_spreads_a_dot(blur: Callable[[Tensor], Tensor]) -> None:
    even = torch.full((2, 3, 16, 16), 50.0)
    torch.testing.assert_close(blur(even), even)
    dot = torch.zeros(1, 3, 16, 16)
    dot[..., 8, 7] = 1
    spread = blur(dot)
    assert spread.max() < 0.3
    torch.testing.assert_close(spread.sum((-2, -1)), torch.ones(1, 3))
    places = torch.arange(16.0)
    assert (spread.sum(-2) @ places - 7).abs().max() <= 0.5
    assert (spread.sum(-1) @ places - 8).abs().max() <= 0.5


def test_some_sequences_are_blurred_in_all_their_frames() -> None:
    images = 255 * torch.rand(30, 2, 3, 3, 16, 16, generator=generator())
    changed = disturbed_images(images.clone(), AugmentationConfig(blur=0.4), generator())
    by_frame = (changed != images).flatten(3).any(-1)
    assert torch.equal(by_frame.all(-1), by_frame.any(-1))
    assert 10 < by_frame[..., 0].sum() < 40


def test_noise_is_as_strong_as_it_says() -> None:
    images = torch.full((40, 2, 2, 3, 32, 32), 128.0)
    noise = disturbed_images(images.clone(), AugmentationConfig(noise=0.05), generator()) - images
    strengths = noise.flatten(3).std(-1)
    assert 0.04 * 255 < strengths.max() < 0.053 * 255
    assert strengths.min() < 0.01 * 255
    assert (strengths[:, :, 0] / strengths[:, :, 1] - 1).abs().max() < 0.1
    assert noise.mean().abs() < 0.1
