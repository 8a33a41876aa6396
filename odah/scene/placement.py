"""Where the two cameras stand, so that the whole motion stays in both pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from odah.errors import InputError
from odah.scene.camera import Camera, look_at
from odah.scene.config import CameraConfig

_MAX_DISTANCE = 200.0


@dataclass(frozen=True, eq=False)
class PersonBounds:
    """What a scene must know of the person.

    points: (P, 3) corners of the space the person sweeps, world, m.
    heading: (2,) unit horizontal direction the person faces on average.
    """

    points: np.ndarray
    heading: np.ndarray

    @classmethod
    def from_motion(cls, points: np.ndarray, facing: np.ndarray) -> PersonBounds:
        """Bounds of points (T, P, 3) on the body, m, and of the directions (T, 3) it faces, both in world.

        Raises:
            InputError: no points, or numbers that are not finite.
        """
        flat = np.asarray(points, dtype=float).reshape(-1, 3)
        if len(flat) == 0 or not np.isfinite(flat).all():
            raise InputError("person points", f"{len(flat)} points, not all finite", "finite positions")
        return cls(_hull(flat), mean_heading(facing))

    @property
    def center(self) -> np.ndarray:
        """(3,) middle of the swept space, m."""
        return (self.points.min(0) + self.points.max(0)) / 2


def _hull(points: np.ndarray) -> np.ndarray:
    try:
        return points[ConvexHull(points).vertices]
    except (QhullError, ValueError):  # flat or too few points: they all stay
        return np.unique(points, axis=0)


def mean_heading(facing: np.ndarray) -> np.ndarray:
    """(2,) unit mean of the horizontal parts of directions (T, 3) in world.

    Someone who turns all the way round has no mean; the first usable direction stands in. Someone who
    faces straight up or down all the time gets world X.

    Raises:
        InputError: directions that are not finite.
    """
    facing = np.asarray(facing, dtype=float).reshape(-1, 3)
    if not np.isfinite(facing).all():
        raise InputError("facing", "directions that are not finite", "finite directions (T, 3)")
    horizontal = facing[:, :2]
    usable = horizontal[np.linalg.norm(horizontal, axis=1) > 1e-3]
    if len(usable) == 0:
        return np.array([1.0, 0.0])
    mean = usable.mean(0)
    if np.linalg.norm(mean) < 0.1 * np.linalg.norm(usable, axis=1).mean():
        mean = usable[0]
    return mean / np.linalg.norm(mean)


def sample_cameras(
    rng: np.random.Generator, config: CameraConfig, bounds: PersonBounds
) -> tuple[Camera, Camera]:
    """The "front" camera before the person's face and the "side" camera at the configured side."""
    x, y = bounds.heading
    right = np.array([y, -x])
    side = right if config.side == "right" else -right
    front_camera = _sample_camera(rng, config, bounds, "front", bounds.heading)
    return front_camera, _sample_camera(rng, config, bounds, "side", side)


def _sample_camera(
    rng: np.random.Generator, config: CameraConfig, bounds: PersonBounds, name: str, direction: np.ndarray
) -> Camera:
    mean_height, deviation = config.height
    height = rng.uniform(mean_height - deviation, mean_height + deviation)
    offset = rng.uniform(-config.position_offset, config.position_offset, size=2)
    aim = np.deg2rad(rng.uniform(-config.aim_offset_deg, config.aim_offset_deg, size=2))

    def camera_at(distance: float) -> Camera:
        position = np.append(bounds.center[:2] + distance * direction + offset, height)
        T_world_cam = look_at(position, bounds.center)
        T_world_cam[:3, :3] = T_world_cam[:3, :3] @ _yaw_pitch(*aim)
        return Camera.from_lens(
            name, T_world_cam, config.width, config.height_px, config.focal_length_mm, config.sensor_width_mm
        )

    reach = ((bounds.points - bounds.center)[:, :2] @ direction).max()
    return camera_at(_nearest_distance(camera_at, bounds, config, reach))


def _yaw_pitch(yaw: float, pitch: float) -> np.ndarray:
    """(3, 3) rotation of a camera about its own down axis, then about its right axis, rad."""
    (cy, cp), (sy, sp) = np.cos([yaw, pitch]), np.sin([yaw, pitch])
    return np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]]) @ np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])


def _nearest_distance(
    camera_at: Callable[[float], Camera], bounds: PersonBounds, config: CameraConfig, reach: float
) -> float:
    """Shortest distance from the bounds' centre, to 1 cm, from where the person fits into the picture, m."""

    def fits(distance: float) -> bool:
        return bool(camera_at(distance).sees(bounds.points, config.margin).all())

    low = high = reach + config.min_distance
    while not fits(high):
        low, high = high, 1.3 * high
        if high > _MAX_DISTANCE:
            extent = np.round(np.ptp(bounds.points, axis=0), 1).tolist()
            raise InputError("person points", f"a motion {extent} m wide", "one that fits into a picture")
    while high - low > 0.01:
        middle = (low + high) / 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high
