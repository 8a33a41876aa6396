"""What is kept of a view's label pictures: one pass over them, a few numbers a frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from odah.dataset.audit.containers import read_chosen
from odah.dataset.schema import PictureKind
from odah.errors import InputError
from odah.render.label_codes import decode_depth_mm, decode_normals
from odah.render.parts import BODY_PARTS, OCCLUDED, part_under

_FORMATS: dict[PictureKind, str] = {"mask": "gray", "parts": "gray", "depth": "gray16le", "normals": "rgb24"}
_MASK_OF_PART = np.full(256, 1, np.uint8)  # which no mask has
_MASK_OF_PART[[0, OCCLUDED]] = 0
_MASK_OF_PART[1 : len(BODY_PARTS)] = 255
_STRANGE_PART = np.full(256, 255, np.uint8)
_STRANGE_PART[[*range(len(BODY_PARTS)), OCCLUDED]] = 0


@dataclass
class Look:
    """Numbers of the n looked-at frames of one view.

    inside (J,), part_at (J,) uint8, depth_at (J,) m, inf where nobody is: under each joint, a row a frame.
    person_px: pixels of the person. other_px: by kind, pixels in which it does not agree with the mask about
    where the person is. strange_px: by kind, pixels that mean nothing. away_px: normals that face away.
    """

    frames: list[int] = field(default_factory=list)
    inside: list[np.ndarray] = field(default_factory=list)
    part_at: list[np.ndarray] = field(default_factory=list)
    depth_at: list[np.ndarray] = field(default_factory=list)
    person_px: list[int] = field(default_factory=list)
    away_px: list[int] = field(default_factory=list)
    other_px: dict[str, list[int]] = field(default_factory=lambda: {kind: [] for kind in _FORMATS})
    strange_px: dict[str, list[int]] = field(default_factory=lambda: {kind: [] for kind in _FORMATS})


def look_at_view(paths: Mapping[PictureKind, Path], frames: Sequence[int], keypoints: np.ndarray) -> Look:
    """Look at some frames of a view's label videos; keypoints: (T, J, 2) px of the video.

    Raises:
        InputError: a video cannot be read, ends early, or its pictures are not of the mask's size.
    """
    look = Look()
    for frame, pictures in _together(paths, frames):
        mask = pictures["mask"]
        for kind, picture in pictures.items():
            if picture.shape[:2] != mask.shape:
                raise InputError(paths[kind], f"pictures of {picture.shape}", f"the mask's {mask.shape}")
        look.frames.append(frame)
        look.person_px.append(cv2.countNonZero(mask))
        look.inside.append(inside_mask(mask > 127, keypoints[frame]))
        look.strange_px["mask"].append(cv2.countNonZero(cv2.inRange(mask, 1, 254)))
        for kind, look_at in _LOOKS.items():
            if kind in pictures:
                look_at(look, pictures[kind], mask, keypoints[frame])
    return look


def _together(
    paths: Mapping[PictureKind, Path], frames: Sequence[int]
) -> Iterator[tuple[int, dict[PictureKind, np.ndarray]]]:
    """(frame, picture by kind) of the chosen frames."""
    with ExitStack() as stack:
        streams = {}
        for kind, path in paths.items():
            streams[kind] = read_chosen(path, frames, _FORMATS[kind])
            stack.callback(streams[kind].close)
        for frame in frames:
            yield frame, {kind: next(stream) for kind, stream in streams.items()}


def _look_at_parts(look: Look, parts: np.ndarray, mask: np.ndarray, keypoints: np.ndarray) -> None:
    look.part_at.append(part_under(parts, keypoints))
    other = cv2.countNonZero(cv2.bitwise_xor(cv2.LUT(parts, _MASK_OF_PART), mask))
    look.other_px["parts"].append(other)
    look.strange_px["parts"].append(cv2.countNonZero(cv2.LUT(parts, _STRANGE_PART)) if other else 0)


def _look_at_depth(look: Look, codes: np.ndarray, mask: np.ndarray, keypoints: np.ndarray) -> None:
    look.other_px["depth"].append(int(np.count_nonzero((codes > 0) != (mask > 0))))
    row, column = _pixels(mask.shape, keypoints)
    look.depth_at.append(decode_depth_mm(codes[row, column]))


def _look_at_normals(look: Look, codes: np.ndarray, mask: np.ndarray, keypoints: np.ndarray) -> None:
    person = mask > 0
    look.other_px["normals"].append(int(np.count_nonzero(codes.any(axis=-1) != person)))
    normals = decode_normals(codes[person])
    length = np.sqrt((normals**2).sum(axis=-1))
    look.strange_px["normals"].append(int(np.count_nonzero(np.abs(length - 1) > _LENGTH_TOLERANCE)))
    look.away_px.append(int(np.count_nonzero(normals[:, 2] > 0)))


_LOOKS = {"parts": _look_at_parts, "depth": _look_at_depth, "normals": _look_at_normals}
_LENGTH_TOLERANCE = 0.02
"""Three numbers, each off by up to 1/255."""


def inside_mask(mask: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
    """(J,) whether each joint (J, 2), px, is on a mask (H, W), or a pixel off it.

    Where bone lies right under the skin, as at the heel, the pixel of a small picture may be the next one.
    """
    padded = np.pad(mask, 1)
    row, column = _pixels(mask.shape, keypoints)
    rows, columns = (centre[:, None] + np.arange(3) for centre in (row, column))
    return np.any(padded[rows[:, :, None], columns[:, None]], axis=(1, 2))


def _pixels(shape: tuple[int, ...], keypoints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the pixels nearest to keypoints (J, 2), px, within a picture."""
    high = (shape[1] - 1, shape[0] - 1)
    column, row = np.rint(np.nan_to_num(keypoints, nan=-1.0)).clip(0, high).astype(int).T
    return row, column
