"""Square pictures of the person, as the dataset's reader makes them, as a pinhole would have taken them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from odah.dataset.squares import CropSettings, crop_intrinsics, cut, square_around, whole_square
from odah.scene.camera import Camera

_HALF = 128
"""Of a mask's 0 to 255: a pixel of a crop belongs to the person if most of it does."""


@dataclass(frozen=True, eq=False)
class PersonCrop:
    """What one view shows at one time; K: of the crop, px. is_person: someone is there."""

    image: UInt8[np.ndarray, "S S 3"]
    mask: Bool[np.ndarray, "S S"]
    K: Float[np.ndarray, "3 3"]
    is_person: bool


class Cropper:
    """Crops of one camera's pictures; they are those of a pinhole."""

    def __init__(self, camera: Camera, size: int) -> None:
        """size: side of the crops, px."""
        self._K = camera.K[None]
        self._settings = CropSettings(size)
        self._maps = _pinhole_maps(camera) if camera.is_distorted else None

    def __call__(
        self,
        image: UInt8[np.ndarray, "H W 3"],
        mask: UInt8[np.ndarray, "H W"],
        shown: tuple[float, float, float] | None = None,
    ) -> PersonCrop:
        """The person, or the whole picture where nobody is.

        mask: not 0 on the person, 255 where all of a pixel is. shown: left, top and side of the square, px,
        that the picture shows of the camera's; such a one is taken as a pinhole's. None: it is the camera's.
        """
        K = self._K
        if shown is not None:
            K = crop_intrinsics(K, np.array([[shown]], float), image.shape[0])[0]
        elif self._maps is not None:
            image, mask = (
                cv2.remap(picture, *self._maps, cv2.INTER_LINEAR) for picture in (image, mask)
            )  # 0 beyond the edges
        around = square_around(mask, self._settings.scale)
        square = around or whole_square(mask.shape[1], mask.shape[0])
        size = self._settings.size
        return PersonCrop(
            image=cut(image, square, size),
            mask=cut(mask, square, size) >= _HALF,
            K=crop_intrinsics(K, np.array([[square]], float), size)[0, 0],
            is_person=around is not None,
        )


def sample_of(
    frames: Sequence[Sequence[PersonCrop]], cameras: Sequence[Camera], T_world_ground: np.ndarray, length: int
) -> dict[str, np.ndarray]:
    """Frames, by time and then by view, as one sample of `odah.dataset.sequences` without labels.

    It is filled up to `length` frames with the last one; `is_frame` is false there.
    """
    order = np.minimum(np.arange(length), len(frames) - 1)
    columns = [[frames[t][v] for t in order] for v in range(len(cameras))]
    return {
        "images": np.stack([[crop.image.transpose(2, 0, 1) for crop in view] for view in columns]),
        "masks": np.stack([[crop.mask for crop in view] for view in columns]),
        "is_person": np.array([[crop.is_person for crop in view] for view in columns]),
        "K": np.array([[crop.K for crop in view] for view in columns], np.float32),
        "T_cam_world": np.array([camera.T_cam_world for camera in cameras], np.float32),
        "T_world_ground": T_world_ground.astype(np.float32),
        "is_frame": np.arange(length) < len(frames),
    }


def _pinhole_maps(camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel of the picture without distortion is in that with it, as `cv2.remap` wants it."""
    size = (camera.width, camera.height)
    return cv2.initUndistortRectifyMap(
        camera.K, np.array(camera.distortion), np.eye(3), camera.K, size, cv2.CV_16SC2
    )
