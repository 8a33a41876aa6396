"""Where the cameras stand, so that the whole motion stays in every picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from odah.errors import InputError
from odah.scene.calibration import load_cameras
from odah.scene.camera import Camera, look_at
from odah.scene.camera_config import CameraConfig

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
    rng: np.random.Generator, config: CameraConfig, bounds: PersonBounds, size: tuple[int, int]
) -> tuple[Camera, ...]:
    """The cameras of a clip; size: width and height of their pictures, px.

    "pair": "front" before the person's face and "side" at the configured side. "ring": "view0", "view1", ...
    round the person. Each stands as near as the person fits into its picture. "file": those of the
    calibration file as they are, of whatever size.

    Raises:
        InputError: a motion that fits into no picture, a calibration file that cannot be used.
    """
    if config.layout == "file":
        return _cameras_above_floor(config)
    if config.layout == "ring":
        return _sample_ring(rng, config, bounds, size)
    x, y = bounds.heading
    right = np.array([y, -x])
    side = right if config.side == "right" else -right
    directions = (bounds.heading, side)
    named = zip(camera_names(config), directions, strict=True)
    return tuple(_sample_camera(rng, config, bounds, size, name, direction) for name, direction in named)


def camera_names(config: CameraConfig) -> tuple[str, ...]:
    """The views that `sample_cameras` makes, in their order.

    Raises:
        InputError: a calibration file that cannot be used.
    """
    if config.layout == "file":
        return tuple(camera.name for camera in _cameras_above_floor(config))
    if config.layout == "ring":
        return tuple(f"view{index}" for index in range(config.ring.count))
    return "front", "side"


def _cameras_above_floor(config: CameraConfig) -> tuple[Camera, ...]:
    cameras = load_cameras(str(config.calibration), config.up)
    for camera in cameras:
        if camera.position[2] <= 0:
            found = f"{-camera.position[2]:.2f} m below the floor with {config.up} as the axis that points up"
            raise InputError(f"{config.calibration}: camera {camera.name}", found, "one above it")
    return cameras


def _sample_ring(
    rng: np.random.Generator, config: CameraConfig, bounds: PersonBounds, size: tuple[int, int]
) -> tuple[Camera, ...]:
    ring = config.ring
    closed = ring.arc_deg == 360
    turns = np.linspace(0.0, np.deg2rad(ring.arc_deg), ring.count, endpoint=not closed)
    angles = np.arctan2(bounds.heading[1], bounds.heading[0]) + np.deg2rad(ring.start_deg) + turns
    return tuple(
        _sample_camera(rng, config, bounds, size, name, np.array([np.cos(angle), np.sin(angle)]))
        for name, angle in zip(camera_names(config), angles, strict=True)
    )


def _sample_camera(
    rng: np.random.Generator,
    config: CameraConfig,
    bounds: PersonBounds,
    size: tuple[int, int],
    name: str,
    direction: np.ndarray,
) -> Camera:
    """One camera in a horizontal direction (2,) from the middle of the bounds, near enough."""
    mean_height, deviation = config.height
    height = rng.uniform(mean_height - deviation, mean_height + deviation)
    offset = rng.uniform(-config.position_offset, config.position_offset, size=2)
    aim = np.deg2rad(rng.uniform(-config.aim_offset_deg, config.aim_offset_deg, size=2))
    # What the paper does not vary draws from a child: the paper's own cameras stay what they are.
    focal_length_mm, roll, elevation = _sample_extras(rng.spawn(1)[0], config)

    def camera_at(distance: float) -> Camera:
        raised = height if elevation is None else bounds.center[2] + distance * np.tan(elevation)
        position = np.append(bounds.center[:2] + distance * direction + offset, raised)
        T_world_cam = look_at(position, bounds.center)
        T_world_cam[:3, :3] = T_world_cam[:3, :3] @ _yaw_pitch(*aim) @ _roll(roll)
        return Camera.from_lens(name, T_world_cam, *size, focal_length_mm, config.sensor_width_mm)

    reach = ((bounds.points - bounds.center)[:, :2] @ direction).max()
    return camera_at(_nearest_distance(camera_at, bounds, config, reach))


def _sample_extras(rng: np.random.Generator, config: CameraConfig) -> tuple[float, float, float | None]:
    """Focal length, mm; roll, rad; elevation of a camera of the ring, rad, or None where height decides."""
    deviation, roll = config.focal_length_offset, np.deg2rad(config.roll_offset_deg)
    focal_length_mm = config.focal_length_mm * (1 + rng.uniform(-deviation, deviation))
    angle = rng.uniform(-roll, roll)
    if config.layout != "ring" or config.ring.elevation_deg is None:
        return focal_length_mm, angle, None
    return focal_length_mm, angle, float(np.deg2rad(rng.uniform(*config.ring.elevation_deg)))


def _roll(angle: float) -> np.ndarray:
    """(3, 3) rotation of a camera about its own viewing axis, rad."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


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
