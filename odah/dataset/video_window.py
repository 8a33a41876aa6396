"""Any run of frames of a video, without decoding what comes before its keyframe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from odah.errors import InputError
from odah.render.video import open_video


def read_window(
    path: str | Path, start: int, stop: int, rate: float, pixel_format: str = "rgb24"
) -> Iterator[np.ndarray]:
    """Frames `start` to `stop` - 1 of a video of constant `rate`, frames/s; one decoding thread.

    (H, W, 3) uint8 RGB or, as "gray", (H, W), as "gray16le" of uint16.

    Raises:
        InputError: missing, empty, no video, damaged, or with fewer frames.
    """
    expected = start
    with open_video(path) as (container, stream):
        for index, frame in _frames_from(container, stream, start, rate):
            if index != expected or index >= stop:
                break
            yield frame.to_ndarray(format=pixel_format)
            expected += 1
    if expected < stop:
        raise InputError(path, f"no frame {expected}", f"a video of at least {stop} frames")


def _frames_from(
    container: InputContainer, stream: VideoStream, start: int, rate: float
) -> Iterator[tuple[int, av.VideoFrame]]:
    """(number, frame) from `start` on."""
    number = _numbering(stream, rate)
    if start > 0:
        assert stream.time_base is not None
        container.seek(
            (stream.start_time or 0) + int(start / rate / stream.time_base), stream=stream, backward=True
        )
    is_first = True
    for frame in container.decode(stream):
        if (
            is_first and start > 0 and number(frame) > start
        ):  # an index that is wrong: look from the beginning
            container.seek(stream.start_time or 0, stream=stream, backward=True)
            yield from (
                (number(later), later) for later in container.decode(stream) if number(later) >= start
            )
            return
        is_first = False
        if number(frame) >= start:
            yield number(frame), frame


def _numbering(stream: VideoStream, rate: float) -> Callable[[av.VideoFrame], int]:
    """What tells a frame's number from its time, which some containers round to a millisecond."""
    base, begin = stream.time_base, stream.start_time or 0
    assert base is not None

    def number(frame: av.VideoFrame) -> int:
        return -1 if frame.pts is None else round(float((frame.pts - begin) * base) * rate)

    return number
