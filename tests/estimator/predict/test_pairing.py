"""Which camera took which video."""

from __future__ import annotations

from pathlib import Path

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


def test_another_size_is_refused_with_both_sizes_told() -> None:
    with pytest.raises(InputError, match=r"front.mp4: found pictures of 240 x 320 px, expected 320 x 240 px"):
        fit_camera(CAMERAS[0], Path("front.mp4"), 240, 320)


def test_what_an_encoder_adds_is_taken_with_a_word() -> None:
    camera, note = fit_camera(CAMERAS[0], Path("front.mp4"), 312, 240)
    assert (camera.width, camera.height) == (312, 240)
    assert (camera.K == CAMERAS[0].K).all()
    assert note is not None
    assert "312 x 240" in note
    assert "320 x 240" in note
    assert fit_camera(CAMERAS[0], Path("front.mp4"), 320, 240) == (CAMERAS[0], None)
