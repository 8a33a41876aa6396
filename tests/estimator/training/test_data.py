"""What a training reads: the right frames of the right people, in an order that seeds alone decide."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from dataset.synthetic import number_in
from estimator.tiny_training import tiny_dataset
from hypothesis import given
from hypothesis import strategies as st

from odah.dataset.packed import pack
from odah.dataset.reader import open_dataset
from odah.dataset.squares import CropSettings
from odah.errors import InputError
from odah.estimator.config import DataConfig
from odah.estimator.training.data import BatchOrder, Mixture, Runs, Share, all_in_order, loader, seed_of
from odah.estimator.training.sources import open_sources

DATA = DataConfig(size=32, points=8, length=4)


def test_runs_are_thinned_to_the_wanted_rate(tmp_path: Path) -> None:
    """From 30 frames/s every third is 10, and 20 are the nearest; pictures tell the number of a frame."""
    dataset = tiny_dataset(tmp_path / "d", clips={"ann_a": 23}, splits={}, crop_size=64)
    for rate, starts, first in ((10.0, [0, 6, 12, 13], [0, 3, 6, 9]), (20.0, None, [0, 2, 3, 5])):
        data = DataConfig(size=64, points=8, length=4, rate=rate)
        runs = Runs(dataset, data, length=4, stride=2)
        sample = runs[0, 0]
        found = [number_in(frame.permute(1, 2, 0).numpy()) for frame in sample["images"][0]]
        assert found == first
        np.testing.assert_array_equal(sample["coordinates"], dataset[0].labels.coordinates[first])
        assert sample["K"].shape == (2, 4, 3, 3)
        assert sample["is_frame"].tolist() == [True] * 4
        if starts is not None:
            assert [runs[k, 0]["first_frame"] for k in range(len(runs))] == starts


def test_any_two_views_are_seen_or_the_first_two(tmp_path: Path) -> None:
    dataset = tiny_dataset(tmp_path / "d", views=("front", "side", "back"))
    cameras = dataset[0].labels.T_cam_world
    first = Runs(dataset, DATA, length=1, stride=1)
    for pair in range(4):
        np.testing.assert_array_equal(first[2, pair]["T_cam_world"], cameras[:2])
    any_pair = Runs(dataset, DATA, length=1, stride=1, any_pair=True)
    for pair, views in enumerate(([0, 1], [0, 2], [1, 2])):
        np.testing.assert_array_equal(any_pair[2, pair]["T_cam_world"], cameras[views])
        assert any_pair[2, pair]["images"].shape == (2, 1, 3, 32, 32)


def test_a_mixture_is_its_parts_one_after_the_other(tmp_path: Path) -> None:
    parts = [
        Runs(tiny_dataset(tmp_path / name, clips={f"{name}_x": count}, splits={}), DATA, length=1, stride=1)
        for name, count in (("a", 3), ("b", 2))
    ]
    mixture = Mixture(parts)
    found = [(mixture[k, 0]["clip_id"], mixture[k, 0]["first_frame"]) for k in range(len(mixture))]
    assert found == [("a_x", 0), ("a_x", 1), ("a_x", 2), ("b_x", 0), ("b_x", 1)]


@given(
    num_items=st.integers(1, 60),
    batch=st.integers(1, 9),
    processes=st.integers(1, 3),
    start=st.integers(0, 5),
)
def test_batches_are_full_disjoint_and_the_same_from_any_start(
    num_items: int, batch: int, processes: int, start: int
) -> None:
    orders = [BatchOrder(num_items, batch, 7, Share(rank, processes)) for rank in range(processes)]
    batches = [list(order.batches()) for order in orders]
    assert {len(each) for each in batches} == {len(orders[0])}
    assert all(len(places) == batch for each in batches for places in each)
    seen = [index for each in batches for places in each for index, _ in places]
    assert set(seen) <= set(range(num_items))
    assert len(set(seen)) == min(num_items, len(seen))
    for order, each in zip(orders, batches, strict=True):
        assert list(order.batches(start)) == each[start:]


def test_orders_differ_between_seeds() -> None:
    orders = [[i for b in BatchOrder(40, 8, seed).batches() for i, _ in b] for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == list(range(40))
    assert seed_of(1, "frame", 23) != seed_of(1, "frame", 2, 3) != seed_of("1", "frame2", 3)
    assert seed_of(1, "a") == seed_of(1, "a") < 2**63


def test_validation_sees_every_item_once() -> None:
    found = [i for rank in range(3) for b in all_in_order(10, 2, Share(rank, 3)) for i, _ in b]
    assert sorted(found) == list(range(10))


def test_processes_that_read_give_the_same(tmp_path: Path) -> None:
    runs = Runs(tiny_dataset(tmp_path / "d"), DATA, length=2, stride=2)
    batches = list(BatchOrder(len(runs), 3, 1).batches())
    own, others = (list(loader(runs, batches, workers)) for workers in (0, 2))
    assert len(own) == len(others) == len(batches)
    for batch, other in zip(own, others, strict=True):
        assert batch["clip_id"] == other["clip_id"]
        assert all(torch.equal(batch[k], other[k]) for k in batch if isinstance(batch[k], torch.Tensor))


def opened(folder: Path, data: DataConfig = DATA) -> tuple[Any, list[str]]:
    told: list[str] = []
    return open_sources([folder], data, told.append)[0], told


def test_people_who_train_in_one_folder_and_validate_in_another_are_told(tmp_path: Path) -> None:
    tiny_dataset(tmp_path / "a" / "d")
    tiny_dataset(tmp_path / "b" / "d", splits={"bob_b": "val"})
    told: list[str] = []
    open_sources([tmp_path / "a" / "d", tmp_path / "b" / "d"], DATA, told.append)
    shared = [line for line in told if "validate in" in line]
    name = open_dataset(tmp_path / "a" / "d").info["name"]
    assert shared == [
        f"{tmp_path}/a/d: trains on bob of {name}, who validate in {tmp_path}/b/d",
        f"{tmp_path}/b/d: trains on cyd of {name}, who validate in {tmp_path}/a/d",
    ]


def test_packed_pictures_are_used_where_they_are(tmp_path: Path) -> None:
    dataset = tiny_dataset(tmp_path / "d")
    source, told = opened(tmp_path / "d")
    assert not source.is_packed
    assert told == [
        f"{tmp_path}/d: not packed, so videos are read; quicker after: odah pack {tmp_path}/d --size 32"
    ]
    pack(dataset, settings=CropSettings(32), jobs=1)
    source, told = opened(tmp_path / "d")
    assert source.is_packed
    assert told == []
    assert not opened(tmp_path / "d", DataConfig(size=64))[0].is_packed


def test_without_a_split_val_a_tenth_of_the_subjects_is_held_out(tmp_path: Path) -> None:
    clips = {f"p{k:02}_{action}": 1 for k in range(20) for action in "ab"}
    tiny_dataset(tmp_path / "many", clips=clips, splits={})
    source, told = opened(tmp_path / "many")
    held_out = {clip.subject for clip in source.val}
    assert len(held_out) == 2
    assert len(source.train) + len(source.val) == 40
    assert not held_out & {clip.subject for clip in source.train}
    assert "no split val, so 2 of train are held out: p" in told[0]
    assert {clip.subject for clip in opened(tmp_path / "many")[0].val} == held_out
    tiny_dataset(tmp_path / "one", clips={"ann_a": 1, "ann_b": 1}, splits={})
    source, told = opened(tmp_path / "one")
    assert source.val is None
    assert len(source.train) == 2
    assert "nothing is validated" in told[0]


def test_other_rates_are_told(tmp_path: Path) -> None:
    tiny_dataset(tmp_path / "d")
    assert (
        "30 frames/s, of which one in 3 is taken for 10" in opened(tmp_path / "d", DataConfig(rate=10))[1][0]
    )
    assert "for 20 the nearest frame is taken" in opened(tmp_path / "d", DataConfig(rate=20))[1][0]


def test_the_digest_is_of_the_clips_files_and_splits(tmp_path: Path) -> None:
    tiny_dataset(tmp_path / "a")
    tiny_dataset(tmp_path / "b")
    tiny_dataset(tmp_path / "c", splits={"ann_a": "val"})
    digests = [opened(tmp_path / name)[0].digest for name in "abc"]
    assert digests[0] == digests[1] != digests[2]


def test_datasets_that_do_not_fit_are_told(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    tiny_dataset(tmp_path / "empty", clips={})
    tiny_dataset(tmp_path / "tests", clips={"ann_a": 1}, splits={"ann_a": "test"})
    tiny_dataset(tmp_path / "lone", clips={"ann_a": 1}, views=("side",))
    tiny_dataset(tmp_path / "two", clips={"ann_a": 1})
    tiny_dataset(tmp_path / "other", clips={"ann_a": 1})
    info = tmp_path / "other" / "dataset.json"
    info.write_text(info.read_text().replace('"knee_angle_r"', '"knee_bend_r"'))
    for names, words in (
        (["none"], "none"),
        (["missing"], "missing: found no such folder"),
        (["empty"], "empty: found no clips, expected at least one"),
        (["tests"], "none of its 1 clips in the split train"),
        (["other"], "dataset.json: coordinate_names: found 'knee_bend_r'"),
        (["two", "lone"], "lone: found 1 views beside 2 in"),
        ([], "--data: found nothing"),
    ):
        with pytest.raises(InputError, match=words):
            open_sources([tmp_path / name for name in names], DATA)
