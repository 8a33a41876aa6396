"""Videos keep their frames, their number, their rate and their colours."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from odah.errors import InputError
from odah.render import read_frames, read_masks
from odah.render.video import VideoWriter


def test_h264_has_every_frame_the_rate_and_the_colours(tmp_path):
    path = tmp_path / "front.mp4"
    red_to_blue = [np.full((64, 96, 3), [20 * k, 60, 200 - 20 * k], np.uint8) for k in range(10)]
    with VideoWriter(path, "libx264", (96, 64), 60.0) as writer:
        for bgr in red_to_blue:
            writer.write(bgr)
    frames = list(read_frames(path))
    assert len(frames) == 10
    for frame, bgr in zip(frames, red_to_blue, strict=True):
        np.testing.assert_allclose(frame.mean((0, 1)), bgr[0, 0, ::-1], atol=4)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec.canonical_name, stream.pix_fmt) == ("h264", "yuv420p")
        assert (stream.average_rate, stream.frames) == (60, 10)
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # playable before it is read to its end


def test_other_rates_are_kept(tmp_path):
    path = tmp_path / "front.mp4"
    with VideoWriter(path, "libx264", (32, 32), 30000 / 1001) as writer:
        for _ in range(5):
            writer.write(np.zeros((32, 32, 3), np.uint8))
    with av.open(str(path)) as container:
        assert container.streams.video[0].average_rate == Fraction(30000, 1001)


def test_masks_come_back_unchanged(tmp_path):
    path = tmp_path / "front_mask.mkv"
    masks = np.random.default_rng(0).random((7, 31, 45)) < 0.3
    with VideoWriter(path, "ffv1", (45, 31), 60.0) as writer:
        for mask in masks:
            writer.write(mask.astype(np.uint8) * 255)
    np.testing.assert_array_equal(read_masks(path), masks)


def test_sixteen_bits_and_colours_come_back_unchanged(tmp_path):
    rng = np.random.default_rng(0)
    steps, colors = rng.integers(0, 2**16, (3, 30, 44)), rng.integers(0, 256, (3, 30, 44, 3))
    for codec, pictures in (
        ("ffv1 16 bit", steps.astype(np.uint16)),
        ("ffv1 color", colors.astype(np.uint8)),
    ):
        path = tmp_path / "labels.mkv"
        with VideoWriter(path, codec, (44, 30), 60.0) as writer:
            for picture in pictures:
                writer.write(picture)
        pixel_format = "gray16le" if pictures.ndim == 3 else "rgb24"
        np.testing.assert_array_equal(list(read_frames(path, pixel_format)), pictures)


@pytest.mark.parametrize("content", [b"", b"no video", None])
def test_a_file_that_is_no_video_is_refused(tmp_path, content):
    path = tmp_path / "front_mask.mkv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"front_mask\.mkv"):
        read_masks(path)
