"""What one camera's video shows, frame by frame: when, through which pinhole, bent by which lens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from odah.clothing.layers import MeshLayer
from odah.errors import InputError
from odah.scene.camera import Camera
from odah.scene.lens import LensMap
from odah.scene.time_effects import as_seen_by
from odah.scene.types import Scene


@dataclass(frozen=True)
class View:
    """One video.

    camera: as the scene has it. layers: where they are when this camera's pictures show them.
    pinholes: one a frame, which Blender and the labels are drawn with. lens: what makes the written pictures
    out of those; None where they are written as they are. size: width and height of the video, px.
    """

    camera: Camera
    layers: Sequence[MeshLayer]
    pinholes: tuple[Camera, ...]
    lens: LensMap | None
    size: tuple[int, int]

    @property
    def name(self) -> str:
        return self.camera.name


def views_of(
    scene: Scene, layers: Sequence[MeshLayer], crops: Mapping[str, np.ndarray] | None, crop_size: int
) -> list[View]:
    """The views of a scene's cameras; with `crops`, of squares (T, 3) of their pictures: left, top, side, px.

    Raises:
        InputError: crops that do not fit the scene, a lens or a shutter that makes no picture.
    """
    return [
        _view(camera, as_seen_by(layers, camera, scene.rate), _crops_of(camera, crops), crop_size)
        for camera in scene.cameras
    ]


def _crops_of(camera: Camera, crops: Mapping[str, np.ndarray] | None) -> np.ndarray | None:
    if crops is None:
        return None
    if camera.name not in crops:
        raise InputError("crops", f"those of {sorted(crops)}", f"also those of the view {camera.name}")
    return crops[camera.name]


def _view(camera: Camera, layers: Sequence[MeshLayer], crops: np.ndarray | None, crop_size: int) -> View:
    num_frames = len(layers[0].vertices)
    if crops is not None:
        if crops.shape != (num_frames, 3):
            raise InputError(f"crops of {camera.name}", f"shape {crops.shape}", f"({num_frames}, 3)")
        pinholes = tuple(camera.cropped(left, top, side, crop_size) for left, top, side in crops.tolist())
        return View(camera, layers, pinholes, None, (crop_size, crop_size))
    lens = LensMap.of(camera) if camera.is_distorted else None
    pinhole = camera if lens is None else lens.pinhole
    return View(camera, layers, (pinhole,) * num_frames, lens, (camera.width, camera.height))
