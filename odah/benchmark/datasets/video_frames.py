"""Which pictures of a video show the times of a recording.

Containers count more pictures than they hold: where frames were dropped, an AVI has empty entries, which
take time but show nothing. Times therefore decide: a frame's number is that of its time at the video's even
rate, as `odah.estimator.predict.videos` counts.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from odah.benchmark.recording import View
from odah.estimator.predict.videos import Video, examine, read_pictures

_NEAR = 0.75
"""Of the distance of two frames: a picture farther away does not show the moment."""


def duration(video: Video) -> float:
    """From the first picture to the end of the last, s."""
    return float(video.times[-1]) + 1 / video.rate


def frames_at(
    video: Video, times: Float[np.ndarray, " T"]
) -> tuple[Int[np.ndarray, " T"], Bool[np.ndarray, " T"]]:
    """Numbers of a video's frames at times, s since its first, and which of them are stored.

    Where none is, the nearest picture stands in.
    """
    frames = np.clip(np.rint(times * video.rate), 0, video.num_frames - 1).astype(int)
    distances = np.abs(video.times[:, None] - frames / video.rate).min(axis=0)
    return frames, distances * video.rate <= _NEAR


def pictures(view: View) -> Iterator[UInt8[np.ndarray, "H W 3"]]:
    """The RGB pictures of a view, one for each time of its recording; one is held at a time.

    Raises:
        InputError: a video that is missing, damaged or shorter than it says.
    """
    return read_pictures(examine(view.video), view.frames.tolist())
