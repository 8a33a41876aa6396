"""H264 pictures and lossless FFV1 labels, without an ffmpeg on the PATH."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from odah.errors import InputError
from odah.files import existing_file
from odah.render.label_codes import decode_depth_mm, decode_normals

_LOSSLESS = {
    "ffv1": ("gray", "gray"),
    "ffv1 16 bit": ("gray16le", "gray16le"),
    "ffv1 color": ("bgr0", "rgb24"),
}
"""By codec, how pixels are stored and how they are given."""
_BT601 = 6  # SMPTE 170M: what decoders assume where a file does not say, and swscale's default


class VideoWriter:
    """Encodes frames of equal size at a constant rate; use it as a context manager.

    codec: "libx264" takes BGR frames (H, W, 3) uint8, "ffv1" grey ones (H, W) uint8, "ffv1 16 bit" grey ones
    uint16, "ffv1 color" three channels (H, W, 3) uint8, read back as RGB.
    One encoding thread, so that the file does not depend on the machine's number of cores.
    """

    def __init__(self, path: Path, codec: str, size: tuple[int, int], rate: float, crf: int = 23) -> None:
        self.num_frames = 0
        is_lossless = codec in _LOSSLESS
        stored, self._given = _LOSSLESS.get(codec, ("yuv420p", "bgr24"))
        options = {"fflags": "+bitexact"}  # no dates, no random numbers: the same frames make the same file
        if not is_lossless:
            options["movflags"] = "+faststart"
        self._container = av.open(str(path), "w", options=options)
        frames_per_second = Fraction(rate).limit_denominator(1001)
        stream = self._container.add_stream(codec.split()[0], rate=frames_per_second)
        assert isinstance(stream, av.VideoStream)
        self._stream = stream
        stream.width, stream.height = size
        stream.pix_fmt = stored
        context = stream.codec_context
        context.time_base = 1 / frames_per_second
        context.thread_count = 1
        context.gop_size = 1 if is_lossless else 60
        if not is_lossless:
            context.options = {"crf": str(crf), "preset": "medium"}
            context.colorspace = context.color_primaries = context.color_trc = _BT601
            context.color_range = 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._container.mux(self._stream.encode(None))
            self._container.close()
        else:
            with suppress(FFmpegError):  # half a file: the caller drops it
                self._container.close()

    def write(self, picture: np.ndarray) -> None:
        """Append one frame."""
        frame = av.VideoFrame.from_ndarray(picture, format=self._given)
        frame.pts = self.num_frames
        frame.time_base = self._stream.codec_context.time_base
        self._container.mux(self._stream.encode(frame))
        self.num_frames += 1


@contextmanager
def open_video(path: str | Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """A video and its pictures, decoded by one thread; what fails in the block is the file's fault.

    Raises:
        InputError: missing, empty, no video, or damaged.
    """
    path = existing_file(path, "a video")
    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            streams = container.streams.video
            if not streams or streams[0].codec_context is None:
                raise InputError(path, "no pictures", "a video")
            streams[0].codec_context.thread_count = 1
            yield container, streams[0]
    except (FFmpegError, OverflowError) as error:  # the latter of times that no number of PyAV's holds
        what = getattr(error, "strerror", None) or error
        raise InputError(path, f"unreadable data ({what})", "a video") from error


def read_frames(path: str | Path, pixel_format: str = "rgb24") -> Iterator[np.ndarray]:
    """The frames of a video, (H, W, 3) uint8 RGB or, as "gray", (H, W), as "gray16le" of uint16.

    Raises:
        InputError: missing, empty, or no video.
    """
    with open_video(path) as (container, stream):
        for frame in container.decode(stream):
            yield frame.to_ndarray(format=pixel_format)


def read_masks(path: str | Path) -> np.ndarray:
    """(T, H, W) bool, true on the person, of a mask video.

    Raises:
        InputError: missing, empty, or no video.
    """
    masks = [frame > 127 for frame in read_frames(path, "gray")]
    if not masks:
        raise InputError(path, "no frames", "a mask video")
    return np.stack(masks)


def read_depth(path: str | Path) -> Iterator[np.ndarray]:
    """The frames (H, W) float32 of a depth video, m along the camera's z axis; inf where nobody is.

    Raises:
        InputError: missing, empty, or no video.
    """
    return map(decode_depth_mm, read_frames(path, "gray16le"))


def read_normals(path: str | Path) -> Iterator[np.ndarray]:
    """The frames (H, W, 3) float32 of a normals video, camera axes, to 1/255; 0 where nobody is.

    Raises:
        InputError: missing, empty, or no video.
    """
    return map(decode_normals, read_frames(path))
