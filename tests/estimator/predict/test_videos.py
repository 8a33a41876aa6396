"""Videos with turned pictures, uneven times, B-frames and damage."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from filmed_person import turned

from odah.errors import InputError
from odah.estimator.predict.videos import examine, read_pictures

WIDTH, HEIGHT = 64, 48


def picture(number: int) -> np.ndarray:
    """Grey of the frame's number, with a bright red square in the top-left corner."""
    image = np.full((HEIGHT, WIDTH, 3), 16 + 6 * number, np.uint8)
    image[:12, :12] = (255, 0, 0)
    return image


def written(path: Path, milliseconds: list[int], codec: str = "libx264", b_frames: int = 0) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=50)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        tick = Fraction(1, 50) if path.suffix == ".avi" else Fraction(1, 1000)  # AVI has a tick a frame
        stream.codec_context.time_base = tick
        stream.codec_context.max_b_frames, stream.codec_context.bit_rate = b_frames, 4_000_000
        for number, time in enumerate(milliseconds):
            frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
            frame.pts, frame.time_base = round(time / 1000 / tick), tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def numbers(path: Path, frames: list[int]) -> list[int]:
    """Which of the pictures are read."""
    return [round((image[30:, 30:].mean() - 16) / 6) for image in read_pictures(examine(path), frames)]


@pytest.mark.parametrize(
    ("name", "codec", "b_frames"),
    [
        ("a.mp4", "libx264", 0),
        ("a.mp4", "libx264", 2),
        ("a.mkv", "libx264", 2),
        ("a.avi", "libx264", 0),
        ("a.avi", "mpeg4", 0),
    ],
)
def test_an_even_video_gives_each_frame(tmp_path, name, codec, b_frames):
    path = written(tmp_path / name, [20 * k for k in range(12)], codec, b_frames)
    video = examine(path)
    assert (video.width, video.height, video.num_frames, video.quarter_turns) == (WIDTH, HEIGHT, 12, 0)
    assert video.rate == pytest.approx(50)
    assert video.note is None
    assert numbers(path, list(range(12))) == list(range(12))
    assert numbers(path, [0, 0, 3, 3, 11]) == [0, 0, 3, 3, 11]
    assert numbers(path, []) == []


@pytest.mark.parametrize(
    ("matrix", "size", "corner"),
    [
        ((1, 0, 0, 1), (WIDTH, HEIGHT), (0, 0)),
        ((0, 1, -1, 0), (HEIGHT, WIDTH), (0, -1)),  # a phone held upright: to the right by a quarter
        ((-1, 0, 0, -1), (WIDTH, HEIGHT), (-1, -1)),
        ((0, -1, 1, 0), (HEIGHT, WIDTH), (-1, 0)),
    ],
)
def test_the_pictures_of_a_turned_phone_stand_upright(tmp_path, matrix, size, corner):
    path = turned(written(tmp_path / "a.mp4", [0, 20, 40]), matrix)
    video = examine(path)
    assert (video.width, video.height) == size
    for image in read_pictures(video, [0, 2]):
        assert image.shape == (size[1], size[0], 3)
        red = image[..., 0].astype(int) - image[..., 1]
        corners = [(row, column) for row in (0, -1) for column in (0, -1) if red[row, column] > 100]
        assert corners == [corner]


def test_uneven_frames_are_taken_where_they_are_nearest(tmp_path):
    times = [0, 20, 40, 140, 160, 180, 200]
    path = written(tmp_path / "a.mp4", times)
    video = examine(path)
    assert video.num_frames == round(0.2 * video.rate) + 1
    expected = [
        int(np.abs(np.array(times) / 1000 - k / video.rate).argmin()) for k in range(video.num_frames)
    ]
    assert numbers(path, list(range(video.num_frames))) == expected
    assert video.note is not None
    assert "uneven times" in video.note


def test_a_single_picture_is_a_video(tmp_path):
    path = written(tmp_path / "a.mp4", [0])
    assert examine(path).num_frames == 1
    assert numbers(path, [0, 0]) == [0, 0]


def test_a_video_cut_short_is_told(tmp_path):
    path = written(tmp_path / "a.mkv", [20 * k for k in range(39)])
    video = examine(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 4])
    with pytest.raises(InputError, match=r"no picture that can be read|unreadable data"):
        list(read_pictures(video, range(39)))


def test_what_is_no_video_is_told_in_one_sentence(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        examine(tmp_path / "none.mp4")
    (tmp_path / "a.mp4").write_bytes(b"text " * 50)
    with pytest.raises(InputError, match="unreadable data"):
        examine(tmp_path / "a.mp4")
    with av.open(str(tmp_path / "a.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(InputError, match="no pictures"):
        examine(tmp_path / "a.wav")


def test_damaged_bytes_are_read_or_told(tmp_path):
    whole = written(tmp_path / "a.mp4", [20 * k for k in range(8)]).read_bytes()
    rng = np.random.default_rng(0)
    outcomes = set()
    for _ in range(150):
        data = bytearray(whole)
        for at in rng.integers(0, len(data), 4):
            data[at] = rng.integers(0, 256)
        path = tmp_path / "b.mp4"
        path.write_bytes(bytes(data[: rng.integers(len(data) // 2, len(data) + 1)]))
        try:
            video = examine(path)
            outcomes.add(f"{len(list(read_pictures(video, range(min(video.num_frames, 20)))))} read")
        except InputError as error:
            outcomes.add("refused")
            assert "\n" not in str(error)  # noqa: PT017
    assert "refused" in outcomes
    assert len(outcomes) > 1
