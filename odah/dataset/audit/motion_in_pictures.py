"""Where something moves in a video of a camera that stands still."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from odah.dataset.audit.containers import read_chosen
from odah.render.video import open_video

_NUM_KEPT = 9
_STRONG = 20
"""Grey levels: above what coding makes of a still background."""
_REACH = np.ones((9, 9), np.uint8)
_WIDTH = 480


@dataclass(frozen=True)
class Seen:
    """num_frames: that could be decoded. frames: of those, the ones kept. pictures: (n, H, W) uint8, grey and
    at most `_WIDTH` px wide."""

    num_frames: int
    frames: tuple[int, ...]
    pictures: np.ndarray

    @property
    def contrast(self) -> float:
        """Grey levels between the dark and the light tenth of the pictures."""
        if not len(self.pictures):
            return 0.0
        low, high = np.percentile(self.pictures[len(self.pictures) // 2], (5, 95))
        return float(high - low)

    def moving_px(self) -> np.ndarray:
        """(H, W) uint8, 255 where a picture differs strongly from their median."""
        usual = np.median(self.pictures, axis=0)
        change = np.abs(self.pictures - usual).max(axis=0)
        return np.where(change > _STRONG, np.uint8(255), np.uint8(0))

    def share_on(self, mask_video: Path) -> tuple[int, float]:
        """How many pixels move, and the share of them near to where the masks have the person at some time.

        Raises:
            InputError: the masks cannot be read.
        """
        moving = self.moving_px()
        person = np.max(list(read_chosen(mask_video, self.frames, "gray")), axis=0)
        size = (moving.shape[1], moving.shape[0])
        person = cv2.dilate(cv2.resize(person, size, interpolation=cv2.INTER_NEAREST), _REACH)
        count = cv2.countNonZero(moving)
        return count, cv2.countNonZero(moving & person) / max(count, 1)


def watch(path: Path, num_frames: int) -> Seen:
    """Decode the first `num_frames` pictures, or all if there are fewer, and keep a few over the whole.

    Raises:
        InputError: missing, empty, or no video.
    """
    wanted = set(np.linspace(0, num_frames - 1, min(_NUM_KEPT, num_frames)).round().astype(int).tolist())
    kept, count = {}, 0
    with open_video(path) as (container, stream):
        for count, frame in enumerate(container.decode(stream), 1):
            if count - 1 in wanted:
                kept[count - 1] = _reduced(frame.to_ndarray(format="gray"))
            if count == num_frames:
                break
    return Seen(count, tuple(kept), np.array(list(kept.values())))


def _reduced(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape
    if width <= _WIDTH:
        return picture
    size = (_WIDTH, max(round(height * _WIDTH / width), 1))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
