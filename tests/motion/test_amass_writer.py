"""AMASS archives written from motions are read back unchanged, whole or not at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from odah.errors import InputError
from odah.motion import Motion, Source, write_amass
from odah.motion.amass import read_amass
from odah.names import SMPLX_INDEX

NUM_FRAMES = 4
_numbers = st.floats(-1e3, 1e3)


def motion(**changes) -> Motion:
    rng = np.random.default_rng(0)
    made = Motion(
        poses=rng.normal(size=(NUM_FRAMES, 55, 3)),
        transl=rng.normal(size=(NUM_FRAMES, 3)),
        rate=100.0,
        source=Source("made", "test"),
        gender="female",
        betas=rng.normal(size=10),
        surface_model="smplx",
    )
    return replace(made, **changes)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), num_frames=st.integers(1, 6), rate=st.floats(1, 1000), num_betas=st.integers(1, 20))
def test_what_is_written_is_read_back(tmp_path, data, num_frames, rate, num_betas):
    written = motion(
        poses=data.draw(arrays(np.float64, (num_frames, 55, 3), elements=_numbers)),
        transl=data.draw(arrays(np.float64, (num_frames, 3), elements=_numbers)),
        betas=data.draw(arrays(np.float64, num_betas, elements=_numbers)),
        gender=data.draw(st.sampled_from(["male", "female", "neutral"])),
        rate=rate,
    )
    write_amass(tmp_path / "a.npz", written)
    found = read_amass(tmp_path / "a.npz")
    for name in ("poses", "transl", "betas"):
        np.testing.assert_array_equal(getattr(found, name), getattr(written, name))
    assert (found.rate, found.gender, found.surface_model) == (written.rate, written.gender, "smplx")


def test_entries_are_those_of_smplx_in_amass(tmp_path):
    write_amass(tmp_path / "a.npz", motion(betas=None, gender="neutral"))
    with np.load(tmp_path / "a.npz", allow_pickle=False) as archive:
        entries = dict(archive)
    assert entries["poses"].shape == (NUM_FRAMES, 165)
    columns = {"pelvis": 0, "left_hip": 3, "right_wrist": 63, "jaw": 66, "left_eye": 69,
               "left_index1": 75, "right_index1": 120}  # fmt: skip
    for joint, column in columns.items():
        np.testing.assert_array_equal(
            entries["poses"][:, column : column + 3], motion().poses[:, SMPLX_INDEX[joint]]
        )
    np.testing.assert_array_equal(entries["betas"], np.zeros(16))
    assert (str(entries["gender"]), str(entries["surface_model_type"])) == ("neutral", "smplx")
    assert (float(entries["mocap_frame_rate"]), float(entries["mocap_time_length"])) == (100.0, 0.04)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"poses": np.zeros((NUM_FRAMES, 52, 3))}, r"poses: found shape \(4, 52, 3\)"),
        ({"transl": np.zeros((NUM_FRAMES - 1, 3))}, r"trans: found shape \(3, 3\)"),
        ({"poses": np.zeros((0, 55, 3)), "transl": np.zeros((0, 3))}, "at least one"),
        ({"transl": np.full((NUM_FRAMES, 3), np.nan)}, "trans: found values that are NaN"),
        ({"betas": np.full(10, np.inf)}, "betas: found values that are NaN"),
        ({"betas": np.zeros((2, 10))}, r"betas: found shape \(2, 10\)"),
        ({"rate": 0.0}, "frame rate"),
    ],
)
def test_what_could_not_be_read_back_is_not_written(tmp_path, changes, message):
    write_amass(tmp_path / "a.npz", motion())
    before = (tmp_path / "a.npz").read_bytes()
    with pytest.raises(InputError, match=message):
        write_amass(tmp_path / "a.npz", motion(**changes))
    assert (tmp_path / "a.npz").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_only_npz(tmp_path):
    with pytest.raises(InputError, match=r"'\.bvh'"):
        write_amass(tmp_path / "a.bvh", motion())
