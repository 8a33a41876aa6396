"""The clock that two videos share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odah.errors import InputError
from odah.estimator.predict.timeline import offset_seconds, timeline
from odah.estimator.predict.videos import Video


def video(name: str, num_frames: int, rate: float) -> Video:
    return Video(Path(name), 64, 48, 0, rate, np.arange(num_frames) / rate)


FRONT = video("front.mp4", 100, 60.0)


def test_the_network_sees_the_nearest_frames_at_its_rate() -> None:
    clock = timeline([FRONT, video("side.mp4", 100, 60.0)], 20.0)
    assert clock.frames.tolist() == [list(range(0, 100, 3))] * 2
    assert clock.rate == 20
    np.testing.assert_allclose(clock.times, clock.frames[0] / 60)
    np.testing.assert_allclose(clock.out_times, np.arange(100) / 60)
    assert clock.notes == ()


def test_rates_that_do_not_divide_keep_the_frames_own_times() -> None:
    clock = timeline([video("front.mp4", 31, 30.0)], 20.0)
    assert clock.frames[0].tolist()[:4] == [0, 2, 3, 4]
    np.testing.assert_allclose(clock.times, clock.frames[0] / 30)


@pytest.mark.parametrize(("offset", "begin", "first"), [(7, 0.0, (0, 7)), (-7, 7 / 60, (7, 0))])
def test_offset(offset: int, begin: float, first: tuple[int, int]) -> None:
    clock = timeline([FRONT, video("side.mp4", 100, 60.0)], None, offset=offset)
    assert clock.out_times[0] == pytest.approx(begin)
    assert tuple(clock.frames[:, 0]) == first
    assert clock.frames.max() == 99
    assert any("frame 7 of" in note for note in clock.notes)
    assert any("0.12 s after" in note for note in clock.notes)


@pytest.mark.parametrize("offset", [100, -100])
def test_an_offset_beyond_the_video_is_refused(offset: int) -> None:
    name = "side.mp4" if offset > 0 else "front.mp4"
    with pytest.raises(InputError, match=rf"offset.*{offset}.*100 frames \(1.65 s\) of {name}"):
        timeline([FRONT, video("side.mp4", 100, 60.0)], None, offset=offset)


def test_frames_of_an_offset_are_those_of_the_side_video_and_seconds_are_seconds() -> None:
    """A clap in frame 30 of the front and frame 22 of the side: the side began 0.5 - 0.88 s earlier."""
    side = video("side.mp4", 100, 25.0)
    shift = 22 / 25 - 30 / 60
    clock = timeline([FRONT, side], None, offset=f"{shift:.3f}s")
    assert tuple(clock.frames[:, 30]) == (30, 22)
    for offset in (5, "5", "+5", "0.2s", "0.2 s"):
        assert timeline([FRONT, side], None, offset=offset).frames[:, 0].tolist() == [0, 5]
    late = timeline([FRONT, side], None, offset="-0.2s")
    assert late.frames[:, 0].tolist() == [12, 0]
    assert "frame 0 of side.mp4 goes with frame 12 of front.mp4" in late.notes[-1]


@pytest.mark.parametrize("offset", ["", "a", "1.5", "0.2ms", "s", ".s", "nan", "1e3s", "1 2"])
def test_an_offset_that_is_neither_frames_nor_seconds(offset: str) -> None:
    with pytest.raises(InputError, match=r"--offset: found .* whole frames, such as 12, or seconds"):
        offset_seconds(offset, 30.0)


def test_videos_of_two_rates_are_paired_in_time_and_that_is_said() -> None:
    clock = timeline([FRONT, video("side.mp4", 40, 25.0)], None, out_rate=100.0)
    apart = np.abs(clock.frames[0] / 60 - clock.frames[1] / 25)
    assert apart.max() <= 0.5 / 25 + 1e-9
    assert clock.out_times[1] - clock.out_times[0] == pytest.approx(0.01)
    assert any("60 and 25 frames/s" in note for note in clock.notes)


def test_a_slower_video_than_the_network_learned_is_said() -> None:
    clock = timeline([video("front.mp4", 30, 15.0)], 20.0)
    assert clock.frames[0].tolist() == list(range(30))
    assert "15 frames/s" in clock.notes[0]


@given(
    st.integers(1, 300), st.floats(1, 240), st.floats(1, 240), st.one_of(st.none(), st.floats(1, 120)),
    st.integers(-50, 50),
)  # fmt: skip
def test_frames_are_in_the_videos_and_in_order(
    count: int, front_rate: float, side_rate: float, network_rate: float | None, offset: int
) -> None:
    videos = [video("front.mp4", count, front_rate), video("side.mp4", 200, side_rate)]
    try:
        clock = timeline(videos, network_rate, offset=offset)
    except InputError:
        return
    assert (clock.frames >= 0).all()
    assert (clock.frames < [[count], [200]]).all()
    assert (np.diff(clock.frames, axis=1) >= 0).all()
    assert (np.diff(clock.times) > 0).all()
    assert len(clock.times) > 0
