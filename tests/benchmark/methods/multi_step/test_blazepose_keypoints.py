"""Keypoints by the network that comes with odah."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from odah.benchmark.methods.multi_step import blazepose_keypoints
from odah.benchmark.methods.multi_step.blazepose_keypoints import BlazePoseKeypoints
from odah.estimator.predict.blazepose import Posed
from odah.render.video import VideoWriter

SIZE = 64


class Finder:
    """Finds one person, then nobody, then two."""

    def __init__(self) -> None:
        self.numbers = iter([1, 0, 2])

    def people(self, image: np.ndarray) -> list[Posed]:
        landmarks = np.column_stack([np.arange(33.0), np.arange(33.0) + 10, np.linspace(0, 1, 33)])
        mask = np.zeros(image.shape[:2], np.uint8)
        return [Posed(mask, (0, 0, 1, 1), np.zeros((2, 2)), landmarks + k) for k in range(next(self.numbers))]


@pytest.fixture
def recording(filmed, tmp_path):
    recording = filmed(3, 1)
    with VideoWriter(tmp_path / "front.mp4", "libx264", (SIZE, SIZE), 30.0) as writer:
        for _ in range(3):
            writer.write(np.zeros((SIZE, SIZE, 3), np.uint8))
    crops = np.tile([100.0, 50.0, 2.0 * SIZE], (3, 1))
    view = replace(recording.views["front"], video=tmp_path / "front.mp4", crops=crops)
    return replace(recording, views={"front": view})


def test_landmarks_of_all_people_come_in_pixels_of_the_picture(recording, monkeypatch):
    monkeypatch.setattr(blazepose_keypoints, "BlazePoseSegmenter", Finder)
    source = BlazePoseKeypoints()
    seen = source.keypoints(recording, "front")
    names = source.keypoint_set.names
    assert seen.pixels.shape == (3, 2, len(names), 2)
    elbow = names.index("RElbow")  # landmark 14
    np.testing.assert_allclose(seen.pixels[0, 0, elbow], [100 + 2 * 14.5 - 0.5, 50 + 2 * 24.5 - 0.5])
    np.testing.assert_allclose(seen.confidence[0, 0, elbow], 14 / 32)
    assert not seen.confidence[1].any()
    assert np.isnan(seen.pixels[0, 1]).all()
    np.testing.assert_allclose((seen.pixels[2, 1] - seen.pixels[2, 0])[1:], 2.0)
    assert np.isnan(seen.pixels[2, 0, 0]).all()  # the first is not in view
    assert seen.notes == ("nobody found in 1 of 3 frames",)


def test_facts_name_the_networks():
    assert len(json.loads(json.dumps(dict(BlazePoseKeypoints().facts)))["networks"]) == 2


@pytest.mark.shared
def test_landmarks_lie_on_the_balancing_man(shared_data):
    pytest.importorskip("ai_edge_litert")
    from odah.estimator.predict.blazepose import BlazePoseSegmenter
    from odah.estimator.predict.videos import examine, read_pictures

    video = examine(shared_data / "pose2sim_demo" / "videos" / "cam02.mp4")
    picture = next(iter(read_pictures(video, [0])))
    person = max(BlazePoseSegmenter().people(picture), key=lambda person: person.height)
    left, top, right, bottom = person.box
    assert (person.landmarks[:, 2] > 0.5).sum() > 20
    low, high = person.landmarks[:, :2].min(0), person.landmarks[:, :2].max(0)
    assert (low > [left - 15, top - 15]).all()
    assert (high < [right + 15, bottom + 15]).all()
    nose, ankles = person.landmarks[0, 1], person.landmarks[27:29, 1]
    assert nose < top + 0.2 * (bottom - top)
    assert ankles.max() > bottom - 0.15 * (bottom - top)
