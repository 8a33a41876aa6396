"""Lens distortion of rendered pictures: a renderer draws pinholes, and their pixels are then moved."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from odah.errors import InputError
from odah.scene.camera import Camera
from odah.scene.distortion import undistort

_MAX_GROWTH = 4
"""How many times wider than the distorted picture the pinhole's may become."""


@dataclass(frozen=True, eq=False)
class LensMap:
    """Which pixel of a pinhole picture shows in each pixel of the distorted one.

    pinhole: the same camera without distortion; it sees all that the distorted one sees and a pixel more, and
        has its focal lengths, so that the middle of the picture keeps its sharpness. Time belongs to the rows
        of the distorted picture, so the pinhole has neither `readout` nor `frame_offset`.
    source: (H, W, 2) float32, column and row in the pinhole picture of each pixel of the distorted one.
    """

    pinhole: Camera
    source: np.ndarray

    @classmethod
    def of(cls, camera: Camera) -> LensMap:
        """The map of a camera with distortion.

        Raises:
            InputError: the lens folds the picture over, or shows nearly everything.
        """
        columns, rows = np.meshgrid(np.arange(-1, camera.width + 1), np.arange(-1, camera.height + 1))
        pixels = np.stack([columns, rows], axis=-1).astype(float)
        focal, center = np.diag(camera.K)[:2], camera.K[:2, 2]
        try:
            source = undistort((pixels - center) / focal, camera.distortion) * focal + center
        except InputError as error:
            raise InputError(f"camera {camera.name}, {error.where}", error.found, error.expected) from None
        low, high = np.floor(source.min((0, 1))), np.ceil(source.max((0, 1)))
        width, height = (int(size + size % 2) for size in high - low + 1)
        if width > _MAX_GROWTH * camera.width or height > _MAX_GROWTH * camera.height:
            found = f"{list(camera.distortion)}, which needs a picture of {width} x {height} pixels"
            raise InputError(f"camera {camera.name}, distortion", found, "a weaker one")
        K = camera.K.copy()
        K[:2, 2] = center - low
        pinhole = replace(
            camera, K=K, width=width, height=height, distortion=(), readout=0.0, frame_offset=0,
            sensor_width_mm=camera.sensor_width_mm * width / camera.width,
        )  # fmt: skip
        return cls(pinhole, (source[1:-1, 1:-1] - low).astype(np.float32))

    def picture(self, image: np.ndarray) -> np.ndarray:
        """A pinhole picture (H', W', 3) as the lens shows it (H, W, 3), bilinear."""
        self._check(image)
        columns, rows = self.source[..., 0], self.source[..., 1]
        return cv2.remap(image, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    def labels(self, image: np.ndarray) -> np.ndarray:
        """Numbers of any kind (H', W', ...) at a pinhole's pixels as the lens shows them, the nearest one."""
        self._check(image)
        columns, rows = np.moveaxis(np.rint(self.source).astype(np.intp), -1, 0)
        return image[rows, columns]

    def _check(self, image: np.ndarray) -> None:
        if image.shape[:2] != (self.pinhole.height, self.pinhole.width):
            expected = f"{self.pinhole.height} rows of {self.pinhole.width} pixels"
            raise InputError(f"picture of camera {self.pinhole.name}", f"shape {image.shape}", expected)
