"""What a video's container tells without decoding its pictures, and a few pictures out of many."""

from __future__ import annotations

from collections.abc import Collection, Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from odah.errors import InputError
from odah.render.video import open_video


@dataclass(frozen=True)
class Container:
    """codec: its name. size: width and height, px. times: (T,) s at which frames are shown, rising."""

    codec: str
    size: tuple[int, int]
    times: np.ndarray
    time_step: float


def read_container(path: Path) -> Container:
    """Read a video's header and packets, but no pictures.

    Raises:
        InputError: missing, empty, or no video.
    """
    with open_video(path) as (container, stream):
        context = stream.codec_context
        step = float(stream.time_base or 0)
        packets = [packet for packet in container.demux(stream) if packet.size]
        whole = [packet.pts for packet in packets if packet.pts is not None and not packet.is_corrupt]
        size = (context.width, context.height)
        return Container(context.name, size, np.sort(np.array(whole, dtype=float)) * step, step)


def read_chosen(path: Path, frames: Collection[int], pixel_format: str) -> Generator[np.ndarray, None, None]:
    """The frames of those numbers, rising, of a video each of whose pictures stands alone (FFV1).

    Raises:
        InputError: missing, empty, no video, damaged, or shorter.
    """
    wanted, found = set(frames), 0
    with open_video(path) as (container, stream):
        packets = (packet for packet in container.demux(stream) if packet.size)
        for number, packet in enumerate(packets):
            if number in wanted:
                for picture in packet.decode():
                    found += 1
                    yield picture.to_ndarray(format=pixel_format)  # pyright: ignore[reportAttributeAccessIssue]
    if found < len(wanted):
        raise InputError(path, f"{found} of {len(wanted)} frames looked for", "every frame that labels have")
