"""Videos of any camera or phone as pictures that stand upright and come at even times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream
from jaxtyping import Float, UInt8

from odah.errors import InputError
from odah.render.video import open_video

_UNEVEN = 0.75
"""Frames that come earlier or later by more than this share of their distance are uneven."""
_GRACE = 0.25
"""s for which the last picture stands in after it; some files count a few frames more than they have."""
_SAME_STEP = 1e-3
"""Relative."""
_USUAL_RATE = 30.0
"""Frames/s of files that tell no times."""


@dataclass(frozen=True, eq=False)
class Video:
    """A video as if its frames came evenly: frame k is the one shown nearest to k / rate.

    width, height: of the upright pictures, px. quarter_turns: by which stored pictures are turned,
    counterclockwise, to stand upright. rate: frames/s, the mean. times: of the stored frames, s since the
    first.
    """

    path: Path
    width: int
    height: int
    quarter_turns: int
    rate: float
    times: Float[np.ndarray, " T"]

    @property
    def num_frames(self) -> int:
        """At the even rate."""
        return round(float(self.times[-1]) * self.rate) + 1

    @property
    def note(self) -> str | None:
        """What is out of the ordinary, in a sentence."""
        even = np.arange(len(self.times)) / self.rate
        if np.abs(self.times - even).max() * self.rate <= _UNEVEN:
            return None
        return (
            f"{self.path.name}: frames come at uneven times: "
            f"the nearest one is taken at every 1/{self.rate:.4g} s"
        )


def examine(path: str | Path) -> Video:
    """What a video is, from its packets and its first picture.

    Raises:
        InputError: missing, empty, no video, or damaged.
    """
    path = Path(path)
    with open_video(path) as (container, stream):
        first = next(iter(container.decode(stream)), None)
        if first is None:
            raise InputError(path, "no frames", "a video")
        if first.rotation % 90:
            raise InputError(path, f"pictures turned by {first.rotation} degrees", "quarter turns")
        turns = first.rotation // 90 % 4
        size = (first.width, first.height)
        average = float(stream.average_rate or 0)
    with open_video(path) as (container, stream):
        times = _packet_times(container, stream, average)
    width, height = size[::-1] if turns % 2 else size
    return Video(path, width, height, turns, _even_rate(times, average), times)


def read_pictures(video: Video, frames: Iterable[int]) -> Iterator[UInt8[np.ndarray, "H W 3"]]:
    """The upright RGB pictures of those frames of the even rate, which must not fall; one is held at a time.

    Raises:
        InputError: damaged, or with fewer pictures than its index says.
    """
    wanted = (frame / video.rate for frame in frames)
    target = next(wanted, None)
    with open_video(video.path) as (container, stream):
        until = 0.0
        for frame, until in _spans(_timed(container, stream, video.rate)):
            picture = None
            while target is not None and target <= until:
                picture = _upright(frame, video.quarter_turns) if picture is None else picture
                yield picture
                target = next(wanted, None)
            if target is None:
                return
    if target is not None:
        found = f"no picture that can be read after {until - _GRACE:.2f} s"
        raise InputError(video.path, found, f"pictures up to {video.times[-1]:.2f} s")


def _spans(frames: Iterator[tuple[float, av.VideoFrame]]) -> Iterator[tuple[av.VideoFrame, float]]:
    """Each frame and the time, s, until which it is the nearest."""
    time, frame = next(frames, (0.0, None))
    for following, successor in frames:
        assert frame is not None
        yield frame, (time + following) / 2
        time, frame = following, successor
    if frame is not None:
        yield frame, time + _GRACE


def _timed(
    container: InputContainer, stream: VideoStream, rate: float
) -> Iterator[tuple[float, av.VideoFrame]]:
    """The stored frames and when they are shown, s since the first."""
    start: float | None = None
    for number, frame in enumerate(container.decode(stream)):
        time = number / rate if frame.time is None else frame.time
        start = time if start is None else start
        yield time - start, frame


def _upright(frame: av.VideoFrame, quarter_turns: int) -> np.ndarray:
    return np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), quarter_turns))


def _packet_times(container: InputContainer, stream: VideoStream, average: float) -> np.ndarray:
    """(T,) s since the first, rising; evenly spaced where the container does not tell."""
    packets = [packet for packet in container.demux(stream) if packet.size and not packet.is_discard]
    stamps = [packet.dts if packet.pts is None else packet.pts for packet in packets]
    known = np.sort(np.array([stamp for stamp in stamps if stamp is not None], float))
    if len(known) < len(stamps) or not stream.time_base:
        return np.arange(max(len(stamps), 1)) / (average or _USUAL_RATE)
    return (known - known[0]) * float(stream.time_base)


def _even_rate(times: np.ndarray, average: float) -> float:
    """Frames/s: what the container says, if the times agree within a frame in all, or do so but where frames
    were dropped; their mean otherwise."""
    duration = float(times[-1])
    usual = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    if average and (abs(duration * average - (len(times) - 1)) < 1 or abs(usual * average - 1) < _SAME_STEP):
        return average
    return (len(times) - 1) / duration if duration > 0 else average or _USUAL_RATE
