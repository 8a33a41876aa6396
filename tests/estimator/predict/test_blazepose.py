"""The segmenter that comes with odah."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from odah.estimator.predict.blazepose import BlazePoseSegmenter, _to_square, _warped, _without_specks
from odah.estimator.predict.videos import examine, read_pictures


def test_the_square_stands_upright_round_the_hips():
    hips, top = np.array([100.0, 80.0]), np.array([130.0, 40.0])
    matrix = _to_square(np.stack([hips, top]))
    assert matrix is not None
    middle = matrix[:, :2] @ hips + matrix[:, 2]
    np.testing.assert_allclose(middle, 127.5)
    np.testing.assert_allclose(matrix[:, :2] @ top + matrix[:, 2], [127.5, 127.5 - 128 / 1.25])
    assert np.linalg.det(matrix[:, :2]) > 0
    assert _to_square(np.stack([hips, hips])) is None
    assert _to_square(np.array([[np.nan, 0], [1, 1]])) is None


@pytest.mark.parametrize("scale", [0.8, 0.31, 0.07])
def test_warping_keeps_places_at_any_scale(scale):
    image = np.zeros((500, 700, 3), np.uint8)
    cv2.circle(image, (401, 203), 40, (255, 255, 255), -1)
    angle = 0.4
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.column_stack([turn, 128 - turn @ [401.0, 203.0]])
    warped = _warped(image, matrix, 256)[..., 0]
    rows, columns = np.indices(warped.shape)
    middle = [(warped * columns).sum() / warped.sum(), (warped * rows).sum() / warped.sum()]
    np.testing.assert_allclose(middle, 128, atol=0.12)
    assert warped.sum() == pytest.approx(np.pi * 40.5**2 * scale**2, rel=0.04)


def test_specks_are_dropped_and_parts_stay():
    mask = np.zeros((60, 60), np.uint8)
    mask[5:25, 5:25] = mask[30:36, 30:40] = mask[50:52, 50:52] = 255
    kept = _without_specks(mask)
    assert kept[10, 10] == kept[32, 32] == 255
    assert not kept[50, 50]
    assert not _without_specks(np.zeros((9, 9), np.uint8)).any()


@pytest.fixture(scope="module")
def segmenter():
    pytest.importorskip("ai_edge_litert")
    return BlazePoseSegmenter()


def test_nobody_is_found_where_nobody_is(segmenter):
    noise = np.random.default_rng(0).integers(0, 256, (120, 90, 3), np.uint8)
    assert segmenter.people(noise) == []
    assert segmenter.people(np.zeros((40, 300, 3), np.uint8)) == []


@pytest.mark.shared
def test_the_balancing_man_is_found_and_followed(segmenter, shared_data):
    video = examine(shared_data / "pose2sim_demo" / "videos" / "cam02.mp4")
    first, second = read_pictures(video, [0, 2])
    people = segmenter.people(first)
    person = max(people, key=lambda person: person.height)
    left, top, right, bottom = person.box
    assert 380 < left < 430
    assert 700 < right < 770
    assert 370 < top < 420
    assert 1090 < bottom < 1140
    assert 0.3 < (person.mask > 0).sum() / ((right - left) * (bottom - top)) < 0.6
    following = segmenter.follow(second, person)
    assert following is not None
    np.testing.assert_allclose(following.box, person.box, atol=25)
    assert segmenter.follow(np.zeros_like(second), person) is None
