import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odah.dataset.index import read_index, update_index
from odah.dataset.index_columns import BUDGET, index_columns, index_row, index_schema
from odah.dataset.reader import Dataset
from odah.errors import InputError


def test_a_row_tells_who_what_whence_and_where(made_up) -> None:
    dataset = made_up()
    dataset.add(
        "ann_walking", person="ann_bmi+4", bmi_variant=4.0, subsets=["small", "large"], num_frames=45,
        flags=["knee beyond its range"], error_budget={"marker_rms_mm": 12.5, "mesh_joint_mean_mm": None},
        body={"kind": "/home/me/SMPLX_NEUTRAL.npz"},
    )  # fmt: skip
    update_index(dataset.paths)
    (row,) = pd.read_parquet(dataset.paths.index).to_dict("records")
    assert (row["clip"], row["subject"], row["person"]) == ("ann_walking", "ann", "ann_bmi+4")
    assert (row["bmi_variant"], row["gender"], row["height"], row["bmi"]) == (4.0, "female", 1.7, 20.76)
    assert (row["num_frames"], row["rate"], row["duration"]) == (45, 30.0, 1.5)
    assert (row["motion_format"], row["body_kind"], row["engine"]) == (
        "builtin",
        "SMPLX_NEUTRAL.npz",
        "cycles",
    )
    assert (row["marker_rms_mm"], row["mesh_joint_p95_mm"]) == (12.5, 1.0)
    assert pd.isna(row["mesh_joint_mean_mm"])
    assert list(row["flags"]) == ["knee beyond its range"]
    assert list(row["subsets"]) == ["small", "large"]
    assert row["model"] == "subjects/ann_bmi+4/model.osim"
    assert (row["video_side"], row["mask_front"]) == (
        "clips/ann_walking/side.mp4",
        "clips/ann_walking/front_mask.mkv",
    )
    assert (row["sha256_labels.npz"], row["inputs"]) == ("cd" * 32, "ab" * 32)


def test_columns_are_the_same_whatever_is_known(made_up) -> None:
    dataset = made_up()
    update_index(dataset.paths)
    empty = read_index(dataset.paths)
    assert len(empty) == 0
    dataset.add("ann_walking", body={"gender": None, "height": None}, error_budget=None, inputs=None)
    update_index(dataset.paths)
    assert read_index(dataset.paths).schema.equals(empty.schema)
    told = pq.read_schema(dataset.paths.split("train")).field("mass").metadata
    assert told[b"description"] == b"of the volume of the person's mesh, kg"


def test_an_index_without_its_splits_is_made_anew(made_up) -> None:
    dataset = made_up()
    dataset.add("ann_walking")
    update_index(dataset.paths)
    dataset.paths.split("train").unlink()
    assert update_index(dataset.paths).num_read == 1
    assert dataset.paths.split("train").is_file()


def test_some_columns_can_be_read_alone(made_up) -> None:
    dataset = made_up()
    dataset.add("ann_walking")
    update_index(dataset.paths)
    assert read_index(dataset.paths, ("inputs", "split")).to_pylist() == [
        {"inputs": "ab" * 32, "split": "train"}
    ]


def test_what_was_whole_and_is_damaged_now_loses_its_row(made_up) -> None:
    dataset = made_up()
    dataset.add("ann_walking")
    dataset.add("bob_walking")
    update_index(dataset.paths)
    dataset.write("ann_walking", "{")
    assert len(update_index(dataset.paths).damaged) == 1
    assert read_index(dataset.paths)["clip"].to_pylist() == ["bob_walking"]


def test_only_records_that_changed_are_read_again(made_up) -> None:
    dataset = made_up()
    for name in ("ann_walking", "bob_running", "cy_sitting"):
        dataset.add(name)
    assert (update_index(dataset.paths).num_read, update_index(dataset.paths).num_read) == (3, 0)
    path = dataset.add("bob_running", num_frames=12)
    update = update_index(dataset.paths)
    assert (update.num_clips, update.num_read) == (3, 1)
    assert read_index(dataset.paths)["num_frames"].to_pylist() == [90, 12, 90]
    state = path.stat()
    path.write_text(path.read_text().replace('"num_frames": 12', '"num_frames": 34'))  # of the same size
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    assert update_index(dataset.paths).num_read == 1
    assert read_index(dataset.paths)["num_frames"].to_pylist() == [90, 34, 90]


def test_step_by_step_makes_the_same_rows_as_at_once(made_up) -> None:
    dataset = made_up()
    for name in ("dan_walking", "ann_walking", "cy_walking"):
        dataset.add(name)
        update_index(dataset.paths)
    stepwise = read_index(dataset.paths)
    dataset.paths.index.unlink()
    update_index(dataset.paths)
    assert stepwise.equals(read_index(dataset.paths))
    assert stepwise["clip"].to_pylist() == ["ann_walking", "cy_walking", "dan_walking"]


def test_clips_that_are_gone_or_unfinished_have_no_row(made_up) -> None:
    dataset = made_up()
    path = dataset.add("ann_walking")
    dataset.add("bob_walking")
    dataset.write(".cy_walking.x8f3", "{}")
    dataset.paths.clip("dan_walking").mkdir()
    (dataset.paths.clips / "notes.txt").write_text("x")
    assert update_index(dataset.paths).num_clips == 2
    path.unlink()
    assert update_index(dataset.paths).num_clips == 1
    assert read_index(dataset.paths)["clip"].to_pylist() == ["bob_walking"]


