"""The picture of a fit: which way the viewer looks, and that what was not seen is not drawn."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odah.body.fitting.picture import PosedFit, view_of, write_fit_picture

TETRAHEDRON = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])
CORNERS = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])


@given(angle=st.floats(0, 6.28), turn_deg=st.floats(-180, 180))
def test_views_are_right_handed_and_upright(angle, turn_deg):
    view = view_of(np.array([np.cos(angle), np.sin(angle), 0.3]), turn_deg)
    np.testing.assert_allclose(view @ view.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(view) == pytest.approx(1.0)
    np.testing.assert_array_equal(view[2], [0, 0, 1])


def test_the_left_of_someone_seen_from_the_front_is_on_the_viewers_right():
    facing, left = np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])
    right_of_viewer, away, _ = view_of(facing, turn_deg=0.0)
    np.testing.assert_allclose(right_of_viewer, left, atol=1e-12)
    np.testing.assert_allclose(away, -facing, atol=1e-12)
    from_the_left = view_of(facing, turn_deg=90.0)
    np.testing.assert_allclose(from_the_left[1], -left, atol=1e-12)


def posed(markers: np.ndarray) -> PosedFit:
    joints = np.array([[0.2, 0.1, 0.1], [0.1, 0.2, 0.3]])
    view = view_of(np.array([0.0, -1.0, 0.0]))
    return PosedFit(0.5, CORNERS, joints, joints + 0.01, markers, np.zeros((2, 3)), view)


def written(path: Path, markers: np.ndarray, residuals: np.ndarray) -> np.ndarray:
    names = ("ground_pelvis", "hip_r"), ("LASI", "RASI")
    shown = [posed(markers), posed(markers)]
    write_fit_picture(path, "a fit", shown, TETRAHEDRON, (names[0], np.ones((4, 2))), (names[1], residuals))
    return cv2.imread(str(path))


def test_a_gap_draws_no_marker(tmp_path):
    markers = np.array([[0.3, 0.3, 0.3], [0.1, 0.6, 0.1]])
    full = written(tmp_path / "full.png", markers, np.ones((4, 2)))
    gap = written(tmp_path / "gap.png", np.full((2, 3), np.nan), np.full((4, 2), np.nan))
    assert full.shape == gap.shape
    is_marker = [(np.abs(image.astype(int) - (0x5B, 0x18, 0xC2)).sum(-1) < 60).sum() for image in (full, gap)]
    assert is_marker[0] > 50
    assert is_marker[1] == 0
