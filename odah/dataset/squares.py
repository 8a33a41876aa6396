"""Square pictures of the person: which square, its pixels, and the same points and cameras in it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from odah.errors import InputError

_SMALLEST = 32
"""px. A person of whom less is in the picture is not drawn larger than life."""


@dataclass(frozen=True)
class CropSettings:
    """size: side of the pictures made, px. scale: the square's side over the longer side of the person's box,
    in the ODAH paper's code 1.1.

    Raises:
        InputError: no such picture, or a square smaller than the person.
    """

    size: int = 256
    scale: float = 1.1

    def __post_init__(self) -> None:
        if not 8 <= self.size <= 4096:
            raise InputError("crops, size", f"{self.size}", "8 to 4096 px")
        if not 1 <= self.scale <= 10:
            raise InputError("crops, scale", f"{self.scale}", "1 to 10")


def square_around(mask: np.ndarray, scale: float) -> tuple[int, int, int] | None:
    """Left, top and side, whole px measured from the picture's edge, of the square about the person.

    It may reach over the picture's edges. None where nobody is.

    Args:
        mask: (H, W) uint8, not 0 on the person.
        scale: of the square's side to the longer side of the person's box.
    """
    left, top, width, height = cv2.boundingRect(mask)
    if width == 0:
        return None
    side = max(int(np.ceil(scale * max(width, height))), _SMALLEST)
    return (2 * left + width - side) // 2, (2 * top + height - side) // 2, side


def whole_square(width: int, height: int) -> tuple[int, int, int]:
    """The smallest square with the whole picture in its middle, as `square_around`."""
    side = max(width, height)
    return (width - side) // 2, (height - side) // 2, side


def cut(picture: np.ndarray, square: tuple[int, int, int], size: int) -> np.ndarray:
    """A square of a picture (H, W) or (H, W, 3) uint8 as `size` x `size` px; 0 beyond the picture's edges.

    Each pixel of a reduced square is the mean of the area it covers; an enlarged one is interpolated.
    """
    left, top, side = square
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + side, width), min(top + side, height)
    part = picture[y0:y1, x0:x1]
    if part.shape[:2] != (side, side):
        whole = np.zeros((side, side, *picture.shape[2:]), picture.dtype)
        whole[y0 - top : y1 - top, x0 - left : x1 - left] = part
        part = whole
    if side == size:
        return np.ascontiguousarray(part)
    return cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA if side > size else cv2.INTER_LINEAR)


def in_crops(pixels: np.ndarray, crops: np.ndarray, size: int) -> np.ndarray:
    """Pixels (..., T, P, 2) of the full pictures in those of their crops.

    crops: (..., T, 3) left, top and side of each square, px of the full picture, measured from its edge.
    size: px.
    """
    corner, side = crops[..., None, :2], crops[..., None, 2:]
    return (pixels + 0.5 - corner) * (size / side) - 0.5


def crop_intrinsics(K: np.ndarray, crops: np.ndarray, size: int) -> np.ndarray:
    """(V, T, 3, 3) intrinsic matrices of the crops (V, T, 3) of pictures whose cameras have K (V, 3, 3), px.

    A lens keeps its distortion, which is a function of the direction alone.
    """
    scale = (size / crops[..., 2]).astype(K.dtype)
    cropped = np.zeros((*crops.shape[:2], 3, 3), K.dtype)
    cropped[..., 0, 0], cropped[..., 1, 1] = K[:, None, 0, 0] * scale, K[:, None, 1, 1] * scale
    cropped[..., :2, 2] = in_crops(K[:, None, None, :2, 2], crops, size)[..., 0, :]
    cropped[..., 2, 2] = 1
    return cropped
