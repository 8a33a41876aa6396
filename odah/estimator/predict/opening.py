"""The views that the user names: videos, cameras and masks that belong together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from odah.errors import InputError
from odah.estimator.predict.blazepose import BlazePoseSegmenter
from odah.estimator.predict.given_masks import GivenMasks
from odah.estimator.predict.masks import find_person
from odah.estimator.predict.options import PredictOptions
from odah.estimator.predict.pairing import fit_camera, match_cameras
from odah.estimator.predict.person_view import Masked, PersonView
from odah.estimator.predict.segmenters import YoloSegmenter
from odah.estimator.predict.videos import Video, examine
from odah.files import existing_file
from odah.scene.calibration import load_camera_files
from odah.scene.camera import Camera


def open_views(
    paths: Sequence[Path], calibrations: Sequence[str | Path], options: PredictOptions
) -> tuple[list[PersonView], tuple[str, ...]]:
    """The views in the order of the videos, and what has to be said of them.

    Raises:
        InputError: a file that cannot be used, things that do not belong together, or nobody in a video.
    """
    _check_count(paths, options)
    files = [existing_file(path, "a video") for path in paths]
    matched = match_cameras(files, load_camera_files(calibrations, options.up), options.views)
    videos = [examine(path) for path in files]
    fitted = [
        fit_camera(camera, video.path, video.width, video.height)
        for camera, video in zip(matched, videos, strict=True)
    ]
    cameras = [camera for camera, _ in fitted]
    masked, told = _masked(videos, cameras, options)
    notes = [*(video.note for video in videos), *(note for _, note in fitted), *told]
    views = [PersonView(*view) for view in zip(videos, cameras, masked, strict=True)]
    return views, tuple(note for note in notes if note is not None)


def _check_count(paths: Sequence[Path], options: PredictOptions) -> None:
    if not 1 <= len(paths) <= 2:
        raise InputError("videos", f"{len(paths)}", "one or two")
    if len({path.resolve() for path in paths}) < len(paths):
        raise InputError("--side", f"{paths[1]}, as --front", "the video of another camera")
    if len(paths) == 1 and options.offset not in (0, "0"):
        raise InputError("--offset", f"{options.offset} for one video", "also --side")
    if options.masks is not None and len(options.masks) != len(paths):
        raise InputError("--masks", f"{len(options.masks)}", f"{len(paths)}, one for each video")


def _masked(
    videos: Sequence[Video], cameras: Sequence[Camera], options: PredictOptions
) -> tuple[Sequence[Masked], tuple[str, ...]]:
    if options.masks is not None:
        return [GivenMasks(path) for path in options.masks], ()
    segmenter = BlazePoseSegmenter() if options.yolo is None else YoloSegmenter(options.yolo)
    return find_person(videos, cameras, segmenter, options.offset)
