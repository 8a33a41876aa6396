"""A user's picture as cloth."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from odah.clothing.pictures import decoded, resized
from odah.errors import InputError

_MARGIN = 1 / 8
"""Share of the picture that is blended into its opposite edge."""


def image_texture(path: str | Path, size: int = 512) -> np.ndarray:
    """(size, size, 3) uint8 sRGB from a PNG or JPEG; opposite edges fit together.

    Of a picture that is no square its middle is taken; what is transparent becomes white. Edges that do not
    fit are blended into each other, so that a picture that tiles already stays as it is.

    Raises:
        InputError: the file is missing or is no picture.
    """
    image = _squared(_read(Path(path)))
    for axis in (0, 1):
        if not _is_seamless(image, axis):
            image = _blended(image, axis)
    return resized(image, size, size)


def _read(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 sRGB."""
    try:
        data = path.read_bytes()
    except OSError as error:
        found = error.strerror or type(error).__name__
        raise InputError(f"{path}: texture", found.lower(), "a PNG or JPEG picture") from error
    image = decoded(data)
    if image is None:
        found = f"{len(data)} bytes that are no picture" if data else "an empty file"
        raise InputError(f"{path}: texture", found, "a PNG or JPEG picture")
    return _as_rgb(image)


def _as_rgb(image: np.ndarray) -> np.ndarray:
    if image.dtype != np.uint8:  # 16 bits a channel, or floats of 0 to 1
        scale = 255 / np.iinfo(image.dtype).max if image.dtype.kind in "ui" else 255.0
        image = np.clip(np.nan_to_num(image.astype(float)) * scale + 0.5, 0, 255).astype(np.uint8)
    image = image.reshape(*image.shape[:2], -1)
    channels = image.shape[2]
    bgr = image[..., :3] if channels >= 3 else np.repeat(image[..., :1], 3, axis=2)
    if channels in (2, 4):
        opaque = image[..., -1:] / 255.0
        bgr = (bgr * opaque + 255 * (1 - opaque) + 0.5).astype(np.uint8)
    return np.ascontiguousarray(bgr[..., ::-1])


def _squared(image: np.ndarray) -> np.ndarray:
    side = min(image.shape[:2])
    top, left = ((length - side) // 2 for length in image.shape[:2])
    return image[top : top + side, left : left + side]


def _is_seamless(image: np.ndarray, axis: int) -> bool:
    """Whether the step across the edges is no larger than one inside, such as the edge of a stripe."""
    pixels = image.astype(float)
    inside = np.abs(np.diff(pixels, axis=axis)).mean((1 - axis, 2))
    return bool(np.abs(pixels.take(0, axis) - pixels.take(-1, axis)).mean() <= inside.max(initial=0.0))


def _blended(image: np.ndarray, axis: int) -> np.ndarray:
    """Shorter by a margin; its first rows fade from what followed the last ones into their own."""
    pixels = np.moveaxis(image.astype(float), axis, 0)
    margin = round(_MARGIN * len(pixels))
    kept = pixels[: len(pixels) - margin].copy()
    fade = (np.arange(margin) / max(margin, 1)).reshape(-1, 1, 1)
    kept[:margin] = fade * kept[:margin] + (1 - fade) * pixels[len(pixels) - margin :]
    return np.ascontiguousarray(np.moveaxis(np.clip(kept + 0.5, 0, 255).astype(np.uint8), 0, axis))
