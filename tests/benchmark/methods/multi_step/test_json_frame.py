"""One file of keypoints: what is read, and that nothing else gets through."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odah.benchmark.methods.multi_step.json_frame import numbered_files, read_people
from odah.errors import InputError

VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=7) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)
NUMBERS = st.floats() | st.integers(-(10**400), 10**400) | st.none() | st.booleans()
PEOPLE = st.fixed_dictionaries(
    {
        "people": st.lists(
            st.fixed_dictionaries({"pose_keypoints_2d": st.lists(NUMBERS, max_size=7)}), max_size=3
        )
    }
)


def read(content: bytes) -> np.ndarray | None:
    """None if it is refused."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a_000.json"
        path.write_bytes(content)
        try:
            return read_people(path, 2)
        except InputError:
            return None


@settings(max_examples=150)
@given(VALUES | PEOPLE)
def test_any_json_is_read_or_refused(content):
    people = read(json.dumps(content).encode())
    if people is not None:
        assert people.shape == (len(content["people"]), 2, 3)
        assert np.isfinite(people).all()
        assert ((people[..., 2] >= 0) & (people[..., 2] <= 1)).all()


@settings(max_examples=60)
@given(st.binary(max_size=40), st.integers(0, 60))
def test_damaged_bytes_are_read_or_refused(damage, place):
    whole = json.dumps({"people": [{"pose_keypoints_2d": [1, 2, 0.5, 3, 4, 0.25]}]}).encode()
    people = read(whole[:place] + damage + whole[place + len(damage) :])
    assert people is None or people.shape[1:] == (2, 3)


def test_values_and_absent_keypoints():
    row = [10.5, 20, 0.5, 0, 0, 0]
    strange = [float("nan"), 3, 0.5, 7, 8, 1.4]
    people = read(
        json.dumps({"version": 1.3, "people": [{"pose_keypoints_2d": r} for r in (row, strange)]}).encode()
    )
    np.testing.assert_array_equal(people, [[[10.5, 20, 0.5], [0, 0, 0]], [[0, 0, 0], [7, 8, 1]]])
    assert read(b'{"people": []}').shape == (0, 2, 3)
    assert read(b"[" * 100_000) is None


def test_other_numbers_of_keypoints_are_named(tmp_path):
    path = tmp_path / "cam1_000004.json"
    path.write_text(json.dumps({"people": [{"pose_keypoints_2d": [0] * 51}]}))
    with pytest.raises(InputError, match=r"people\[0\].pose_keypoints_2d: found 51 numbers, expected 78"):
        read_people(path, 26)


def test_frames_are_the_numbers_that_end_the_names(tmp_path):
    for name in ("v2_000000000012_keypoints.json", "cam1_000003.json", "settings.json", "notes_4.txt"):
        (tmp_path / name).write_text("{}")
    files, strangers = numbered_files(tmp_path)
    assert {number: path.name for number, path in files.items()} == {
        12: "v2_000000000012_keypoints.json",
        3: "cam1_000003.json",
    }
    assert strangers == ["settings.json"]
    (tmp_path / "other_3.json").write_text("{}")
    with pytest.raises(InputError, match="expected one file a frame"):
        numbered_files(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        numbered_files(tmp_path / "nothing")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="no files whose names end"):
        numbered_files(empty)
