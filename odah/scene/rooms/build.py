"""Draws a room around people and cameras."""

from __future__ import annotations

import numpy as np

from odah.scene.config import RoomConfig
from odah.scene.rooms.kinds import STYLES
from odah.scene.rooms.style import RoomStyle
from odah.scene.surfaces import sample_surface
from odah.scene.types import Room, Surface

_OPEN_SIZE = 120.0
"""Edge of the ground of an open set, m."""


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
    kind = config.kinds[rng.integers(len(config.kinds))]
    style = STYLES[kind]
    size = high - low if style.walls else np.full(2, _OPEN_SIZE)
    x, y = (low + high) / 2 @ axes
    return Room(
        center=(float(x), float(y)),
        size=(float(size[0]), float(size[1]), float(height)),
        yaw=yaw,
        floor=sample_surface(rng, style.floors),
        walls=_sample_walls(rng, style),
        ceiling=sample_surface(rng, ("ceiling",)),
        kind=kind,
    )


def _sample_walls(rng: np.random.Generator, style: RoomStyle) -> tuple[Surface, ...]:
    if not style.walls:
        return ()
    wall, accent = sample_surface(rng, style.walls), sample_surface(rng, style.walls)
    walls = [wall] * 4
    if rng.random() < 0.5:
        walls[rng.integers(4)] = accent
    return tuple(walls)
