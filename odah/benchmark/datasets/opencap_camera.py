"""OpenCap's calibrations as cameras of the videos that are there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from odah.benchmark.datasets.findings import Findings
from odah.errors import InputError
from odah.estimator.predict.videos import Video
from odah.scene.camera import Camera

_SAME_SHAPE = 0.01
"""Relative difference of the ratios of a picture's sides."""


def for_video(camera: Camera, video: Video, findings: Findings) -> Camera:
    """The camera with the video's picture size, which is right where the calibration tells another one.

    Height and width may be the wrong way round, and phones calibrated in another mode have larger or smaller
    pictures of the same shape. Both is noted.

    Raises:
        InputError: pictures of another shape.
    """
    width, height = video.width, video.height
    if (camera.width, camera.height) == (width, height):
        return camera
    told = f"{camera.name}: calibrated for {camera.width} x {camera.height} px, films {width} x {height}"
    if (camera.width, camera.height) == (height, width):
        findings.note(f"{told}: taken as the same picture, sides the right way round")
        return replace(camera, width=width, height=height)
    scale = width / camera.width
    if abs(camera.height * scale / height - 1) > _SAME_SHAPE:
        raise InputError(video.path, f"pictures of {width} x {height} px", f"those of {told}")
    findings.note(f"{told}: the calibration is scaled")
    K = np.diag([scale, height / camera.height, 1.0]) @ camera.K
    K[:2, 2] = (camera.K[:2, 2] + 0.5) * np.diag(K)[:2] / np.diag(camera.K)[:2] - 0.5
    return replace(camera, K=K, width=width, height=height)
