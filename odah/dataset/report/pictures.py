"""Small pictures of clips, with the skeleton as lines that the page can show or hide."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from odah.errors import InputError
from odah.names import SKELETON_BONES, side_of
from odah.render.video import open_video

_QUALITY = 78


@dataclass(frozen=True)
class Picture:
    """One frame. uri: the JPEG as `data:`; bones: SVG paths by side, in pixels of width x height."""

    uri: str
    width: int
    height: int
    bones: dict[str, str]
    alt: str


def frames_near(path: Path, wanted: Sequence[int], tolerance: int) -> list[tuple[int, np.ndarray]]:
    """For each number of a frame, one at most `tolerance` before it, as (number, (H, W, 3) uint8 RGB).

    Where a keyframe is near enough nothing else is decoded.

    Raises:
        InputError: missing, empty, no video, or shorter than what is asked for.
    """
    found: list[tuple[int, np.ndarray]] = []
    with open_video(path) as (container, stream):
        rate, base = stream.average_rate, stream.time_base
        if not rate or not base:
            raise InputError(path, "no frame rate", "a video")
        begin = stream.start_time or 0
        for target in wanted:
            container.seek(begin + int(target / rate / base), stream=stream)
            for frame in container.decode(stream):
                number = round(((frame.pts or begin) - begin) * base * rate)
                if number >= target - tolerance:
                    found.append((number, frame.to_ndarray(format="rgb24")))
                    break
            else:
                raise InputError(path, f"no frame {target}", "as many frames as labels")
    return found


def picture(
    image: np.ndarray, keypoints: np.ndarray, joint_names: Sequence[str], width: int, alt: str
) -> Picture:
    """A frame (H, W, 3) uint8 RGB at most `width` px wide, and its joints (J, 2) px as bones."""
    scale = min(1.0, width / image.shape[1])
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    uri = "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()
    return Picture(uri, *size, bones((keypoints + 0.5) * scale, joint_names), alt)


def around(keypoints: np.ndarray, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the upright part (3:4) of a picture that shows the person.

    keypoints: (J, 2) px; NaN is left out. The whole picture if none is there. Heads reach beyond all joints.
    """
    points = keypoints[np.isfinite(keypoints).all(axis=1)]
    points = points[((points >= 0) & (points < (width, height))).all(axis=1)]
    if not len(points):
        return 0, 0, width, height
    low, high = points.min(axis=0), points.max(axis=0)
    reach = 1.6 * (high - low)
    tall = float(np.clip(max(reach[1], 4 / 3 * reach[0]), 32, height))
    wide = min(0.75 * tall, width)
    left, top = np.clip((low + high) / 2 - (wide / 2, 0.54 * tall), 0, (width - wide, height - tall))
    return round(left), round(top), round(left + wide), round(top + tall)


def bones(points: np.ndarray, joint_names: Sequence[str]) -> dict[str, str]:
    """SVG paths of the skeleton by side: points (J, 2) px from the picture's edge; NaN is left out."""
    index = {name: j for j, name in enumerate(joint_names) if np.isfinite(points[j]).all()}
    paths: dict[str, list[str]] = {"middle": [], "left": [], "right": []}
    for start, end in SKELETON_BONES:
        if start in index and end in index:
            (x0, y0), (x1, y1) = points[index[start]], points[index[end]]
            paths[side_of(end)].append(f"M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}")
    return {side: "".join(lines) for side, lines in paths.items() if lines}
