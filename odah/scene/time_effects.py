"""When a camera sees what: pictures out of step with the motion, and rows that are read one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from odah.clothing.layers import MeshLayer
from odah.errors import InputError
from odah.scene.camera import Camera

_MAX_ITERATIONS = 50
_TOLERANCE = 1e-7
"""Of a frame: at 10 m/s and 60 Hz less than a tenth of a micrometre."""


def as_seen_by(layers: Sequence[MeshLayer], camera: Camera, rate: float) -> Sequence[MeshLayer]:
    """The layers where this camera's pictures show them; the very same objects if it is in time.

    See `points_as_seen_by`. rate: frames per second.

    Raises:
        InputError: reading a picture takes longer than a frame.
    """
    if not camera.frame_offset and not camera.readout:
        return layers
    return [
        replace(layer, vertices=points_as_seen_by(layer.vertices, camera, rate).astype(layer.vertices.dtype))
        for layer in layers
    ]


def points_as_seen_by(points: np.ndarray, camera: Camera, rate: float) -> np.ndarray:
    """World points (T, P, 3), m, where they were when this camera's pictures show them.

    First the frame offset: picture k shows frame k - frame_offset, the first or last one where there is none.
    Then the rolling shutter: each point is where it was when its own row was read. Between two frames points
    move straight; after the last one they move on as before it. Points above or below the picture are taken
    at the time of its first or last row, those the lens cannot see at that of the first.

    Raises:
        InputError: reading a picture takes longer than a frame.
    """
    if camera.readout * rate > 1:
        found = f"{camera.readout} s"
        raise InputError(f"camera {camera.name}, readout", found, f"at most the {1 / rate:.4f} s of a frame")
    num_frames = len(points)
    if camera.frame_offset:
        points = points[np.clip(np.arange(num_frames) - camera.frame_offset, 0, num_frames - 1)]
    if not camera.readout or num_frames < 2:
        return points
    seen = np.empty_like(points)
    for frame in range(num_frames):
        step = points[frame + 1] - points[frame] if frame + 1 < num_frames else points[-1] - points[-2]
        seen[frame] = _read_by_rows(points[frame], step, camera, camera.readout * rate)
    return seen


def _read_by_rows(start: np.ndarray, step: np.ndarray, camera: Camera, duration: float) -> np.ndarray:
    """Points (P, 3) that move from `start` by `step` within a frame, each when its row is read.

    The time at which a point is read depends on its row, and the row on the time. As a point crosses but a
    few rows while it is read, the iteration shrinks the error each time by duration x rows a frame / rows.
    """
    times = np.zeros(len(start))
    for _ in range(_MAX_ITERATIONS):
        before, times = times, duration * _row_share(start + times[:, None] * step, camera)
        if np.abs(times - before).max(initial=0.0) < _TOLERANCE:
            break
    return start + times[:, None] * step


def _row_share(points: np.ndarray, camera: Camera) -> np.ndarray:
    """(P,) 0 for points in the first row of the picture to 1 in the last."""
    rows = camera.project(points)[:, 1] / max(camera.height - 1, 1)
    return np.clip(np.nan_to_num(rows, nan=0.0), 0.0, 1.0)
