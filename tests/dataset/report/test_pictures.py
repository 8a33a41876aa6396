from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from odah.dataset.report.pictures import around, bones, frames_near
from odah.errors import InputError
from odah.render.video import VideoWriter


@pytest.fixture(scope="module")
def video(synthetic: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """150 frames, each with its number in it; a keyframe every 60."""
    path = tmp_path_factory.mktemp("video") / "a.mp4"
    with VideoWriter(path, "libx264", (64, 32), 30) as writer:
        for number in range(150):
            writer.write(synthetic.numbered(np.zeros((32, 64), bool), number))
    return path


def test_frames_are_those_that_were_asked_for(synthetic: ModuleType, video: Path) -> None:
    wanted = [0, 7, 64, 149, 3]
    found = frames_near(video, wanted, tolerance=0)
    assert [number for number, _ in found] == wanted
    assert [synthetic.number_in(image) for _, image in found] == wanted


def test_a_keyframe_near_enough_is_taken_and_told(synthetic: ModuleType, video: Path) -> None:
    wanted = [10, 75, 140]
    numbers, images = zip(*frames_near(video, wanted, tolerance=70), strict=True)
    assert all(0 < target - number <= 70 for target, number in zip(wanted, numbers, strict=True))
    assert [synthetic.number_in(image) for image in images] == list(numbers)


def test_a_video_that_is_too_short_or_none_is_refused(video: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no frame 150"):
        frames_near(video, [150], tolerance=0)
    damaged = tmp_path / "a.mp4"
    damaged.write_bytes(b"nothing that moves")
    with pytest.raises(InputError, match="unreadable data"):
        frames_near(damaged, [0], tolerance=0)


points = arrays(float, (6, 2), elements=st.floats(-300, 900) | st.just(float("nan")))


@given(points, st.integers(40, 640), st.integers(40, 480))
def test_the_part_around_a_person_lies_in_the_picture(keypoints: np.ndarray, width: int, height: int) -> None:
    left, top, right, bottom = around(keypoints, width, height)
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height


def test_the_part_around_a_person_holds_them() -> None:
    keypoints = np.array([[300.0, 100.0], [340.0, 260.0]])
    left, top, right, bottom = around(keypoints, 640, 480)
    assert left < 300 < 340 < right < 640
    assert 0 < top < 100 < 260 < bottom < 480


def test_bones_join_joints_by_side_and_leave_out_what_is_not_there() -> None:
    names = ["ground_pelvis", "hip_r", "hip_l", "back"]
    found = bones(np.array([[1.0, 2.0], [3.0, 4.0], [np.nan, 0.0], [5.0, 6.5]]), names)
    assert found == {"right": "M1.0 2.0L3.0 4.0", "middle": "M1.0 2.0L5.0 6.5"}
