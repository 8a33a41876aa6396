"""Which camera of a calibration took which video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from odah.errors import InputError
from odah.scene.camera import Camera

_PADDING = 16
"""px by which a calibration may say that a picture is larger or smaller: encoders work in blocks of so many,
and what they add is at the right and at the bottom."""


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
    """The camera for pictures of `width` x `height` px, and a note if it was calibrated for slightly others.

    Raises:
        InputError: pictures of another size.
    """
    if (camera.width, camera.height) == (width, height):
        return camera, None
    found = f"pictures of {width} x {height} px"
    calibrated = f"{camera.width} x {camera.height} px"
    if max(abs(camera.width - width), abs(camera.height - height)) > _PADDING:
        raise InputError(video, found, f"{calibrated}, which the camera {camera.name} is calibrated for")
    note = (
        f"{video.name}: {found}, camera {camera.name} calibrated for {calibrated}: taken for the same pixels"
    )
    return replace(camera, width=width, height=height), note
