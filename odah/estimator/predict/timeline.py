"""One clock for two videos: which frames the network sees, and when the results are told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from odah.errors import InputError
from odah.estimator.predict.videos import Video

_SAME_RATE = 1e-3
"""Relative; 30 and 30000/1001 frames/s drift by a frame in half a minute."""
_ROUNDING = 1e-6
"""Of a frame."""
_OFFSET = re.compile(r"(?P<frames>[+-]?\d{1,9})|(?P<seconds>[+-]?(\d{1,9}(\.\d*)?|\.\d+)) ?s")


@dataclass(frozen=True, eq=False)
class Timeline:
    """Times in s since the first frame of the first video.

    times: of the frames that the network sees, at `rate`, frames/s, but for rounding to the first video's
    frames. frames: their numbers in each video. out_times: of the results, evenly spaced at out_rate. notes:
    what was made of differences.
    """

    times: Float[np.ndarray, " F"]
    rate: float
    frames: Int[np.ndarray, "V F"]
    out_times: Float[np.ndarray, " T"]
    out_rate: float
    notes: tuple[str, ...]


def offset_seconds(offset: int | str, rate: float) -> float:
    """By how much a video of `rate` frames/s began earlier; of frames (12 or "12") or seconds ("0.4s").

    Raises:
        InputError: neither of them.
    """
    match = _OFFSET.fullmatch(str(offset).strip())
    if match is None:
        raise InputError("--offset", repr(offset), "whole frames, such as 12, or seconds, such as 0.4s")
    return float(match["seconds"]) if match["seconds"] else int(match["frames"]) / rate


def timeline(
    videos: Sequence[Video],
    network_rate: float | None,
    out_rate: float | None = None,
    offset: int | str = 0,
) -> Timeline:
    """The span that all videos share.

    Args:
        videos: one or two. network_rate: frames/s at most that the network sees; every frame of the first
            video if None. out_rate: frames/s; that of the first video if None.
        offset: where in the second video is what the first frame of the first one shows, in frames (12) or
            seconds ("0.4s"); negative where the second began later.

    Raises:
        InputError: an offset that leaves no time to share.
    """
    first = videos[0]
    shifts = [0.0, *(offset_seconds(offset, video.rate) for video in videos[1:])]
    ends = [(video.num_frames - 1) / video.rate - shift for video, shift in zip(videos, shifts, strict=True)]
    begin, end = max(0.0, -min(shifts)), min(ends)
    if end < begin:
        video = videos[-1] if shifts[-1] > 0 else first
        length = f"{video.num_frames} frames ({(video.num_frames - 1) / video.rate:.2f} s)"
        expected = f"less than the {length} of {video.path.name}"
        raise InputError("--offset", f"{offset}, beyond the end of the video", expected)
    begin = float(np.ceil(begin * first.rate - _ROUNDING) / first.rate)
    rate = first.rate if network_rate is None else min(network_rate, first.rate)
    times = np.rint(_evenly(begin, end, rate) * first.rate) / first.rate
    frames = [
        np.clip(np.rint((times + shift) * video.rate), 0, video.num_frames - 1)
        for video, shift in zip(videos, shifts, strict=True)
    ]
    out_rate = out_rate or first.rate
    notes = (*_network_notes(first, network_rate), *_pair_notes(videos, ends, shifts[-1]))
    numbers = np.stack(frames).astype(int)
    return Timeline(times, rate, numbers, _evenly(begin, end, out_rate), out_rate, notes)


def _evenly(begin: float, end: float, rate: float) -> np.ndarray:
    return begin + np.arange(int(max(end - begin, 0) * rate + _ROUNDING) + 1) / rate


def _network_notes(video: Video, network_rate: float | None) -> list[str]:
    if network_rate is None or video.rate >= network_rate * (1 - _SAME_RATE):
        return []
    return [
        f"{video.path.name} has {video.rate:.4g} frames/s and the network learned at {network_rate:g}: "
        "motion looks faster to it than it is"
    ]


def _pair_notes(videos: Sequence[Video], ends: Sequence[float], shift: float) -> list[str]:
    """shift: s by which the second video began earlier."""
    if len(videos) == 1:
        return []
    notes, rates = [], [video.rate for video in videos]
    if max(rates) > min(rates) * (1 + _SAME_RATE):
        told = " and ".join(f"{rate:.6g}" for rate in rates)
        notes.append(f"the videos have {told} frames/s: each frame goes with the nearest one of the other")
    surplus = ends[1] - ends[0]
    if abs(surplus) * min(rates) > 0.5:
        longer = videos[int(surplus > 0)].path.name
        notes.append(f"{longer} goes on for {abs(surplus):.2f} s after the other has ended: that is left out")
    if shift:
        front, side = (round(max(s, 0) * rate) for s, rate in zip((-shift, shift), rates, strict=True))
        notes.append(
            f"frame {side} of {videos[1].path.name} goes with frame {front} of {videos[0].path.name}"
        )
    return notes
