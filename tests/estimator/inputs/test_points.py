"""Points lie inside both outlines, all over the person, whatever the masks are."""

from __future__ import annotations

import torch
from estimator.solids import RADII, generator, made_sample
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from odah.estimator.inputs.points import LONE_REACH, _some_of, draw_points, project


def drawn(sample: dict[str, Tensor], count: int = 64, seed: int = 0) -> Tensor:
    return draw_points(sample["masks"], sample["K"], sample["T_cam_world"], count, 0.05, generator(seed))


def are_inside(points: Tensor, sample: dict[str, Tensor]) -> Tensor:
    """(B, V, T, N), to whole pixels."""
    size = sample["masks"].shape[-1]
    pixels = (project(points, sample["K"], sample["T_cam_world"]) + 0.5).floor().long()
    column, row = pixels.clamp(0, size - 1).unbind(-1)
    values = sample["masks"].flatten(3).gather(3, row * size + column)
    return values & ((pixels >= 0) & (pixels < size)).all(-1)


@settings(max_examples=20)
@given(st.integers(0, 2**31), st.floats(-150, 150), st.floats(15, 165))
def test_every_point_is_seen_inside_both_masks(seed: int, angle: float, between: float) -> None:
    sample = made_sample(seed=seed, angles_deg=(angle, angle + between), frames=2, size=40)
    points = drawn(sample, seed=seed)
    assert points.shape == (2, 2, 64, 3)
    assert are_inside(points, sample).float().mean() > 0.999  # a pixel's border is a matter of rounding


def test_points_are_all_over_the_person() -> None:
    sample = made_sample(sequences=4, size=64)
    points = drawn(sample, 256) - sample["places"][:, :, None]
    assert (points / RADII).abs().max() < 1.4
    assert points.mean((0, 1, 2)).abs().max() < 0.03
    spread = RADII / 5**0.5  # of an ellipsoid, evenly filled
    torch.testing.assert_close(points.flatten(0, 2).std(0), spread, atol=0, rtol=0.25)


def test_none_twice_where_there_are_enough_and_no_order_in_them() -> None:
    sample = made_sample(sequences=4, size=64)
    points = drawn(sample, 200)
    apart = torch.cdist(points, points) + torch.eye(200)
    assert apart.min() > 1e-3
    turns = torch.arange(200.0).expand(4, 3, 200)
    along = torch.corrcoef(
        torch.stack([turns.flatten(), (points - sample["places"][:, :, None])[..., 2].flatten()])
    )
    assert along[0, 1].abs() < 0.1


def test_where_the_world_begins_does_not_matter() -> None:
    near, far = made_sample(), made_sample(origin=(60.0, -35.0, 4.0))
    far["masks"] = near["masks"]  # those of a far origin are rounded
    moved = drawn(far) - torch.tensor([60.0, -35.0, 4.0])
    is_same = (moved - drawn(near)).norm(dim=-1) < 2e-3
    assert is_same.float().mean() > 0.5  # a candidate more or less, and all that are drawn after it move up
    assert are_inside(drawn(far), far).float().mean() > 0.99


def test_cameras_that_face_each_other_find_the_person_by_stature() -> None:
    sample = made_sample(angles_deg=(-90.0, 90.0), size=64)
    points = drawn(sample, 256)
    assert are_inside(points, sample).float().mean() > 0.99
    assert (points.mean(2) - sample["places"]).norm(dim=-1).max() < 0.5


def test_one_view_alone_takes_the_depth_from_the_stature() -> None:
    sample = made_sample(size=96)
    sample["masks"][:, 1] = False
    points = drawn(sample, 256)
    assert are_inside(points, sample)[:, 0].all()
    away = points.mean(2) - sample["places"]
    assert away.norm(dim=-1).max() < 0.35
    towards = sample["T_cam_world"][:, 0, 2, :3]
    depths = ((points - points.mean(2, keepdim=True)) * towards[:, None, None]).sum(-1)
    assert LONE_REACH * 0.9 < depths.abs().max() < LONE_REACH * 1.3


def test_masks_of_few_pixels_or_none_at_all() -> None:
    """Frames: one pixel each; disjoint; the first empty; both empty."""
    sample = made_sample(sequences=1, frames=4, size=48)
    places, masks = sample["places"], sample["masks"]
    pixels = project(places[:, :, None], sample["K"], sample["T_cam_world"])[0, :, :, 0].round().long()
    masks[0, :, 0] = False
    for view in range(2):
        masks[0, view, 0, pixels[view, 0, 1], pixels[view, 0, 0]] = True
    masks[0, 0, 1, 24:] = False
    masks[0, 1, 1, :28] = False
    masks[0, 0, 2] = False
    masks[0, :, 3] = False
    points = drawn(sample)
    assert points.isfinite().all()
    assert are_inside(points, sample)[0, :, 0].all()
    assert (points[0, :3] - places[0, :3, None]).norm(dim=-1).max() < 2
    assert are_inside(points, sample)[0, 1, 2].all()


def test_given_masks_stay_as_they_are_and_the_state_decides() -> None:
    sample = made_sample(sequences=1, frames=1)
    sample["masks"][:] = False
    first, again, other = drawn(sample), drawn(sample), drawn(sample, seed=1)
    assert not sample["masks"].any()
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@settings(max_examples=40)
@given(st.integers(0, 2**31), st.integers(1, 40), st.integers(0, 60))
def test_some_of_the_flags(seed: int, count: int, num_true: int) -> None:
    flags = torch.zeros(3, 60, dtype=torch.bool)
    for row in flags:
        row[torch.randperm(60, generator=generator(seed))[:num_true]] = True
    places = _some_of(flags, count, generator(seed))
    if num_true == 0:
        assert not places.any()
        return
    assert flags.gather(1, places).all()
    for row in places:
        times = torch.bincount(row, minlength=60)
        assert times.max() <= -(-count // num_true)
        assert (times > 0).sum() == min(count, num_true)


def test_each_flag_is_drawn_as_often_as_any_other() -> None:
    flags = torch.ones(20000, 7, dtype=torch.bool)
    shares = torch.bincount(_some_of(flags, 3, generator()).flatten(), minlength=7) / 20000
    torch.testing.assert_close(shares, torch.full((7,), 3 / 7), atol=0.2, rtol=0)
