"""odah's own datasets as recordings: crops, masks, calibrations, pictures that come late."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from dataset.synthetic import Synthetic

from odah.benchmark.datasets.odah_dataset import read_odah_dataset
from odah.dataset.reader import open_dataset
from odah.dataset.squares import in_crops
from odah.errors import InputError
from odah.names import OPENSIM_JOINTS

LENS = (0.05, -0.1, 0.001, -0.002)
SIZE = (480, 360)
CLIPS = {"anna_walk": 9, "ben_sit": 7, "ben_walk": 5}
SPLITS = {"anna_walk": "test", "ben_sit": "val", "ben_walk": "test"}


def draw_dots(root: Path, dots, crop_size: int | None, late: int = 0) -> None:
    """Replace the videos: frame k shows the motion of frame k - late, projected by OpenCV from the labels."""
    dataset = open_dataset(root)
    for clip in dataset:
        labels = clip.labels
        places = [OPENSIM_JOINTS.index(name) for name in dots.DOTS]
        world = labels.joints[:, places].astype(float) @ labels.T_world_ground[:3, :3].T.astype(float)
        for v, view in enumerate(clip.views):
            R, t = labels.T_cam_world[v, :3, :3].astype(float), labels.T_cam_world[v, :3, 3].astype(float)
            K, lens = labels.K[v].astype(float), labels.distortion[v].astype(float)
            shown = world[np.clip(np.arange(len(world)) - late, 0, None)]
            pixels = np.stack(
                [cv2.projectPoints(each, cv2.Rodrigues(R)[0], t, K, lens)[0][:, 0] for each in shown]
            )
            size = SIZE
            if crop_size is not None:
                assert labels.crops is not None
                pixels, size = in_crops(pixels, labels.crops[v], crop_size), (crop_size, crop_size)
            dots.write_video(clip.video(view), [dots.dotted(each, size) for each in pixels], round(clip.rate))


def change(path: Path, edit: Callable[[dict], None]) -> None:
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize("crop_size", [None, 256])
def test_joints_project_onto_the_dots(tmp_path, dots, crop_size):
    Synthetic(CLIPS, SIZE, crop_size=crop_size, splits=SPLITS, distortion=LENS).write(tmp_path / "set")
    draw_dots(tmp_path / "set", dots, crop_size)
    recordings, notes = read_odah_dataset(tmp_path / "set")
    assert [(each.name, each.subject, each.action) for each in recordings] == [
        ("anna_walk", "anna", "moving"), ("ben_walk", "ben", "moving"),
    ]  # fmt: skip
    assert sum("model.osim" in note for note in notes) == len(notes) > 0
    for recording in recordings:
        assert list(recording.views) == ["front", "side"]
        for view in recording.views.values():
            assert (view.crops is None) == (crop_size is None)
            assert view.mask is not None
            assert dots.pixel_errors(recording, view, crop_size).max() < 2


def test_late_pictures_are_known_of_the_true_cameras_only(tmp_path, dots):
    root = tmp_path / "set"
    Synthetic(CLIPS, SIZE, splits=SPLITS).write(root)
    draw_dots(root, dots, None, late=2)

    def make_late(record: dict) -> None:
        record["scene"]["calibrated"] = [dict(camera) for camera in record["scene"]["cameras"]]
        for camera in record["scene"]["cameras"]:
            camera["frame_offset"] = 2

    for name in CLIPS:
        change(root / "clips" / name / "clip.json", make_late)
    (recording, *_), _ = read_odah_dataset(root)
    view = recording.views["side"]
    np.testing.assert_array_equal(view.frames, [2, 3, 4, 5, 6, 7, 8, 8, 8])
    (calibrated, *_), _ = read_odah_dataset(root, cameras="calibrated")
    np.testing.assert_array_equal(calibrated.views["side"].frames, np.arange(9))
    late = dots.pixel_errors(calibrated, calibrated.views["side"])
    true = dots.pixel_errors(recording, view)
    assert np.mean(true < 2) > 6 / 9 > np.mean(late < 2)


def test_truth_is_that_of_the_labels(tmp_path):
    dataset = Synthetic(CLIPS, splits=SPLITS).write(tmp_path / "set")
    (recording,), _ = read_odah_dataset(tmp_path / "set", "val")
    truth, labels = recording.truth, dataset["ben_sit"].labels
    np.testing.assert_array_equal(truth.coordinates, labels.coordinates)
    np.testing.assert_array_equal(truth.scale_factors, labels.scale_factors)
    np.testing.assert_allclose(truth.times, np.arange(7) / 30)
    assert truth.model is None
    assert len(read_odah_dataset(tmp_path / "set", None)[0]) == 3


def test_what_is_missing_is_left_out(tmp_path):
    root = tmp_path / "set"
    Synthetic(CLIPS, splits=SPLITS).write(root)
    (root / "clips" / "anna_walk" / "side.mp4").unlink()
    (root / "clips" / "ben_walk" / "labels.npz").write_bytes(b"nothing")
    (root / "clips" / "ben_sit" / "clip.json").write_text("{")
    recordings, notes = read_odah_dataset(root)
    assert [list(recording.views) for recording in recordings] == [["front"]]
    told = "\n".join(notes)
    assert all(name in told for name in ("side.mp4", "ben_walk/labels.npz", "ben_sit/clip.json"))
    with pytest.raises(InputError):
        read_odah_dataset(root, strict=True)


@pytest.mark.parametrize("options", [{"split": "exam"}, {"split": "train"}])
def test_options_that_mean_nothing(tmp_path, options):
    Synthetic(CLIPS, splits=SPLITS).write(tmp_path / "set")
    with pytest.raises(InputError):
        read_odah_dataset(tmp_path / "set", **options)


def test_damaged_files_are_told_of_in_a_sentence(tmp_path, damaged):
    root = tmp_path / "set"
    Synthetic({"anna_walk": 4}, splits=SPLITS).write(root)
    for name in ("clips/anna_walk/clip.json", "clips/anna_walk/labels.npz", "dataset.json"):
        whole = (root / name).read_bytes()
        for seed in range(20):
            damaged(root / name, np.random.default_rng(seed))
            try:
                for recording in read_odah_dataset(root)[0]:
                    _ = recording.truth
            except InputError:
                pass
            (root / name).write_bytes(whole)
