"""Lamps spread over the ceiling, and the light that the room itself gives back."""

from __future__ import annotations

import numpy as np

from odah.scene.color import lamp_rgb, rounded_rgb
from odah.scene.config import LightConfig
from odah.scene.types import AreaLight, Room

_LAMP_DROP = 0.03


def sample_lights(rng: np.random.Generator, config: LightConfig, room: Room) -> tuple[AreaLight, ...]:
    """Lamps evenly spread over the ceiling; their number, size, colour and power are random."""
    number = int(rng.integers(config.number[0], config.number[1] + 1))
    direct_share = 1 / (room.size[0] * room.size[1])
    total = rng.uniform(*config.irradiance) / (direct_share + _bounced_share(room).mean())
    shares = rng.uniform(1 - config.variation, 1 + config.variation, size=number)
    size = rng.uniform(*config.edge, size=2)
    mean_temperature = rng.uniform(*config.temperature)
    spread = config.temperature_spread
    temperatures = mean_temperature + rng.uniform(-spread, spread, size=number)
    lights = []
    for (x, y), share, temperature in zip(_even_grid(number, room), shares, temperatures, strict=True):
        r, g, b = lamp_rgb(temperature, config.white_temperature)
        lights.append(
            AreaLight(
                position=(float(x), float(y), room.size[2] - _LAMP_DROP),
                size=(float(size[0]), float(size[1])),
                yaw=room.yaw,
                power=float(total * share / shares.sum()),
                color=rounded_rgb((r, g, b)),
                temperature=float(temperature),
            )
        )
    return tuple(lights)


def _even_grid(number: int, room: Room) -> np.ndarray:
    """(number, 2) world positions in rows along the room's longer edge, as equal as `number` allows."""
    length, width = room.size[:2]
    along, across = (length, width) if length >= width else (width, length)
    num_rows = min(number, max(1, round(np.sqrt(number * across / along))))
    counts = [len(part) for part in np.array_split(np.arange(number), num_rows)]
    places = [
        ((column + 0.5) / count - 0.5, (row + 0.5) / num_rows - 0.5)
        for row, count in enumerate(counts)
        for column in range(count)
    ]
    local = np.array(places) * [along, across]
    if length < width:
        local = local[:, ::-1]
    return local @ room.axes + room.center


def ambient_radiance(room: Room, lights: tuple[AreaLight, ...]) -> np.ndarray:
    """(3,) linear RGB radiance of light that bounced off the room at least once, W/(m^2 sr).

    The room taken as an integrating sphere: flux x albedo / (pi x area x (1 - albedo)), the albedo being the
    mean over its faces. It stands in for all further bounces, which are costly to trace.
    """
    flux = sum((light.power * np.array(light.color) for light in lights), start=np.zeros(3))
    return flux * _bounced_share(room) / np.pi


def _bounced_share(room: Room) -> np.ndarray:
    """(3,) linear RGB irradiance by bounced light for each watt of the lamps, 1/m^2."""
    length, width, height = room.size
    faces = [(room.floor, length * width), (room.ceiling, length * width)]
    edges = (width, width, length, length)
    faces += [(wall, edge * height) for wall, edge in zip(room.walls, edges, strict=True)]
    area = sum(size for _, size in faces)
    albedo = np.sum([size * np.array(surface.mean_color) for surface, size in faces], axis=0) / area
    return albedo / (area * (1 - albedo))
