"""Windows: by their properties."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from odah.estimator.batch import Prediction
from odah.estimator.skeleton import ANGLES
from odah.estimator.windows import (
    frames_there,
    join_windows,
    overlap_add,
    raised_cosine,
    window_starts,
)

LENGTHS = st.tuples(st.integers(1, 200), st.integers(1, 40), st.floats(0, 1)).map(
    lambda drawn: (drawn[0], drawn[1], max(1, round(drawn[2] * drawn[1])))
)


@given(LENGTHS)
def test_windows_cover_every_frame_and_leave_only_short_sequences(drawn: tuple[int, int, int]) -> None:
    num_frames, length, hop = drawn
    starts = window_starts(num_frames, length, hop)
    covered = {start + k for start in starts for k in range(length)}
    assert covered >= set(range(num_frames))
    assert starts == sorted(set(starts))
    assert max(starts) + length <= max(num_frames, length)
    assert all(later - start <= hop for start, later in pairwise(starts))


@given(LENGTHS)
def test_what_was_cut_is_joined_to_itself(drawn: tuple[int, int, int]) -> None:
    """A partition of unity, for a sequence of any length, whatever the weights."""
    num_frames, length, hop = drawn
    starts = window_starts(num_frames, length, hop)
    sequence = torch.randn(num_frames, 2, generator=torch.Generator().manual_seed(num_frames))
    places = torch.tensor(starts)[:, None] + torch.arange(length)
    parts = sequence[places.clamp(max=num_frames - 1)]  # beyond the end nothing counts
    for weights in (raised_cosine(length), torch.ones(length)):
        torch.testing.assert_close(overlap_add(parts, starts, num_frames, weights), sequence)


def test_weights_are_positive_and_largest_in_the_middle() -> None:
    weights = raised_cosine(9)
    assert (weights > 0).all()
    assert weights.argmax() == 4
    torch.testing.assert_close(weights, weights.flip(0))


def test_windows_that_disagree_pass_over_from_one_to_the_next() -> None:
    starts = window_starts(12, 8, 4)
    parts = torch.tensor([0.0, 1.0])[:, None].expand(2, 8)
    joined = overlap_add(parts, starts, 12, raised_cosine(8))
    assert (joined[:4] == 0).all()
    assert (joined[8:] == 1).all()
    assert (joined[4:8].diff() > 0).all()


def test_frames_beyond_the_end_do_not_count() -> None:
    parts = torch.tensor([[1.0, 2.0, 99.0, 99.0]])
    assert frames_there(2, [0], 4).tolist() == [[True, True, False, False]]
    assert overlap_add(parts, [0], 2, raised_cosine(4)).tolist() == [1, 2]


def test_frames_in_no_window_are_refused() -> None:
    with pytest.raises(ValueError, match="do not cover"):
        overlap_add(torch.zeros(1, 3), [0], 5, raised_cosine(3))
    with pytest.raises(ValueError, match="windows of 3 every 4"):
        window_starts(5, 3, 4)


def prediction(angles: torch.Tensor, scales: torch.Tensor, errors: torch.Tensor | None = None) -> Prediction:
    return Prediction(angles=angles, scales=scales, errors=errors)


def test_free_angles_are_averaged_on_the_circle_and_bounded_ones_are_not() -> None:
    angles = torch.zeros(2, 4, len(ANGLES))
    rotation, knee = ANGLES.index("pelvis_rotation"), ANGLES.index("knee_angle_r")
    for name in (rotation, knee):
        angles[0, :, name], angles[1, :, name] = math.pi - 0.1, -math.pi + 0.1
    joined = join_windows(prediction(angles, torch.ones(2, 1, 22, 3)), [0, 0], 4)
    assert joined.angles.shape == (1, 4, len(ANGLES))
    assert (joined.angles[..., rotation].abs() > math.pi - 1e-5).all()
    torch.testing.assert_close(joined.angles[0, :, knee], torch.zeros(4))


def test_scales_follow_the_windows_with_more_frames_and_smaller_errors() -> None:
    scales = torch.stack([torch.full((1, 22, 3), 0.9), torch.full((1, 22, 3), 1.2)])
    angles = torch.zeros(2, 4, len(ANGLES))
    assert join_windows(prediction(angles, scales), [0, 3], 4).scales.mean() == pytest.approx(0.96)  # 4 and 1
    errors = torch.full_like(angles, 0.1)
    errors[1] = 0.01
    sure = join_windows(prediction(angles, scales, errors), [0, 0], 4)
    assert sure.scales.shape == (1, 1, 22, 3)
    assert sure.scales.mean() == pytest.approx(1.2, abs=0.01)


def test_a_set_of_scales_for_each_frame_becomes_one_for_all() -> None:
    scales = torch.linspace(0.8, 1.0, 3)[None, :, None, None].expand(1, 3, 22, 3)
    joined = join_windows(prediction(torch.zeros(1, 3, len(ANGLES)), scales), [0], 2)
    torch.testing.assert_close(joined.scales, torch.full((1, 1, 22, 3), 0.85))
