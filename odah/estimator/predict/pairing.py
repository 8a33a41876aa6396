"""Which camera of a calibration took which video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from odah.errors import InputError
from odah.scene.camera import Camera

_PADDING = 16
"""px by which a calibration may say that a picture is larger or smaller: encoders work in blocks of so many,
and what they add is at the right and at the bottom."""
_ROUNDING = 2
"""px by which a scaled picture's side may miss the calibrated shape: encoders like even sides."""


def match_cameras(
    videos: Sequence[Path], cameras: Sequence[Camera], views: Sequence[str] | None = None
) -> list[Camera]:
    """The camera of each video.

    Those named in `views`; else those with the names of the videos' files, `cam01.mp4` and `cam01`; else,
    where there are as many cameras as videos, in their order.

    Raises:
        InputError: a name that the calibration lacks, one camera for two videos, or no way to tell.
    """
    by_name = {camera.name: camera for camera in cameras}
    known = ", ".join(by_name)
    if views is not None:
        if len(views) != len(videos) or len(set(views)) < len(views):
            expected = f"the names of {len(videos)} cameras, one for each video"
            raise InputError("--views", ",".join(views), expected)
        for name in views:
            if name not in by_name:
                raise InputError("--views", f"no camera {name!r} in the calibration", f"some of {known}")
        return [by_name[name] for name in views]
    stems = [video.stem for video in videos]
    if all(stem in by_name for stem in stems) and len(set(stems)) == len(stems):
        return [by_name[stem] for stem in stems]
    if len(cameras) != len(videos):
        count = f"{len(cameras)} camera{'s' * (len(cameras) != 1)} ({known}) for {len(videos)}"
        expected = "as many cameras as videos, files named like their cameras, or --views NAME[,NAME]"
        raise InputError("--cameras", f"{count} video{'s' * (len(videos) != 1)}", expected)
    return list(cameras)


def fit_camera(camera: Camera, video: Path, width: int, height: int) -> tuple[Camera, str | None]:
    """The camera for pictures of `width` x `height` px, and a note if it was calibrated for others.

    Pictures of the calibrated shape are taken for the same ones made smaller or larger, those that differ by
    an encoder's padding for the same pixels.

    Raises:
        InputError: pictures of another shape, or turned by a quarter.
    """
    if (camera.width, camera.height) == (width, height):
        return camera, None
    found = f"pictures of {width} x {height} px"
    calibrated = f"{camera.width} x {camera.height} px"
    note = f"{video.name}: {found}, camera {camera.name} calibrated for {calibrated}: "
    if max(abs(camera.width - width), abs(camera.height - height)) <= _PADDING:
        return replace(camera, width=width, height=height), f"{note}taken for the same pixels"
    if _has_shape(camera, width, height):
        return _scaled(camera, width, height), f"{note}taken for the same picture at another resolution"
    if _has_shape(camera, height, width):
        found += ", turned by a quarter against the calibration"
    raise InputError(video, found, f"{calibrated}, which camera {camera.name} is calibrated for")


def _has_shape(camera: Camera, width: int, height: int) -> bool:
    """Whether width : height is that of the camera's pictures."""
    scale = max(width / camera.width, height / camera.height)
    return max(scale * camera.width - width, scale * camera.height - height) <= _ROUNDING


def _scaled(camera: Camera, width: int, height: int) -> Camera:
    """The edges of the picture stay its edges; a lens' distortion is a function of the direction alone."""
    across, down = width / camera.width, height / camera.height
    edge = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])  # of pixel centres on whole numbers
    K = np.linalg.inv(edge) @ np.diag([across, down, 1.0]) @ edge @ camera.K
    return replace(camera, K=K, width=width, height=height)
