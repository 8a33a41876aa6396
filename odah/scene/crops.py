"""The part of a picture that shows the person: a square that follows them smoothly."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from odah.errors import InputError
from odah.scene.camera import Camera
from odah.sections import Section


class CropConfig(Section):
    """Square pictures of the person alone, instead of whole ones."""

    size: Annotated[int, Field(ge=32, le=2048, multiple_of=2)] = 256
    """Side of the rendered square, px."""
    margin: Annotated[float, Field(ge=0, lt=0.5)] = 0.1
    """Space kept free around the person at every edge, as a share of the square's side."""
    smooth: Annotated[int, Field(ge=0, le=1000)] = 30
    """Frames before and after over which the square's way is smoothed."""


def person_crops(points: np.ndarray, camera: Camera, margin: float, smooth: int) -> np.ndarray:
    """(T, 3) left, top and side of the square around a person in each frame, px of the full picture.

    Edges, not pixel centres, as `Camera.cropped` takes them: the whole picture is a square from (0, 0).

    Its middle is the person's averaged over `smooth` frames before and after; its side holds the person in
    all those frames, averaged likewise, so that the window glides and never loses them. It may reach over the
    picture's edge, where the rendered crop shows what a larger sensor would have seen. In a frame in which a
    part of the person is not before the camera, the nearest frame in which all is stands in.

    Args:
        points: (T, P, 3) on the person, world, m.
        margin: share of the side kept free at every edge.
        smooth: frames; 0 for the tightest square in each frame.

    Raises:
        InputError: a person whom the camera never sees, numbers out of bounds.
    """
    if not 0 <= margin < 0.5 or smooth < 0:
        raise InputError("crop", f"margin {margin}, smooth {smooth}", "0 to 0.5, and at least 0 frames")
    pixels = camera.project(points) + 0.5
    if pixels.ndim != 3 or 0 in pixels.shape[:2]:
        raise InputError("crop", f"points of shape {points.shape}", "(frames, points, 3), none of them 0")
    is_seen = np.isfinite(pixels).all((1, 2))
    if not is_seen.any():
        raise InputError(f"crop of camera {camera.name}", "no frame with all of the person before it", "one")
    frames = np.arange(len(pixels))
    nearest = np.abs(frames[:, None] - frames[is_seen]).argmin(1)
    low, high = pixels[is_seen].min(1)[nearest], pixels[is_seen].max(1)[nearest]
    center = _smoothed((low + high) / 2, smooth)
    reach = np.maximum(high - center, center - low).max(1)
    needed = np.maximum(2 * reach / (1 - 2 * margin), 1.0)
    window = 2 * smooth + 1
    # Each average is over sides none of which is too small for this frame.
    side = uniform_filter1d(maximum_filter1d(needed, window, mode="nearest"), window, mode="nearest")
    return np.column_stack([center - side[:, None] / 2, side])


def _smoothed(path: np.ndarray, smooth: int) -> np.ndarray:
    """Mean of (T, 2) over `smooth` frames before and after; beyond its ends the path goes on as it came."""
    padded = np.pad(path, ((smooth, smooth), (0, 0)), mode="reflect", reflect_type="odd")
    return uniform_filter1d(padded, 2 * smooth + 1, axis=0)[smooth : smooth + len(path)]
