"""Which two of a sample's views the network gets."""

from __future__ import annotations

import torch
from estimator.solids import generator, made_sample

from odah.estimator.inputs.pair import choose_pair

FOUR = (-90.0, -50.0, -10.0, 30.0)


def test_the_first_two_views_and_all_labels() -> None:
    sample = made_sample(angles_deg=FOUR, frames=2, size=16, labels=True)
    pair = choose_pair(sample, generator())
    for name in ("images", "masks", "K", "T_cam_world"):
        assert torch.equal(getattr(pair, name), sample[name][:, :2])
    assert pair.is_view.all()
    assert pair.labels is not None
    for name in ("coordinates", "joints", "body_coms", "scale_factors"):
        assert torch.equal(getattr(pair.labels, name), sample[name])


def test_any_two_views_in_any_order_with_what_belongs_to_them() -> None:
    sample = made_sample(angles_deg=FOUR, sequences=100, frames=1, size=8)
    sample["images"] = torch.arange(4, dtype=torch.uint8).view(1, 4, 1, 1, 1, 1).expand(100, 4, 1, 3, 8, 8)
    pair = choose_pair(sample, generator(), any_pair=True)
    views = pair.images[:, :, 0, 0, 0, 0].long()
    assert {tuple(two) for two in views.tolist()} == {(a, b) for a in range(4) for b in range(4) if a != b}
    rows = torch.arange(100)[:, None]
    for name in ("masks", "K", "T_cam_world"):
        assert torch.equal(getattr(pair, name), sample[name][rows, views])


def test_a_lone_view_is_the_first_and_the_second_is_withheld() -> None:
    sample = made_sample(angles_deg=(20.0,), frames=2, size=16)
    for any_pair in (False, True):
        pair = choose_pair(sample, generator(), any_pair=any_pair)
        assert pair.is_view.tolist() == [[True, False]] * 2
        assert torch.equal(pair.masks[:, 0], sample["masks"][:, 0])
        assert not pair.masks[:, 1].any()
        assert pair.images.shape == (2, 2, 2, 3, 16, 16)


def test_either_view_may_be_withheld_and_the_other_comes_first() -> None:
    sample = made_sample(sequences=60, frames=1, size=16)
    pair = choose_pair(sample, generator(), dropout=0.5)
    is_lone = ~pair.is_view[:, 1]
    assert pair.is_view[:, 0].all()
    assert 15 < is_lone.sum() < 45
    is_second = (pair.T_cam_world[:, 0] == sample["T_cam_world"][:, 1]).flatten(1).all(1)
    assert is_second[is_lone].any()
    assert not is_second[is_lone].all()
    assert not is_second[~is_lone].any()
    assert torch.equal(pair.masks[:, 1].flatten(1).any(1), ~is_lone)


def test_same_state_same_pair_and_no_labels_where_there_are_none() -> None:
    sample = made_sample(angles_deg=FOUR, sequences=20, frames=1, size=8)
    first, again = (choose_pair(sample, generator(4), any_pair=True, dropout=0.5) for _ in range(2))
    assert first.labels is None
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.is_view, again.is_view)
