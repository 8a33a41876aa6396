"""Masks that the user brings: a video, or a folder of pictures, one for each frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from odah.errors import InputError
from odah.estimator.predict.videos import Video, examine, read_pictures

_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
_WHITE = 127
_SURPLUS = 1
"""Masks more than frames that pass: some files count a frame more than they have."""


@dataclass(frozen=True)
class GivenMasks:
    """Bright on the person; of the video's size or its shape. Called with the video and numbers of frames."""

    path: Path

    def __call__(
        self, video: Video, numbers: Sequence[int]
    ) -> Iterator[tuple[UInt8[np.ndarray, "H W 3"], UInt8[np.ndarray, "H W"]]]:
        """Pictures and masks, 255 on the person, 0 elsewhere.

        Raises:
            InputError: fewer or more masks than frames, masks of another shape, or damaged ones.
        """
        masks = self._from_folder(video, numbers) if self.path.is_dir() else self._from_video(video, numbers)
        for image, mask in zip(read_pictures(video, numbers), masks, strict=True):
            if mask.shape != image.shape[:2]:
                mask = self._fitted(mask, video)
            yield image, np.where(mask > _WHITE, np.uint8(255), np.uint8(0))

    def _fitted(self, mask: np.ndarray, video: Video) -> np.ndarray:
        height, width = mask.shape
        if abs(width * video.height - height * video.width) > max(video.width, video.height):
            found = f"masks of {width} x {height} px"
            raise InputError(self.path, found, f"the shape of {video.path}, {video.width} x {video.height}")
        return cv2.resize(mask, (video.width, video.height), interpolation=cv2.INTER_LINEAR)

    def _from_video(self, video: Video, numbers: Sequence[int]) -> Iterator[np.ndarray]:
        masks = examine(self.path)
        self._check_count(masks.num_frames, video)
        return (picture[..., 0] for picture in read_pictures(masks, numbers))

    def _from_folder(self, video: Video, numbers: Sequence[int]) -> Iterator[np.ndarray]:
        paths = sorted(path for path in self.path.iterdir() if path.suffix.lower() in _SUFFIXES)
        self._check_count(len(paths), video)
        return (_read(paths[number]) for number in numbers)

    def _check_count(self, count: int, video: Video) -> None:
        if not video.num_frames <= count <= video.num_frames + _SURPLUS:
            expected = f"one for each of the {video.num_frames} frames of {video.path}"
            raise InputError(self.path, f"{count} masks", expected)


def _read(path: Path) -> np.ndarray:
    mask = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_GRAYSCALE) if path.stat().st_size else None
    if mask is None:
        raise InputError(path, "unreadable data", "a picture of a mask")
    return mask
