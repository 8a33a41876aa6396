"""One video, its camera and the person in it, read once from end to end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from odah.estimator.predict.crops import Cropper, PersonCrop
from odah.estimator.predict.outlines import Outline, joints_inside, outline_of
from odah.estimator.predict.videos import Video, read_pictures
from odah.scene.camera import Camera

Masked = Callable[[Video, Sequence[int]], Iterator[tuple[np.ndarray, np.ndarray]]]
"""Frames of a video by their numbers, in order: RGB pictures, and masks (H, W) uint8, 0 off the person."""


@dataclass(frozen=True, eq=False)
class PersonView:
    """outlines: of the person, of the frames that `crops` has passed. is_seen: whether somebody was there."""

    video: Video
    camera: Camera
    masked: Masked
    outlines: list[Outline] = field(default_factory=list)
    is_seen: list[bool] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.camera.name

    @property
    def path(self) -> Path:
        return self.video.path

    def crops(self, numbers: Sequence[int], size: int) -> Iterator[PersonCrop]:
        """The person in the frames of these numbers, which do not fall, as squares of `size` px."""
        cropper = Cropper(self.camera, size)
        for image, mask in self.masked(self.video, numbers):
            crop = cropper(image, mask)
            self.outlines.append(outline_of(mask))
            self.is_seen.append(crop.is_person)
            yield crop

    def pictures(self, numbers: Sequence[int]) -> Iterator[np.ndarray]:
        """RGB pictures of the frames of these numbers, which do not fall."""
        return read_pictures(self.video, numbers)

    def inside(self, keypoints: np.ndarray) -> float:
        """Share of the keypoints (F, J, 2), px, that lie on the person in the frames that `crops` has passed.

        Those outside the picture and frames without anybody do not count. NaN if nothing counts.
        """
        size = np.array([self.camera.width, self.camera.height])
        hits = counted = 0
        for points, outline, is_there in zip(keypoints, self.outlines, self.is_seen, strict=True):
            shown = points[((points >= -0.5) & (points < size - 0.5)).all(axis=1)]
            if is_there and len(shown):
                hits += int(joints_inside(shown, outline, *size.tolist()).sum())
                counted += len(shown)
        return hits / counted if counted else float("nan")
