"""The video that shows what was estimated: skeleton over the views, the person's outline, some angles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from odah.dataset.overlay import SIDE_COLORS_RGB, draw_skeleton
from odah.estimator.predict.outlines import Outline
from odah.names import OPENSIM_COORDINATES
from odah.render.video import VideoWriter

_HEIGHT = 720
"""px, of the overlay at most."""
_TOLD = (
    ("hip flexion", "hip_flexion"), ("hip adduction", "hip_adduction"), ("knee", "knee_angle"),
    ("ankle", "ankle_angle"), ("arm flexion", "arm_flex"), ("elbow", "elbow_flex"),
)  # fmt: skip
"""Read-outs, and the coordinates without their side."""
_OUTLINE_RGB = (120, 220, 120)
_SMALLEST_TEXT = 0.4
"""Of OpenCV's fonts, 9 px high; less cannot be read."""
_SHADE = 0.45
"""Brightness of the picture behind the read-outs."""
_FONT, _LINE = cv2.FONT_HERSHEY_SIMPLEX, cv2.LINE_AA


@dataclass(frozen=True, eq=False)
class Panel:
    """One view at one time. keypoints: joints, px of the picture, NaN behind the camera."""

    image: UInt8[np.ndarray, "H W 3"]
    keypoints: Float[np.ndarray, "J 2"]
    outline: Outline


def write_overlay(
    path: Path,
    frames: Iterable[Sequence[Panel]],
    coordinates: Float[np.ndarray, "F C"],
    times: Float[np.ndarray, " F"],
    rate: float,
) -> None:
    """H264 at `rate` frames/s, the views side by side; pictures larger than 720 px are reduced.

    coordinates: rad.
    """
    with ExitStack() as stack:
        writer: VideoWriter | None = None
        for panels, row, time in zip(frames, coordinates, times, strict=True):
            picture = overlay_picture(panels, row, time)
            if writer is None:
                size = (picture.shape[1], picture.shape[0])
                writer = stack.enter_context(VideoWriter(path, "libx264", size, rate))
            writer.write(np.ascontiguousarray(picture[..., ::-1]))


def overlay_picture(
    panels: Sequence[Panel], coordinates: Float[np.ndarray, " C"], time: float
) -> UInt8[np.ndarray, "h w 3"]:
    """RGB; width and height are even."""
    height = min(_HEIGHT, *(panel.image.shape[0] for panel in panels)) // 2 * 2
    drawn = np.concatenate([_drawn(panel, height) for panel in panels], axis=1)
    _tell_angles(drawn, coordinates, time)
    return drawn


def _drawn(panel: Panel, height: int) -> np.ndarray:
    scale = height / panel.image.shape[0]
    width = max(round(panel.image.shape[1] * scale / 2) * 2, 2)
    picture = cv2.resize(panel.image, (width, height), interpolation=cv2.INTER_AREA)
    lines = [((line + 0.5) * scale - 0.5).round().astype(np.int32) for line in panel.outline]
    cv2.polylines(picture, lines, True, _OUTLINE_RGB, 1, _LINE)
    if not panel.outline:
        _write(picture, "nobody found", (8, height - 12), 0.6)
    joints = (panel.keypoints + 0.5) * scale - 0.5
    draw_skeleton(picture, joints, thickness=max(picture.shape[0] // 240, 1))
    return picture


def _tell_angles(picture: np.ndarray, coordinates: np.ndarray, time: float) -> None:
    """The read-outs in the top-left corner, degrees, in the colours of the sides."""
    size = max(picture.shape[0] / 1500, _SMALLEST_TEXT)
    line, column = round(34 * size), round(200 * size)
    box = picture[: line * (len(_TOLD) + 1) + line // 2, : column + round(200 * size)]
    box[:] = (box * _SHADE).astype(np.uint8)
    _write(picture, f"{time:.2f} s   deg", (line // 3, line), size)
    for row, (label, name) in enumerate(_TOLD, start=2):
        _write(picture, label, (line // 3, row * line), size)
        for k, side in enumerate(("right", "left")):
            value = np.rad2deg(coordinates[OPENSIM_COORDINATES.index(f"{name}_{side[0]}")])
            place = (column + k * round(95 * size), row * line)
            _write(picture, f"{value:4.0f}", place, size, SIDE_COLORS_RGB[side])


def _write(
    picture: np.ndarray,
    text: str,
    place: tuple[int, int],
    size: float,
    color_rgb: tuple[int, int, int] = SIDE_COLORS_RGB["middle"],
) -> None:
    cv2.putText(picture, text, place, _FONT, size, color_rgb, 1, _LINE)