def test_each_split_has_its_rows_in_a_file(made_up) -> None:
    dataset = made_up()
    dataset.add("ann_walking")
    dataset.add("bob_walking", split="test")
    update_index(dataset.paths)
    assert sorted(path.name for path in (dataset.paths.root / "splits").iterdir()) == [
        "test.parquet",
        "train.parquet",
    ]
    assert pd.read_parquet(dataset.paths.split("test"))["clip"].tolist() == ["bob_walking"]
    dataset.add("bob_walking", split="val")
    update_index(dataset.paths)
    assert not dataset.paths.split("test").exists()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"clip": ', "found no readable record"),
        ("[1, 2]", "found no readable record"),
        ("{}", "clip: found nothing, expected text"),
    ],
)
def test_a_damaged_record_costs_its_own_row_only(made_up, text: str, why: str) -> None:
    dataset = made_up()
    dataset.add("ann_walking")
    path = dataset.write("bob_walking", text)
    update = update_index(dataset.paths)
    assert update.num_clips == 1
    (sentence,) = update.damaged
    assert sentence.startswith(str(path))
    assert why in sentence


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (
            {"clip": "ann_walking"},
            "clip: found 'ann_walking', expected 'bob_walking', the name of its folder",
        ),
        ({"split": "holdout"}, "split: found 'holdout', expected one of train, val, test"),
        ({"num_frames": "12"}, "num_frames: found '12', expected a whole number"),
        ({"rate": 0}, "rate: found 0.0, expected more than 0"),
        ({"source": {"licence": None}}, "source.licence: found nothing, expected text"),
        ({"error_budget": {"marker_rms_mm": "low"}}, "error_budget.marker_rms_mm: found 'low'"),
        ({"flags": "none"}, "flags: found 'none', expected a list of texts"),
    ],
)
def test_a_wrong_value_is_named(made_up, changes: dict[str, Any], why: str) -> None:
    dataset = made_up()
    dataset.add("ann_walking")
    dataset.add("bob_walking", **changes)
    update = update_index(dataset.paths)
    assert update.num_clips == 1
    assert why in update.damaged[0]


def test_an_index_that_cannot_be_used_is_made_anew(made_up) -> None:
    dataset = made_up()
    dataset.add("ann_walking")
    dataset.paths.index.write_bytes(b"PAR1 but no more")
    assert update_index(dataset.paths).num_read == 1
    pq.write_table(pa.table({"clip": ["ann_walking"], "num_frames": [3]}), dataset.paths.index)
    assert update_index(dataset.paths).num_read == 1


def test_reading_an_index_says_what_is_wrong_with_it(made_up) -> None:
    dataset = made_up()
    with pytest.raises(InputError, match="found no such file, expected the index"):
        read_index(dataset.paths)
    dataset.paths.index.write_bytes(b"PAR1 but no more")
    with pytest.raises(InputError, match="found no readable table"):
        read_index(dataset.paths)
    pq.write_table(pa.table({"clip": [3]}), dataset.paths.index)
    with pytest.raises(InputError, match="clip: found no such column, expected one of type string"):
        read_index(dataset.paths)


def test_any_names_of_views_make_different_columns(made_up) -> None:
    info = made_up(views=("clip", "front", "front_mask", "labels")).info
    names = [column.name for column in index_columns(info)]
    assert len(set(names)) == len(names)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_KEYS = (
    ("clip",), ("split",), ("num_frames",), ("rate",), ("source",), ("source", "path"), ("body",), ("scene",),
    ("scene", "cameras"), ("error_budget",), ("error_budget", "reprojection_px"), ("flags",), ("subsets",),
    ("sha256",), ("person",), ("bmi_variant",),
)  # fmt: skip


def test_no_value_makes_anything_but_a_row_or_a_sentence(made_up) -> None:
    dataset = made_up()
    text = json.dumps(dataset.record("ann_walking"))
    columns = index_columns(dataset.info)

    @settings(max_examples=200)
    @given(keys=st.sampled_from(_KEYS), value=_JSON)
    def check(keys: tuple[str, ...], value: Any) -> None:
        record = json.loads(text)
        (record if len(keys) == 1 else record[keys[0]])[keys[-1]] = value
        try:
            row = index_row(record, Path("clips/ann_walking/clip.json"), columns)
        except InputError:
            return
        assert pa.Table.from_pylist([row], index_schema(columns))["clip"].to_pylist() == ["ann_walking"]

    check()


@pytest.mark.blender
def test_every_number_of_the_error_budget_has_a_column(tiny_dataset: Dataset) -> None:
    budget = tiny_dataset.clips[0].record["error_budget"]
    numbers = {name for name, value in budget.items() if not isinstance(value, list)}
    assert numbers == {column.name for column in BUDGET}


@pytest.mark.blender
def test_the_index_of_a_real_dataset_is_whole(tiny_dataset: Dataset) -> None:
    table = pd.read_parquet(tiny_dataset.paths.index)
    assert table["action"].tolist() == ["hand_waving", "walking"]
    assert (table["joints_inside_mask"] >= 0.99).all()
    known = table.drop(columns=["marker_rms_mm"])
    assert not known.isna().any(axis=None), known.columns[known.isna().any()].tolist()
    paths = [name for name in table.columns.astype(str) if name.startswith(("video_", "mask_", "parts_"))]
    for name in (*paths, "record", "labels", "kinematics", "markers", "model"):
        assert all((tiny_dataset.paths.root / path).is_file() for path in table[name])
