"""Opening datasets: typed fields, any run of frames, and damage told in one sentence."""

import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import odah
from odah.dataset.clip_labels import read_labels
from odah.dataset.reader import Dataset
from odah.dataset.video_window import read_window
from odah.errors import InputError
from odah.render.video import read_frames

FRAMES = 150  # more than two groups of pictures


@pytest.fixture(scope="module")
def dataset(synthetic: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return synthetic.Synthetic(
        {"anna_walk": FRAMES, "anna_wave": 7, "berta_walk": 7},
        splits={"berta_walk": "test"},
        subsets={"anna_wave": ("small", "large"), "berta_walk": ("large",)},
    ).write(tmp_path_factory.mktemp("reader") / "dataset")


def test_importing_odah_is_instant_and_opens_datasets(dataset: Dataset) -> None:
    code = "import sys, odah; assert 'numpy' not in sys.modules; print(len(odah.open_dataset(sys.argv[1])))"
    command = [sys.executable, "-c", code, str(dataset.paths.root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("3\n", "")
    with pytest.raises(AttributeError, match="no attribute 'open_datasets'"):
        _ = odah.open_datasets  # type: ignore[attr-defined]


def test_a_clip_has_typed_fields(dataset: Dataset) -> None:
    clip = dataset["berta_walk"]
    assert (clip.clip_id, clip.subject, clip.person, clip.split) == ("berta_walk", "berta", "berta", "test")
    assert (clip.num_frames, clip.rate, clip.subsets, clip.views) == (7, 30.0, ("large",), ("front", "side"))
    assert clip.model_path == dataset.paths.root / "subjects" / "berta" / "model.osim"
    assert list(clip.cameras) == ["front", "side"]
    assert clip.calibrated_cameras["side"] is clip.cameras["side"]
    world = clip.labels.joints @ clip.labels.T_world_ground[:3, :3].T
    pixels = clip.cameras["side"].project(world)
    np.testing.assert_allclose(clip.labels.keypoints[1], pixels, atol=1e-3)


def test_labels_are_fields_and_a_mapping(dataset: Dataset) -> None:
    labels = dataset[1].labels
    assert labels.coordinates is labels["coordinates"]
    assert labels.crops is None
    assert "crops" not in labels
    stored = read_labels(dataset[1].folder / "labels.npz")
    assert {**labels}.keys() == stored.keys()
    for name, array in labels.items():
        np.testing.assert_array_equal(array, stored[name])


def test_clips_are_found_by_name_place_split_and_subset(dataset: Dataset) -> None:
    assert [clip.clip_id for clip in dataset] == ["anna_walk", "anna_wave", "berta_walk"]
    assert dataset[-1].clip_id == "berta_walk"
    assert dataset.split("train").clip_ids == ("anna_walk", "anna_wave")
    assert dataset.split("train").subset("large").clip_ids == ("anna_wave",)
    assert len(dataset.split("val")) == 0
    assert "anna_walk" in dataset
    assert "anna_walk" not in dataset.split("test")
    for wrong, words in (
        (lambda: dataset["clara"], "no clip 'clara', expected one of 3 clips"),
        (lambda: dataset.split("trian"), "'trian', expected one of train, val, test"),
        (lambda: dataset.subset("smal"), "'smal', expected one of large, small"),
        (lambda: dataset[0].frames("top"), "'top', expected one of front, side"),
        (lambda: dataset[1].frames("front", 3, 9), "3 to 9, expected a part of 0 to 7"),
        (lambda: dataset[1].frames("front", 3, 3), "3 to 3, expected"),
        (lambda: dataset[1].parts("front"), "front_parts.mkv: found no such file"),
    ):
        with pytest.raises(InputError, match=words):
            wrong()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.integers(0, FRAMES - 1), length=st.integers(1, 40))
def test_any_run_of_frames_is_the_right_one(
    dataset: Dataset, synthetic: ModuleType, start: int, length: int
) -> None:
    clip, stop = dataset["anna_walk"], min(start + length, FRAMES)
    numbers = [synthetic.number_in(frame) for frame in clip.frames("side", start, stop)]
    assert numbers == list(range(start, stop))


def test_runs_of_frames_are_the_pixels_of_the_whole_video(dataset: Dataset) -> None:
    clip = dataset["anna_walk"]
    whole = np.stack(list(read_frames(clip.video("front"))))
    masks = np.stack(list(read_frames(clip.picture("front", "mask"), "gray"))) > 127
    for start, stop in ((0, 3), (58, 63), (121, 125), (FRAMES - 1, FRAMES)):
        np.testing.assert_array_equal(clip.frames("front", start, stop), whole[start:stop])
        np.testing.assert_array_equal(clip.masks("front", start, stop), masks[start:stop])


def test_what_was_read_is_not_sent_to_other_processes(dataset: Dataset) -> None:
    clip = dataset.clips[0]
    assert clip.labels.time.shape == (FRAMES,)
    data = pickle.dumps((dataset, clip))
    assert len(data) < 10_000
    other, copy = pickle.loads(data)
    assert copy == clip
    assert other.clip_ids == dataset.clip_ids


@pytest.fixture
def broken(dataset: Dataset, tmp_path: Path) -> Path:
    """A copy of a clip's folder, to be damaged."""
    shutil.copytree(dataset["anna_wave"].folder, tmp_path / "clips" / "anna_wave")
    shutil.copy(dataset.paths.info, tmp_path)
    return tmp_path / "clips" / "anna_wave"


def changed(data: bytes, places: list[tuple[float, int]], keep: float) -> bytes:
    damaged = bytearray(data[: max(1, int(keep * len(data)))])
    for place, value in places:
        damaged[int(place * (len(damaged) - 1))] = value
    return bytes(damaged)


DAMAGE = st.tuples(
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6),
    st.sampled_from([1.0, 1.0, 0.7, 0.01]),
)


@pytest.mark.parametrize("name", ["labels.npz", "clip.json", "front.mp4", "front_mask.mkv"])
def test_damaged_files_are_told_in_one_sentence_or_read(broken: Path, name: str) -> None:
    path = broken / name
    whole = path.read_bytes()

    @settings(max_examples=40)
    @given(damage=DAMAGE)
    def check(damage: tuple[list[tuple[float, int]], float]) -> None:
        path.write_bytes(changed(whole, *damage))
        clip = odah.open_dataset(broken.parents[1])[0]
        try:
            if name == "labels.npz":
                assert clip.labels.joints.shape == (7, 22, 3)
            elif name == "clip.json":
                assert clip.cameras
                assert clip.split
                assert clip.num_frames > 0
            else:
                kind = "rgb24" if name == "front.mp4" else "gray"
                assert len(list(read_window(path, 2, 7, 30.0, kind))) == 5
        except InputError as error:
            assert len(str(error).splitlines()) == 1  # noqa: PT017

    check()


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((7, 22, 3), int), "joints: found numbers of type int64, expected type float"),
        (np.zeros((6, 22, 3)), r"joints: found shape \(6, 22, 3\), expected shape \(7, 'J', 3\)"),
        (None, "joints: found nothing, expected an array"),
    ],
)
def test_labels_of_another_kind_are_refused(broken: Path, array: np.ndarray | None, words: str) -> None:
    labels = read_labels(broken / "labels.npz")
    del labels["joints"]
    if array is not None:
        labels["joints"] = array
    np.savez(broken / "labels.npz", **labels)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=words):
        read_labels(broken / "labels.npz")


def test_a_video_that_is_too_short_is_told(broken: Path) -> None:
    record = json.loads((broken / "clip.json").read_text())
    (broken / "clip.json").write_text(json.dumps(record | {"num_frames": 9}))
    clip = odah.open_dataset(broken.parents[1])[0]
    with pytest.raises(InputError, match="no frame 7, expected a video of at least 9 frames"):
        clip.frames("front")
    (broken / "clip.json").write_text(json.dumps(record | {"num_frames": "7"}))
    with pytest.raises(InputError, match="num_frames: found '7'"):
        odah.open_dataset(broken.parents[1])[0].frames("front")
