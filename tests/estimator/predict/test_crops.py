"""What the network gets of a video is framed as what it got of a dataset's crops in training."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pytest
import torch

from odah.dataset.squares import crop_intrinsics, cut, square_around
from odah.estimator.config import DataConfig
from odah.estimator.inputs.crops import mask_boxes
from odah.estimator.inputs.points import project
from odah.estimator.inputs.prepare import Prepared, prepare
from odah.estimator.predict.crops import Cropper, sample_of
from odah.motion.types import R_WORLD_GROUND
from odah.scene.camera import Camera, look_at

CAMERAS = [
    Camera.from_lens("front", look_at((3.6, 0.3, 1.2), (0, 0, 1.0)), 640, 480),
    Camera.from_lens("side", look_at((0.2, -3.1, 1.4), (0.1, 0, 0.9)), 420, 560),
]
LIMBS = [((0, 0, 1.7), (0.1, 0, 0.9)), ((0.1, 0, 0.9), (0.3, -0.2, 0.1)), ((0, 0.1, 1.4), (-0.2, 0.5, 1.2))]
FRAMES = 3


@dataclass
class Painted:
    """Coloured limbs before a striped wall, by frame and then by view."""

    images: list[list[np.ndarray]]
    masks: list[list[np.ndarray]]


@pytest.fixture(scope="module")
def painted() -> Painted:
    images, masks = [], []
    for t in range(FRAMES):
        shift = np.array([0.05, 0.12, 0.03]) * t
        pairs = [_paint(camera, shift) for camera in CAMERAS]
        images.append([image for image, _ in pairs])
        masks.append([mask for _, mask in pairs])
    return Painted(images, masks)


def _paint(camera: Camera, shift: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.indices((camera.height, camera.width))
    wall = 127 + 100 * np.sin(columns / 9) * np.cos(rows / 13)
    image = np.repeat(wall[..., None], 3, axis=2).astype(np.uint8)
    mask = np.zeros(wall.shape, np.uint8)
    for number, limb in enumerate(LIMBS):
        ends = np.rint(camera.project(np.array(limb) + shift)).astype(int).tolist()
        cv2.line(mask, *map(tuple, ends), 255, 36)
        cv2.line(image, *map(tuple, ends), (90 + 50 * number, 200 - 60 * number, 60), 36)
    return cv2.GaussianBlur(image, (0, 0), 1.5), mask


def of_dataset(painted: Painted, data: DataConfig, crop_px: int) -> Prepared:
    """As in training: crops of a dataset, of its own scale, cut anew."""
    crops = [[_crop(painted, t, v, crop_px, scale=1.35) for t in range(FRAMES)] for v in range(2)]
    names = ("images", "masks", "K")
    arrays = {name: np.stack([[crop[k] for crop in view] for view in crops]) for k, name in enumerate(names)}
    poses = np.array([camera.T_cam_world for camera in CAMERAS])
    return _prepared({**arrays, "T_cam_world": poses, "T_world_ground": _ground()}, data, recrop=True)


def _crop(painted: Painted, t: int, v: int, size: int, scale: float) -> tuple[np.ndarray, ...]:
    image, mask = painted.images[t][v], painted.masks[t][v]
    square = square_around(mask, scale)
    assert square is not None
    K = crop_intrinsics(CAMERAS[v].K[None], np.array([[square]], float), size)[0, 0]
    return cut(image, square, size).transpose(2, 0, 1), cut(mask, square, size) >= 128, K


def of_videos(painted: Painted, data: DataConfig) -> Prepared:
    """As in a prediction: from the whole pictures at once."""
    croppers = [Cropper(camera, data.size) for camera in CAMERAS]
    frames = [
        [cropper(image, mask) for cropper, image, mask in zip(croppers, images, masks, strict=True)]
        for images, masks in zip(painted.images, painted.masks, strict=True)
    ]
    return _prepared(sample_of(frames, CAMERAS, _ground(), FRAMES), data, recrop=False)


def _prepared(sample: dict[str, np.ndarray], data: DataConfig, *, recrop: bool) -> Prepared:
    floats = ("K", "T_cam_world", "T_world_ground")
    batch = {
        name: torch.from_numpy(np.ascontiguousarray(a.astype(np.float32) if name in floats else a))[None]
        for name, a in sample.items()
    }
    settings = data.model_copy(update={"recrop": recrop})
    return prepare(batch, settings, generator=torch.Generator().manual_seed(0))


def _ground() -> np.ndarray:
    T_world_ground = np.eye(4)
    T_world_ground[:3, :3] = R_WORLD_GROUND
    return T_world_ground


@pytest.mark.parametrize(("size", "crop_px"), [(96, 128), (128, 128), (96, 256)])
def test_a_video_is_framed_as_a_dataset(painted: Painted, size: int, crop_px: int) -> None:
    data = DataConfig(size=size, points=60, length=FRAMES, pixels="exact")
    video, dataset = of_videos(painted, data), of_dataset(painted, data, crop_px)
    step = 1.35 / 1.1 * size / crop_px  # px of the square that one of the dataset's pixels makes
    middles, extents, is_person = mask_boxes(video.masks)
    assert is_person.all()
    torch.testing.assert_close(middles, torch.full_like(middles, (size - 1) / 2), atol=0.6, rtol=0)
    longer = extents.amax(-1)
    torch.testing.assert_close(longer, torch.full_like(longer, size / 1.1), atol=1.6, rtol=0)
    places = torch.tensor(LIMBS).float().flatten(0, 1).expand(1, FRAMES, -1, 3)
    pixels = [project(places, prepared.K, prepared.T_cam_world) for prepared in (video, dataset)]
    torch.testing.assert_close(*pixels, atol=0.3 + 0.8 * step, rtol=0)
    differ = (video.masks ^ dataset.masks).float().mean((-2, -1)) / video.masks.float().mean((-2, -1))
    assert differ.max() < 0.12


@pytest.mark.parametrize("size", [96, 128])
def test_the_same_place_has_the_same_colour(painted: Painted, size: int) -> None:
    """The two paths' pictures, each read where its own camera projects a place on the person."""
    data = DataConfig(size=size, points=60, length=FRAMES, pixels="exact")
    shares = torch.linspace(0.1, 0.9, 9)[:, None]
    ends = torch.tensor(LIMBS).float()
    along = (ends[:, None, 0] + shares * (ends[:, None, 1] - ends[:, None, 0])).flatten(0, 1)
    shifts = torch.tensor([0.05, 0.12, 0.03]) * torch.arange(FRAMES)[:, None, None]
    places = (along + shifts)[None]
    colours = []
    for prepared in (of_videos(painted, data), of_dataset(painted, data, 128)):
        pixels = project(places, prepared.K, prepared.T_cam_world)
        grid = ((2 * pixels + 1) / size - 1).flatten(0, 2)[:, None]
        images = prepared.pictures.images.flatten(0, 2)
        colours.append(torch.nn.functional.grid_sample(images, grid, align_corners=False))
    difference = (colours[0] - colours[1]).abs()
    assert colours[0].std() > 0.5
    assert difference.median() < 0.03
    assert difference.quantile(0.9) < 0.15


def test_a_picture_of_a_square_has_that_squares_camera(painted: Painted) -> None:
    """What a dataset of crops shows, cut tight: points lie where they do in crops of the full picture."""
    camera, image, mask = CAMERAS[1], painted.images[0][1], painted.masks[0][1]
    left, top, side = 40, 60, 400  # as large as its picture, so that nothing is resampled
    shown = [cut(picture, (left, top, side), side) for picture in (image, mask)]
    whole = Cropper(camera, 96)(image, mask)
    part = Cropper(camera, 96)(*shown, (float(left), float(top), float(side)))
    np.testing.assert_allclose(part.K, whole.K, atol=1e-9)
    np.testing.assert_array_equal(part.image, whole.image)
