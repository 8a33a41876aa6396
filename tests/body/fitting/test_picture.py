"""The picture of a fit: which way the viewer looks, and that what was not seen is not drawn."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from odah.body.body_model import BodyModel
from odah.body.fitting.picture import posed_fits, view_of, write_fit_picture
from odah.body.fitting.residuals import BodyFit

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


def tetrahedron() -> BodyModel:
    """A mesh of one bone, in place of a person."""
    weights = torch.zeros(4, 55)
    weights[:, 0] = 1
    return BodyModel(
        "tetrahedron", "neutral", torch.from_numpy(CORNERS).float(), torch.zeros(4, 3, 1), torch.zeros(55, 3),
        torch.zeros(55, 3, 1), weights, None, TETRAHEDRON, np.zeros((30, 3)),
    )  # fmt: skip


def moved_by(transl: np.ndarray, markers: np.ndarray) -> BodyFit:
    joints = np.array([[0.2, 0.1, 0.1], [0.1, 0.2, 0.3]])
    goals = np.concatenate([joints, markers]) + transl[:, None]
    names = ("ground_pelvis", "hip_r"), ("LASI", "RASI")
    return BodyFit(np.zeros(1), np.zeros((len(transl), 55, 3)), transl, goals, goals + 0.01, *names)


def test_shown_frames_are_spread_over_the_clip_and_posed_as_fitted():
    transl = np.arange(11.0)[:, None] * [1.0, 0.0, 0.0]
    fit = moved_by(transl, np.array([[0.3, 0.3, 0.3], [0.1, 0.6, 0.1]]))
    shown = posed_fits(tetrahedron(), fit, 10.0)
    assert [pose.time for pose in shown] == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    for pose in shown:
        place = 10 * pose.time * np.array([1.0, 0.0, 0.0])
        np.testing.assert_allclose(pose.vertices, CORNERS + place, atol=1e-5)
        np.testing.assert_allclose(pose.joints[0], place + np.array([0.2, 0.1, 0.1]))
        np.testing.assert_allclose(pose.mesh_markers - pose.markers, 0.01)
    assert len(posed_fits(tetrahedron(), moved_by(np.zeros((2, 3)), np.zeros((2, 3))), 10.0)) == 2


def written(path: Path, markers: np.ndarray) -> np.ndarray:
    write_fit_picture(path, "a fit", tetrahedron(), moved_by(np.zeros((3, 3)), markers), 60.0)
    return cv2.imread(str(path))


def test_a_gap_draws_no_marker(tmp_path):
    full = written(tmp_path / "full.png", np.array([[0.3, 0.3, 0.3], [0.1, 0.6, 0.1]]))
    gap = written(tmp_path / "gap.png", np.full((2, 3), np.nan))
    assert full.shape == gap.shape
    is_marker = [(np.abs(image.astype(int) - (0x5B, 0x18, 0xC2)).sum(-1) < 60).sum() for image in (full, gap)]
    assert is_marker[0] > 50
    assert is_marker[1] == 0
