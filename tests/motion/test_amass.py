"""AMASS archives: column layouts, rates, genders, and files that are not what they say."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odah.errors import InputError
from odah.motion.amass import read_amass
from odah.names import SMPLX_INDEX

NUM_FRAMES = 5


def smplh(**changes) -> dict:
    rng = np.random.default_rng(0)
    entries = {
        "poses": rng.normal(size=(NUM_FRAMES, 156)),
        "trans": rng.normal(size=(NUM_FRAMES, 3)),
        "betas": rng.normal(size=16),
        "dmpls": rng.normal(size=(NUM_FRAMES, 8)),
        "gender": np.array("male"),
        "mocap_framerate": np.array(120.0),
    }
    return {key: value for key, value in (entries | changes).items() if value is not None}


def saved(folder, entries):
    path = folder / "motion.npz"
    np.savez(path, **entries)
    return path


def test_smplh_columns_go_to_the_same_named_joints(tmp_path):
    entries = smplh()
    motion = read_amass(saved(tmp_path, entries))
    assert motion.poses.shape == (NUM_FRAMES, 55, 3)
    columns = {"pelvis": 0, "left_wrist": 60, "left_index1": 66, "left_thumb3": 108, "right_index1": 111,
               "right_thumb3": 153}  # fmt: skip
    for joint, column in columns.items():
        np.testing.assert_array_equal(
            motion.poses[:, SMPLX_INDEX[joint]], entries["poses"][:, column : column + 3]
        )
    assert not motion.poses[:, [SMPLX_INDEX[j] for j in ("jaw", "left_eye", "right_eye")]].any()
    np.testing.assert_array_equal(motion.transl, entries["trans"])
    assert (motion.rate, motion.gender, motion.surface_model) == (120.0, "male", "smplh")
    np.testing.assert_array_equal(motion.betas, entries["betas"])


def test_smplx_columns_are_already_in_order(tmp_path):
    poses = np.random.default_rng(1).normal(size=(NUM_FRAMES, 165))
    motion = read_amass(saved(tmp_path, smplh(poses=poses, surface_model_type=np.array("smplx"))))
    np.testing.assert_array_equal(motion.poses.reshape(NUM_FRAMES, -1), poses)
    assert motion.surface_model == "smplx"


def test_split_keys_equal_the_joined_columns(tmp_path):
    poses = np.random.default_rng(2).normal(size=(NUM_FRAMES, 165))
    parts = {"root_orient": poses[:, :3], "pose_body": poses[:, 3:66], "pose_jaw": poses[:, 66:69],
             "pose_eye": poses[:, 69:75], "pose_hand": poses[:, 75:]}  # fmt: skip
    motion = read_amass(saved(tmp_path, smplh(poses=None, **parts)))
    np.testing.assert_array_equal(motion.poses.reshape(NUM_FRAMES, -1), poses)
    assert motion.surface_model == "smplx"


@pytest.mark.parametrize(
    ("gender", "expected"),
    [
        (np.array("female"), "female"),
        (np.bytes_(b"male"), "male"),
        (np.array(["neutral"]), "neutral"),
        (None, "neutral"),
    ],
)
def test_gender_may_be_text_bytes_or_absent(tmp_path, gender, expected):
    assert read_amass(saved(tmp_path, smplh(gender=gender))).gender == expected


def test_rate_has_two_names_and_may_be_overridden(tmp_path):
    entries = smplh(mocap_framerate=None, mocap_frame_rate=np.array([120.00004577]))
    path = saved(tmp_path, entries)
    assert read_amass(path).rate == pytest.approx(120.00004577)
    assert read_amass(path, rate=60).rate == 60.0


def test_ten_betas_or_none(tmp_path):
    assert read_amass(saved(tmp_path, smplh(betas=np.zeros((1, 10))))).betas.shape == (10,)
    assert read_amass(saved(tmp_path, smplh(betas=None))).betas is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"poses": None}, "poses"),
        ({"poses": np.zeros((NUM_FRAMES, 155))}, "poses"),
        ({"poses": np.zeros(156)}, "poses"),
        ({"poses": np.zeros((0, 156))}, "poses"),
        ({"poses": np.full((NUM_FRAMES, 156), np.nan)}, "poses"),
        ({"poses": np.array(["a"])}, "poses"),
        ({"poses": None, "root_orient": np.zeros((NUM_FRAMES, 3))}, "pose_body"),
        ({"trans": None}, "trans"),
        ({"trans": np.zeros((NUM_FRAMES + 1, 3))}, "trans"),
        ({"trans": np.full((NUM_FRAMES, 3), np.inf)}, "trans"),
        ({"mocap_framerate": None}, "frame rate"),
        ({"mocap_framerate": np.array(0.0)}, "frame rate"),
        ({"mocap_framerate": np.array([1.0, 2.0])}, "framerate"),
        ({"gender": np.array("robot")}, "gender"),
        ({"gender": np.array(3)}, "gender"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path, changes, field):
    with pytest.raises(InputError, match=field) as caught:
        read_amass(saved(tmp_path, smplh(**changes)))
    assert "motion.npz" in str(caught.value)


class _Bomb:
    def __reduce__(self):
        return exec, ("raise AssertionError('unpickled')",)


@pytest.mark.parametrize("key", ["poses", "gender", "betas"])
def test_pickles_are_refused_not_run(tmp_path, key):
    path = saved(tmp_path, smplh(**{key: np.array([_Bomb()], dtype=object)}))
    with pytest.raises(InputError, match=f"{key}: found an unreadable or pickled entry"):
        read_amass(path)


def test_unneeded_pickles_are_ignored(tmp_path):
    assert (
        read_amass(saved(tmp_path, smplh(labels=np.array([_Bomb()], dtype=object)))).num_frames == NUM_FRAMES
    )


def test_files_that_are_no_archives(tmp_path):
    single = tmp_path / "single.npz"
    with single.open("wb") as file:
        np.save(file, np.zeros(3))
    with zipfile.ZipFile(tmp_path / "raw.npz", "w") as archive:
        archive.writestr("poses", b"no array")
    (tmp_path / "text.npz").write_text("poses")
    (tmp_path / "empty.npz").touch()
    for name in ("single", "raw", "text", "empty", "absent"):
        with pytest.raises(InputError, match=f"{name}.npz"):
            read_amass(tmp_path / f"{name}.npz")


def _archive_bytes() -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **smplh())
    return buffer.getvalue()


ARCHIVE = _archive_bytes()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    end=st.integers(1, len(ARCHIVE)),
    changes=st.lists(st.tuples(st.integers(0, len(ARCHIVE) - 1), st.integers(0, 255)), max_size=4),
)
def test_damaged_archives_end_in_an_input_error_or_are_whole(tmp_path, end, changes):
    damaged = bytearray(ARCHIVE)
    for position, byte in changes:
        damaged[position] = byte
    path = tmp_path / "damaged.npz"
    path.write_bytes(damaged[:end])
    try:
        motion = read_amass(path)
    except InputError:
        return
    assert motion.poses.shape == (NUM_FRAMES, 55, 3)
    assert np.isfinite(motion.poses).all()
