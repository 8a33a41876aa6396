"""Which camera took which video."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from odah.errors import InputError
from odah.estimator.predict.pairing import fit_camera, match_cameras
from odah.scene.camera import Camera, look_at

CAMERAS = [Camera.from_lens(f"cam0{k}", look_at((k, -3, 1), (0, 0, 1)), 320, 240) for k in (1, 2, 3)]


def names(*videos: str, cameras: list[Camera] = CAMERAS, views: tuple[str, ...] | None = None) -> list[str]:
    return [camera.name for camera in match_cameras([Path(video) for video in videos], cameras, views)]


def test_by_the_names_of_the_files_in_any_order() -> None:
    assert names("a/cam03.mp4", "b/cam01.MOV") == ["cam03", "cam01"]


def test_by_the_names_given_before_all_else() -> None:
    assert names("cam01.mp4", "cam02.mp4", views=("cam02", "cam03")) == ["cam02", "cam03"]


def test_by_their_order_where_there_are_as_many() -> None:
    assert names("front.mp4", "side.mp4", cameras=CAMERAS[1:]) == ["cam02", "cam03"]
    assert names("front.mp4", cameras=CAMERAS[:1]) == ["cam01"]


@pytest.mark.parametrize(
    ("videos", "views", "said"),
    [
        (("front.mp4", "side.mp4"), None, r"3 cameras \(cam01, cam02, cam03\) for 2 videos.*--views"),
        (("front.mp4",), None, "for 1 video,"),
        (("cam01.mp4", "cam01.mp4"), None, "for 2 videos"),
        (("front.mp4", "side.mp4"), ("cam01", "cam09"), "no camera 'cam09' in the calibration"),
        (("front.mp4", "side.mp4"), ("cam01",), "the names of 2 cameras"),
        (("front.mp4", "side.mp4"), ("cam01", "cam01"), "the names of 2 cameras"),
    ],
)
def test_what_cannot_be_told_is_asked(
    videos: tuple[str, ...], views: tuple[str, ...] | None, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        names(*videos, views=views)


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ((240, 320), "240 x 320 px, turned by a quarter against the calibration, expected 320 x 240 px"),
        ((120, 160), "120 x 160 px, turned by a quarter against the calibration, expected 320 x 240 px"),
        ((320, 180), "320 x 180 px, expected 320 x 240 px, which camera cam01 is calibrated for"),
        ((600, 480), "600 x 480 px, expected 320 x 240 px"),
    ],
)
def test_another_shape_is_refused_with_both_sizes_told(size: tuple[int, int], said: str) -> None:
    with pytest.raises(InputError, match=f"front.mp4: found pictures of {said}"):
        fit_camera(CAMERAS[0], Path("front.mp4"), *size)


@pytest.mark.parametrize("size", [(160, 120), (640, 480), (266, 200), (54, 40)])
def test_another_resolution_shows_the_same_places_at_the_same_share_of_the_picture(
    size: tuple[int, int],
) -> None:
    lens = Camera(**{**vars(CAMERAS[0]), "distortion": (-0.2, 0.05, 0.01, -0.02)})
    camera, note = fit_camera(lens, Path("front.mp4"), *size)
    assert note is not None
    assert "320 x 240 px: taken for the same picture at another resolution" in note
    assert f"{size[0]} x {size[1]} px" in note
    places = np.random.default_rng(0).uniform((-0.4, -0.5, 0.4), (0.9, 0.5, 1.7), (20, 3))
    shares = (camera.project(places) + 0.5) / size
    np.testing.assert_allclose(shares, (lens.project(places) + 0.5) / (320, 240), atol=1e-12)


def test_a_portrait_picture_of_a_phone_at_half_the_resolution() -> None:
    phone = Camera.from_lens("phone", look_at((2, -3, 1), (0, 0, 1)), 1080, 1920)
    camera, _ = fit_camera(phone, Path("front.mp4"), 540, 960)
    assert camera.K[0, 2] == pytest.approx((phone.K[0, 2] + 0.5) / 2 - 0.5)
    assert camera.K[1, 1] == pytest.approx(phone.K[1, 1] / 2)
    padded, note = fit_camera(phone, Path("front.mp4"), 1088, 1920)
    assert (padded.K == phone.K).all()
    assert note is not None
    assert "the same pixels" in note


def test_what_an_encoder_adds_is_taken_with_a_word() -> None:
    camera, note = fit_camera(CAMERAS[0], Path("front.mp4"), 312, 240)
    assert (camera.width, camera.height) == (312, 240)
    assert (camera.K == CAMERAS[0].K).all()
    assert note is not None
    assert "312 x 240" in note
    assert "320 x 240" in note
    assert fit_camera(CAMERAS[0], Path("front.mp4"), 320, 240) == (CAMERAS[0], None)
