"""What goes wrong in real recordings: clocks, calibrations, lenses, shutters, exposures, compression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field
from scipy.spatial.transform import Rotation

from odah.scene.camera import Camera
from odah.sections import NonNegative, Section, ordered

_Strength = Annotated[float, Field(ge=-0.14, le=0.2)]
"""Below -4/27 no pixel of the undistorted picture would reach the corner of the distorted one."""
_Crf = Annotated[int, Field(ge=0, le=51)]


class StressConfig(Section):
    """Largest deviations and ranges, all drawn evenly per camera and clip; by default nothing is wrong.

    The first camera keeps the time of the labels. Neither the sync offset nor the rolling shutter is told by
    a calibration; the distortion is.
    """

    sync_offset: Annotated[int, Field(ge=0)] = 0
    """Frames by which the other cameras are late or early."""
    calibration_rotation_deg: Annotated[float, Field(ge=0, le=45)] = 0.0
    """Error of the calibrated rotation about each of the camera's axes."""
    calibration_position: NonNegative = 0.0
    """Error of the calibrated position along each world axis, m."""
    calibration_focal: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Relative error of the calibrated focal length."""
    distortion: Annotated[tuple[_Strength, _Strength], AfterValidator(ordered)] = (0.0, 0.0)
    """Share by which the corners of the undistorted picture move outwards; negative is a barrel."""
    rolling_shutter: NonNegative = 0.0
    """Longest time from the first row to the last, s."""
    exposure: NonNegative = 0.0
    """Stops."""
    crf: Annotated[tuple[_Crf, _Crf], AfterValidator(ordered)] | None = None
    """H264 quality; without it the video's own."""


def stressed(
    rng: np.random.Generator, cameras: Sequence[Camera], config: StressConfig
) -> tuple[tuple[Camera, ...], tuple[Camera, ...]]:
    """The cameras as they truly are, and as their calibration tells them.

    Everything is drawn from children of `rng`, which itself is left as it was: a scene stays the same but for
    what `config` does to it, and one kind of stress does not change the draws of another. Without stress both
    are the very cameras given. A lens that has a distortion keeps it.
    """
    true = tuple(cameras)
    if config == StressConfig():
        return true, true
    lenses, clocks, shutters, exposures, codecs, poses = rng.spawn(6)
    if any(config.distortion):
        true = tuple(_with_distortion(camera, lenses.uniform(*config.distortion)) for camera in true)
    if config.sync_offset:
        bounds = (-config.sync_offset, config.sync_offset + 1)
        late = [replace(camera, frame_offset=int(clocks.integers(*bounds))) for camera in true[1:]]
        true = (*true[:1], *late)
    if config.rolling_shutter:
        longest = config.rolling_shutter
        true = tuple(replace(camera, readout=float(shutters.uniform(0, longest))) for camera in true)
    if config.exposure:
        stops = config.exposure
        true = tuple(replace(camera, exposure=float(exposures.uniform(-stops, stops))) for camera in true)
    if config.crf:
        lowest, highest = config.crf
        true = tuple(replace(camera, crf=int(codecs.integers(lowest, highest + 1))) for camera in true)
    return true, tuple(_calibrated(poses, camera, config) for camera in true)


def _with_distortion(camera: Camera, strength: float) -> Camera:
    """A camera whose picture's corner, as far from the middle as the widest, moves outwards by `strength`."""
    if camera.is_distorted:
        return camera
    corners = np.array([(x, y) for x in (-0.5, camera.width - 0.5) for y in (-0.5, camera.height - 0.5)])
    radius = np.linalg.norm((corners - camera.K[:2, 2]) / np.diag(camera.K)[:2], axis=1).max()
    return replace(camera, distortion=(float(strength / radius**2), 0.0, 0.0, 0.0))


def _calibrated(rng: np.random.Generator, camera: Camera, config: StressConfig) -> Camera:
    """What a calibration knows of a camera, with its errors."""
    angles = np.deg2rad(config.calibration_rotation_deg) * rng.uniform(-1, 1, size=3)
    shift = config.calibration_position * rng.uniform(-1, 1, size=3)
    scale = 1 + config.calibration_focal * rng.uniform(-1, 1)
    T_world_cam, K = camera.T_world_cam.copy(), camera.K.copy()
    T_world_cam[:3, :3] = T_world_cam[:3, :3] @ Rotation.from_rotvec(angles).as_matrix()
    T_world_cam[:3, 3] += shift
    K[[0, 1], [0, 1]] *= scale
    return replace(
        camera, K=K, T_world_cam=T_world_cam, focal_length_mm=float(camera.focal_length_mm * scale),
        readout=0.0, frame_offset=0, exposure=0.0, crf=None,
    )  # fmt: skip
