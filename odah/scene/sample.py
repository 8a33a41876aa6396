"""Draws scenes: cameras, then a room around them and the person, then lamps on its ceiling."""

from __future__ import annotations

import numpy as np

from odah.errors import InputError
from odah.scene.config import RoomConfig, SceneConfig
from odah.scene.lighting import sample_lights
from odah.scene.placement import PersonBounds, sample_cameras
from odah.scene.surfaces import sample_surface
from odah.scene.types import Room, Scene


def sample_scene(
    rng: np.random.Generator, config: SceneConfig, bounds: PersonBounds, rate: float = 60.0
) -> Scene:
    """A random scene around a moving person; the same generator state gives the same scene.

    Args:
        rate: frames per second of the videos.

    Raises:
        InputError: a rate that is not positive, a motion no picture can hold.
    """
    if not rate > 0:
        raise InputError("scene rate", f"{rate}", "a positive number of frames per second")
    cameras = sample_cameras(rng, config.camera, bounds)
    to_hold = np.concatenate([bounds.points, *(camera.position[None] for camera in cameras)])
    room = sample_room(rng, config.room, to_hold, bounds.heading)
    lights = sample_lights(rng, config.light, room)
    return Scene(cameras, lights, room, float(rate), seed=int(rng.integers(2**31)))


def sample_room(
    rng: np.random.Generator, config: RoomConfig, points: np.ndarray, heading: np.ndarray
) -> Room:
    """A room with all `points` (P, 3) inside, walls roughly along `heading` (2,)."""
    yaw_max = np.deg2rad(config.yaw_deg)
    yaw = float(np.arctan2(heading[1], heading[0]) + rng.uniform(-yaw_max, yaw_max))
    axes = np.array([[np.cos(yaw), np.sin(yaw)], [-np.sin(yaw), np.cos(yaw)]])
    local = points[:, :2] @ axes.T
    low = local.min(0) - rng.uniform(*config.clearance, size=2)
    high = local.max(0) + rng.uniform(*config.clearance, size=2)
    height = max(rng.uniform(*config.height), points[:, 2].max() + 0.3)
    wall, accent = sample_surface(rng, "wall"), sample_surface(rng, "wall")
    walls = [wall] * 4
    if rng.random() < 0.5:
        walls[rng.integers(4)] = accent
    x, y = (low + high) / 2 @ axes
    return Room(
        center=(float(x), float(y)),
        size=(float(high[0] - low[0]), float(high[1] - low[1]), float(height)),
        yaw=yaw,
        floor=sample_surface(rng, "floor"),
        walls=(walls[0], walls[1], walls[2], walls[3]),
        ceiling=sample_surface(rng, "ceiling"),
    )
