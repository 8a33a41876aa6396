"""Masks that are given, and those of the person who is found and followed."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from odah.errors import InputError
from odah.estimator.predict.given_masks import GivenMasks
from odah.estimator.predict.masks import find_person
from odah.estimator.predict.segmenters import Person, YoloSegmenter, box_of, most_overlapping
from odah.estimator.predict.videos import examine
from odah.render.video import VideoWriter
from odah.scene import Camera, look_at

CAMERAS = [
    Camera.from_lens("front", look_at([4.0, 0.3, 1.2], [0, 0, 1.0]), 160, 120),
    Camera.from_lens("side", look_at([0.2, -4.5, 1.4], [0, 0, 1.0]), 200, 160),
]
FRAMES = 12


def drawn(camera: Camera, places: list[tuple[float, float, float]]) -> np.ndarray:
    """White balls on black, the first one larger."""
    image = np.zeros((camera.height, camera.width, 3), np.uint8)
    for number, place in enumerate(places):
        size = (0.3 - 0.1 * (number > 0)) * camera.K[0, 0] / camera.to_cam(place)[2]
        cv2.circle(
            image, tuple(np.rint(camera.project(place)).astype(int).tolist()), round(size), (255,) * 3, -1
        )
    return image


def video(path: Path, images: list[np.ndarray], codec: str = "libx264") -> Path:
    with VideoWriter(path, codec, (images[0].shape[1], images[0].shape[0]), 25, crf=10) as writer:
        for image in images:
            writer.write(image)
    return path


def scene(tmp_path: Path, bystander: bool = True, empty: tuple[int, ...] = ()):
    """Someone who walks, and someone who stands."""
    places = [[(0.0, -0.5 + k / FRAMES, 1.0)] + [(-0.9, 1.1, 1.2)] * bystander for k in range(FRAMES)]
    places = [[] if k in empty else there for k, there in enumerate(places)]
    paths = [
        video(tmp_path / f"{camera.name}.mp4", [drawn(camera, there) for there in places])
        for camera in CAMERAS
    ]
    truth = [[drawn(camera, there[:1])[..., 0] > 0 for there in places] for camera in CAMERAS]
    return [examine(path) for path in paths], truth


class Bright:
    """Every white thing is a person."""

    def people(self, image):
        count, labels = cv2.connectedComponents((image[..., 0] > 127).astype(np.uint8))
        masks = [np.where(labels == k, np.uint8(255), np.uint8(0)) for k in range(1, count)]
        return [Person(mask, box) for mask in masks if (box := box_of(mask))]

    def follow(self, image, previous):
        return most_overlapping(self.people(image), previous)


def agreement(mask: np.ndarray, truth: np.ndarray) -> float:
    return ((mask > 0) & truth).sum() / ((mask > 0) | truth).sum()


def test_the_same_person_is_followed_in_both_views(tmp_path):
    videos, truth = scene(tmp_path)
    found, notes = find_person(videos, CAMERAS, Bright())
    assert [note.split(":")[0] for note in notes] == ["front.mp4", "side.mp4"]
    assert all("up to 2 people" in note for note in notes)
    for masks, of, expected in zip(found, videos, truth, strict=True):
        numbers = [0, 1, 1, 4, 5, 11]
        shares = [
            agreement(mask, expected[k]) for (_, mask), k in zip(masks(of, numbers), numbers, strict=True)
        ]
        assert min(shares) > 0.85


def test_gaps_have_empty_masks_and_the_person_is_found_again(tmp_path):
    videos, truth = scene(tmp_path, empty=(0, 4, 5))
    found, _ = find_person(videos, CAMERAS, Bright())
    for masks, of, expected in zip(found, videos, truth, strict=True):
        results = [mask for _, mask in masks(of, range(FRAMES))]
        assert [k for k, mask in enumerate(results) if not mask.any()] == [0, 4, 5]
        assert min(agreement(results[k], expected[k]) for k in (1, 3, 6, 11)) > 0.85


def test_people_whose_rays_do_not_meet_are_told(tmp_path):
    videos, _ = scene(tmp_path, bystander=False)
    wrong = [CAMERAS[0], Camera.from_lens("side", look_at([0.2, -4.5, 4.4], [0, 0, 4.0]), 200, 160)]
    found, notes = find_person(videos, wrong, Bright())
    assert len(found) == 2
    assert "within 0.3 m" in notes[0]
    assert "--offset" in notes[0]


def test_one_view_alone(tmp_path):
    videos, truth = scene(tmp_path)
    (masks,), notes = find_person(videos[1:], CAMERAS[1:], Bright())
    assert "both cameras" not in notes[0]
    (_, mask), *_ = masks(videos[1], [0])
    assert agreement(mask, truth[1][0]) > 0.85


def test_a_video_without_anybody_is_named(tmp_path):
    videos, _ = scene(tmp_path, empty=tuple(range(FRAMES)))
    with pytest.raises(InputError, match=r"front.mp4: found nobody in 7 of 7 frames looked at"):
        find_person(videos, CAMERAS, Bright())


def test_given_masks_from_a_video_and_from_pictures(tmp_path):
    (of, _), (truth, _) = scene(tmp_path, bystander=False)
    greys = [np.where(mask, np.uint8(255), np.uint8(0)) for mask in truth]
    folder = tmp_path / "masks"
    folder.mkdir()
    for number, grey in enumerate(greys):
        cv2.imwrite(str(folder / f"{number:04d}.png"), cv2.resize(grey, None, fx=2, fy=2))
    for given in (GivenMasks(video(tmp_path / "masks.mkv", greys, "ffv1")), GivenMasks(folder)):
        numbers = [0, 3, 3, 11]
        for (image, mask), number in zip(given(of, numbers), numbers, strict=True):
            assert image.shape == (120, 160, 3)
            assert set(np.unique(mask)) <= {0, 255}
            assert agreement(mask, truth[number]) > 0.95


def test_given_masks_that_do_not_fit_are_told(tmp_path):
    (of, _), _ = scene(tmp_path, bystander=False)
    black = np.zeros((120, 160), np.uint8)
    short = GivenMasks(video(tmp_path / "short.mkv", [black] * 5, "ffv1"))
    with pytest.raises(InputError, match="found 5 masks, expected one for each of the 12 frames"):
        list(short(of, [0]))
    long = GivenMasks(video(tmp_path / "long.mkv", [black] * 14, "ffv1"))
    with pytest.raises(InputError, match="found 14 masks, expected one for each of the 12 frames"):
        list(long(of, [0]))
    turned = GivenMasks(video(tmp_path / "turned.mkv", [black.T.copy()] * 12, "ffv1"))
    with pytest.raises(InputError, match="masks of 120 x 160 px"):
        list(turned(of, [0]))
    folder = tmp_path / "masks"
    folder.mkdir()
    with pytest.raises(InputError, match="found 0 masks"):
        list(GivenMasks(folder)(of, [0]))
    for number in range(12):
        (folder / f"{number:02d}.png").write_bytes(b"text")
    with pytest.raises(InputError, match=r"00.png: found unreadable data"):
        list(GivenMasks(folder)(of, [0]))


@pytest.fixture
def ultralytics(monkeypatch):
    """What is used of the library."""

    class YOLO:
        task = "segment"

        def __init__(self, path: str) -> None:
            if Path(path).read_bytes() == b"bad":
                raise RuntimeError("no\nzip")

        def predict(self, image, classes, retina_masks, verbose):
            assert image[0, 0].tolist() == [30, 20, 10]  # BGR
            assert classes == [0]
            confidence = torch.zeros(2, 60, 80)
            confidence[0, 10:30, 20:40] = 0.3
            confidence[1] = 0.1
            return [SimpleNamespace(masks=SimpleNamespace(data=confidence))]

    module = ModuleType("ultralytics")
    module.YOLO = YOLO  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ultralytics", module)
    return YOLO


def test_yolo_masks_above_a_fifth_are_people(tmp_path, ultralytics, monkeypatch):
    (tmp_path / "seg.pt").write_bytes(b"good")
    image = np.full((120, 160, 3), (10, 20, 30), np.uint8)
    (person,) = YoloSegmenter(tmp_path / "seg.pt").people(image)
    assert person.mask.shape == (120, 160)
    np.testing.assert_allclose(person.box, (40, 20, 80, 60), atol=2)
    (tmp_path / "bad.pt").write_bytes(b"bad")
    with pytest.raises(InputError, match=r"bad.pt: found no zip, expected weights"):
        YoloSegmenter(tmp_path / "bad.pt")
    monkeypatch.setattr(ultralytics, "task", "detect")
    with pytest.raises(InputError, match="a network for 'detect'"):
        YoloSegmenter(tmp_path / "seg.pt")
    with pytest.raises(InputError, match="no such file"):
        YoloSegmenter(tmp_path / "none.pt")
