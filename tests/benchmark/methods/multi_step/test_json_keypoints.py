"""Keypoints of whole views from folders of JSON files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from odah.benchmark.methods.multi_step.json_keypoints import JsonKeypoints
from odah.benchmark.methods.multi_step.projected_truth import ProjectedTruth
from odah.dataset.squares import in_crops
from odah.errors import InputError
from odah.render.video import VideoWriter

SET = "halpe_26"


def write(folder: Path, pixels: np.ndarray, ghost: int | None = None) -> None:
    """A file a frame as Pose2Sim writes them; in frame `ghost` somebody comes first."""
    folder.mkdir(parents=True)
    for t, person in enumerate(pixels):
        rows = np.concatenate([person, np.full((len(person), 1), 0.75)], axis=1)
        people = [{"person_id": [-1], "pose_keypoints_2d": rows.ravel().tolist()}]
        if t == ghost:
            people.insert(0, {"pose_keypoints_2d": [5.0] * rows.size})
        (folder / f"cam_{t:06d}.json").write_text(json.dumps({"version": 1.3, "people": people}))


@pytest.fixture
def recording(filmed):
    return filmed(6, 2)


@pytest.fixture
def pixels(recording):
    points = ProjectedTruth(SET)
    return points.keypoints(recording, "side").pixels[:, 0][:, np.argsort(points.keypoint_set.indices)]


def test_what_was_written_is_read(recording, pixels, tmp_path):
    write(tmp_path / "sub1" / "sub1_moving_side_json", pixels, ghost=2)
    source = JsonKeypoints(tmp_path, "{subject}/{recording}_{view}_json", SET)
    seen = source.keypoints(recording, "side")
    assert seen.pixels.shape == (6, 2, 26, 2)
    expected = ProjectedTruth(SET).keypoints(recording, "side").pixels[:, 0]
    kept = [0, 1, 3, 4, 5]
    np.testing.assert_allclose(seen.pixels[kept, 0], expected[kept])
    np.testing.assert_allclose(seen.pixels[2, 1], expected[2])
    np.testing.assert_array_equal(seen.confidence[0], [[0.75] * 26, [0] * 26])
    assert seen.notes == ()


def test_frames_of_the_video_and_frames_without_a_file(recording, pixels, tmp_path):
    folder = tmp_path / recording.name / "side"
    write(folder, pixels)
    (folder / "cam_000004.json").unlink()
    late = replace(recording.views["side"], frames=np.array([1, 2, 4, 5, 6, 7]))
    shifted = replace(recording, views={**recording.views, "side": late})
    source = JsonKeypoints(tmp_path, set_name=SET)
    seen = source.keypoints(shifted, "side")
    assert seen.notes == ("3 of 6 frames have no file",)
    assert not seen.confidence[[2, 4, 5]].any()
    order = list(source.keypoint_set.indices)
    np.testing.assert_allclose(seen.pixels[3, 0], pixels[5][order])
    never = replace(late, frames=np.arange(100, 106))
    with pytest.raises(InputError, match="frames 0 to 5, expected some of frames 100 to 105"):
        source.keypoints(replace(recording, views={"side": never}), "side")


def test_pixels_of_a_larger_picture_are_refused(recording, pixels, tmp_path):
    write(tmp_path / recording.name / "side", 2 * pixels)
    with pytest.raises(InputError, match="expected pictures of 1280 x 960"):
        JsonKeypoints(tmp_path, set_name=SET).keypoints(recording, "side")


def test_pixels_of_crops_become_those_of_the_picture(recording, pixels, tmp_path):
    size, video = 64, tmp_path / "side.mp4"
    crops = np.tile([200.0, 30.0, 850.0], (6, 1)) + np.arange(6)[:, None]
    write(tmp_path / recording.name / "side", in_crops(pixels, crops, size))
    with VideoWriter(video, "libx264", (size, size), 30.0) as writer:
        for _ in range(6):
            writer.write(np.zeros((size, size, 3), np.uint8))
    view = replace(recording.views["side"], video=video, crops=crops)
    seen = JsonKeypoints(tmp_path, set_name=SET).keypoints(replace(recording, views={"side": view}), "side")
    order = list(JsonKeypoints(tmp_path, set_name=SET).keypoint_set.indices)
    np.testing.assert_allclose(seen.pixels[:, 0], pixels[:, order], atol=1e-6)


@pytest.mark.parametrize("pattern", ["{camera}/x", "{view", "{recording.__class__}", "{0}"])
def test_bad_patterns_are_refused(pattern, tmp_path):
    with pytest.raises(InputError, match="keypoints, pattern"):
        JsonKeypoints(tmp_path, pattern)


def test_facts_follow_the_files(recording, pixels, tmp_path):
    source = JsonKeypoints(tmp_path, set_name=SET)
    before = source.facts
    write(tmp_path / recording.name / "side", pixels)
    assert before["files"] != source.facts["files"]
    json.dumps(dict(source.facts))
