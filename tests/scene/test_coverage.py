"""The share of frames that cameras miss."""

from __future__ import annotations

import numpy as np
import pytest

from odah.errors import InputError
from odah.scene import Camera, look_at
from odah.scene.coverage import Coverage


def cameras() -> tuple[Camera, Camera]:
    front = Camera.from_lens("front", look_at([4.0, 0.0, 1.0], [0.0, 0.0, 1.0]), 400, 300)
    side = Camera.from_lens("side", look_at([0.0, -4.0, 1.0], [0.0, 0.0, 1.0]), 400, 300)
    return front, side


def standing_at(*places: tuple[float, float]) -> np.ndarray:
    """(T, 4, 3): three joints at each place, and one that no picture holds."""
    body = np.array([[0.0, 0.0, 0.8], [0.1, 0.05, 1.0], [-0.1, 0.0, 1.3], [0.0, 0.0, 90.0]])
    return np.array([body + np.array([x, y, 0.0]) for x, y in places])


def test_frames_that_no_view_holds_are_counted():
    # In both pictures, only in the side one's, only in the front one's, in none, behind the front camera.
    points = standing_at((0, 0), (0, 3.5), (-8, 0.0), (3, -9), (6, 0.1))
    front, side = cameras()
    both = Coverage.of(points, (front, side))
    assert both.share_outside_by_view == pytest.approx({"front": 3 / 5, "side": 3 / 5})
    assert both.share_outside == pytest.approx(2 / 5)
    assert Coverage.of(points, (front,)).share_outside == pytest.approx(3 / 5)


def test_a_frame_counts_as_seen_with_half_of_the_joints():
    points = standing_at((0, 0))
    points[:, 0] = [0.0, 0.0, 50.0]
    assert Coverage.of(points, cameras()).share_outside == 0
    points[:, 1] = [0.0, 0.0, 50.0]
    assert Coverage.of(points, cameras()).share_outside == 1


@pytest.mark.parametrize(("points", "views"), [(np.zeros((2, 0, 3)), cameras()), (np.zeros((2, 3, 3)), ())])
def test_nothing_to_see_is_refused(points, views):
    with pytest.raises(InputError, match="at least one camera"):
        Coverage.of(points, views)
