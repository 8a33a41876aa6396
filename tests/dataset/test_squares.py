"""Crops: pixels, points and cameras move alike."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odah.dataset.squares import CropSettings, crop_intrinsics, cut, in_crops, square_around, whole_square
from odah.errors import InputError
from odah.scene.camera import Camera, look_at

SIZES = st.tuples(st.integers(-30, 60), st.integers(-20, 40), st.integers(33, 150), st.integers(16, 90))


@given(SIZES)
def test_a_crops_pixels_are_where_its_points_are(numbers: tuple[int, int, int, int]) -> None:
    """On a ramp, whose value tells the place, each pixel inside the picture shows that of its centre.

    A reduced pixel is a mean over whole and parts of pixels, none of which has a slope of its own: that is
    off by at most an eighth of a pixel, to both sides alike.
    """
    left, top, side, size = numbers
    row, column = np.mgrid[:80, :120].astype(np.float32)
    shown = cut(3 * column + 7 * row, (left, top, side), size)
    v, u = np.mgrid[:size, :size]
    corners = np.stack([column.ravel(), row.ravel()], axis=-1)[None]
    there = in_crops(corners, np.array([[left, top, side]]), size)[0]
    back = (np.stack([u, v], axis=-1) + 0.5) * side / size + [left, top] - 0.5
    margin = max(side / size, 1)
    low, high = np.maximum([left, top], 0), np.minimum([left + side, top + side], [120, 80]) - 1
    inside = ((back > low + margin) & (back < high - margin)).all(-1)
    errors = (shown - back @ [3, 7])[inside]
    assert np.abs(errors).max(initial=0) < (3 + 7) * 0.13
    assert inside.sum() < 200 or abs(errors.mean()) < 0.1
    np.testing.assert_allclose((there + 0.5) * side / size + [left, top] - 0.5, corners[0], atol=1e-3)
    outside = ((back < -margin) | (back > np.array([119, 79]) + margin)).any(-1)
    assert not shown[outside].any()


def test_the_square_is_about_the_persons_box() -> None:
    mask = np.zeros((200, 300), np.uint8)
    mask[20:120, 250:290] = 255
    assert square_around(mask, 1.1) == (214, 14, 111)
    mask[:, :250] = 0
    mask[150, 299] = 1
    assert square_around(mask, 1.0) == (209, 20, 131)
    assert square_around(np.zeros_like(mask), 1.1) is None
    assert square_around(np.pad(np.ones((1, 1), np.uint8), 10), 1.0) == (-6, -6, 32)
    assert whole_square(300, 200) == (0, -50, 300)


def test_cameras_of_crops_project_where_the_crops_points_are() -> None:
    cameras = [Camera.from_lens("a", look_at(p, (0, 0, 1)), 320, 200) for p in ((0, -4, 1), (3, 1, 2))]
    crops = np.array([[[31.0, -7, 120], [40, 3, 77]], [[150, 60, 300], [5, 6, 70]]])
    points = np.random.default_rng(0).normal((0, 0, 1), 0.3, (9, 3))
    K = crop_intrinsics(np.stack([camera.K for camera in cameras]), crops, 64)
    for v, camera in enumerate(cameras):
        for t, (left, top, side) in enumerate(crops[v]):
            cropped = camera.cropped(left, top, side, 64)
            np.testing.assert_allclose(K[v, t], cropped.K, atol=1e-9)
            expected = in_crops(camera.project(points)[None], crops[v, [t]], 64)[0]
            np.testing.assert_allclose(cropped.project(points), expected, atol=1e-9)


def test_settings_are_checked() -> None:
    for wrong, words in (({"size": 4}, "size: found 4"), ({"scale": 0.9}, "scale: found 0.9")):
        with pytest.raises(InputError, match=words):
            CropSettings(**wrong)  # type: ignore[arg-type]
