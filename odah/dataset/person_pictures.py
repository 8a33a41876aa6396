"""Square pictures of the person, frame by frame, from a clip's videos."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from odah.dataset.clip import Clip
from odah.dataset.clip_labels import read_clip_labels
from odah.dataset.label_rows import frame_rows
from odah.dataset.squares import CropSettings, cut, square_around, whole_square
from odah.dataset.video_window import read_window
from odah.errors import InputError
from odah.files import existing_file

_HALF = 128
"""Of a mask's 0 to 255: a pixel of a crop belongs to the person if most of it does."""


@dataclass(frozen=True, eq=False)
class PersonPicture:
    """One frame of one view.

    image: RGB. square: left, top and side, px of the full picture, measured from its edge.
    is_person: someone is in the picture; if not, all of it is shown.
    """

    image: UInt8[np.ndarray, "S S 3"]
    mask: Bool[np.ndarray, "S S"]
    square: Float32[np.ndarray, " 3"]
    is_person: bool


@dataclass(frozen=True, eq=False)
class Window:
    """Some frames of some views of a clip: pictures as in `PersonPicture`, with the channels first, and
    the labels of these frames, of all views (`odah.dataset.label_rows`)."""

    images: UInt8[np.ndarray, "V T 3 S S"]
    masks: Bool[np.ndarray, "V T S S"]
    squares: Float32[np.ndarray, "V T 3"]
    is_person: Bool[np.ndarray, "V T"]
    rows: np.ndarray

    @classmethod
    def blank(cls, num_views: int, rows: np.ndarray, size: int) -> Window:
        """Labels alone, to be filled with `put`."""
        shape = (num_views, len(rows))
        return cls(
            images=np.empty((*shape, 3, size, size), np.uint8),
            masks=np.empty((*shape, size, size), bool),
            squares=np.empty((*shape, 3), np.float32),
            is_person=np.empty(shape, bool),
            rows=rows,
        )

    def put(self, v: int, t: int, picture: PersonPicture) -> None:
        """Fill in the t-th frame of the v-th view."""
        self.images[v, t] = picture.image.transpose(2, 0, 1)
        self.masks[v, t] = picture.mask
        self.squares[v, t] = picture.square
        self.is_person[v, t] = picture.is_person


def person_pictures(
    clip: Clip, view: str, start: int, rows: np.ndarray, settings: CropSettings
) -> Iterator[PersonPicture]:
    """The person in a view's frames from `start` on, one for each of `rows`, decoded one after the other.

    What was rendered as a crop is shown whole.

    Raises:
        InputError: a video that is missing, damaged or too short.
    """
    stop, v = start + len(rows), clip.views.index(view)
    images = read_window(clip.video(view), start, stop, clip.rate)
    masks = read_window(clip.picture(view, "mask"), start, stop, clip.rate, "gray")
    for row, image, mask in zip(rows, images, masks, strict=True):
        around = square_around(mask, settings.scale)
        is_crop = "crops" in (rows.dtype.names or ())
        place = around if around and not is_crop else whole_square(mask.shape[1], mask.shape[0])
        yield PersonPicture(
            image=cut(image, place, settings.size),
            mask=cut(mask, place, settings.size) >= _HALF,
            square=np.asarray(row["crops"][v] if is_crop else place, np.float32),
            is_person=around is not None,
        )


def video_window(clip: Clip, views: Sequence[str], start: int, stop: int, settings: CropSettings) -> Window:
    """Frames `start` to `stop` - 1 of the named views, from a clip's videos.

    Raises:
        InputError: a file that is missing, damaged or too short.
    """
    rows = clip_rows(clip)[start:stop]
    window = Window.blank(len(views), rows, settings.size)
    for v, view in enumerate(views):
        for t, picture in enumerate(person_pictures(clip, view, start, rows, settings)):
            window.put(v, t, picture)
    return window


def clip_rows(clip: Clip) -> np.ndarray:
    """(T,) labels of all frames of a clip; a process keeps those of the clips that it read last.

    Raises:
        InputError: see `read_labels`; not as many frames as `clip.json` says.
    """
    path = clip.folder / "labels.npz"
    rows = _rows_of(path, existing_file(path, "a labels.npz").stat().st_mtime_ns)
    if len(rows) != clip.num_frames:
        raise InputError(path, f"{len(rows)} frames", f"{clip.num_frames}, as clip.json says")
    return rows


@lru_cache(maxsize=4)
def _rows_of(path: Path, changed: int) -> np.ndarray:
    """changed: when, so that a file that is written anew is read anew."""
    return frame_rows(read_clip_labels(path))
