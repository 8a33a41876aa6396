"""Lamps spread over the ceiling, daylight from the windows, and the light that the room itself gives back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from odah.scene.color import lamp_rgb, rounded_rgb
from odah.scene.config import LightConfig
from odah.scene.types import AreaLight, Environment, Furniture, Room, Solid

_LAMP_DROP = 0.03
_LAMP_SHARE = 0.04
"""Part of all light that comes from one floor or wall lamp."""
_OUTDOORS = ("city", "courtyard", "forest", "sunrise", "sunset", "night")
_BEHIND_WINDOWS = ("city", "courtyard", "forest", "sunrise", "sunset")
_OPEN_IRRADIANCE = 0.45
"""What falls on a ball in the open, as part of what falls on a floor indoors: skies light from above only."""


def sample_environment(
    rng: np.random.Generator, config: LightConfig, room: Room, furniture: Sequence[Furniture]
) -> Environment | None:
    """What surrounds an open set, or is to be seen through the windows; None where nothing of it shows."""
    if not room.is_open and not _windows(furniture):
        return None
    fitting = _BEHIND_WINDOWS
    if room.is_open:
        fitting = _OUTDOORS if room.kind == "outdoor" else ("interior", "studio")
    names = [name for name in config.hdris if name in fitting] or list(config.hdris)
    strength = rng.uniform(*config.irradiance) * _OPEN_IRRADIANCE
    return Environment(names[rng.integers(len(names))], float(strength), float(rng.uniform(0, 2 * np.pi)))


def sample_lights(
    rng: np.random.Generator, config: LightConfig, room: Room, furniture: Sequence[Furniture] = ()
) -> tuple[AreaLight, ...]:
    """All lamps of a room and its windows; none in the open, where the surroundings light the set."""
    if room.is_open:
        return ()
    direct_share = 1 / (room.size[0] * room.size[1])
    flux = rng.uniform(*config.irradiance) / (direct_share + _bounced_share(room).mean())
    panes, lamps = _windows(furniture), _lamp_shades(furniture)
    daylight = rng.uniform(*config.daylight) * flux if panes else 0.0
    lamplight = _LAMP_SHARE * flux * len(lamps)
    ceiling = sample_ceiling_lamps(rng, config, room, flux - daylight - lamplight)
    day_rgb = lamp_rgb(temperature := rng.uniform(*config.daylight_temperature), config.white_temperature)
    day = rounded_rgb(tuple(day_rgb))
    area = sum(pane.size[0] * pane.size[2] for pane in panes)
    windows = [
        _window_light(room, pane, daylight * pane.size[0] * pane.size[2] / area, day, float(temperature))
        for pane in panes
    ]
    warm = rounded_rgb(tuple(lamp_rgb(config.temperature[0], config.white_temperature)))
    uplights = [
        AreaLight(
            _above(shade), (0.25, 0.12), shade.yaw, _LAMP_SHARE * flux, warm, config.temperature[0], np.pi
        )
        for shade in lamps
    ]
    return (*ceiling, *windows, *uplights)


def _windows(furniture: Sequence[Furniture]) -> list[Solid]:
    return [solid for thing in furniture for solid in thing.solids if solid.surface.pattern == "window"]


def _lamp_shades(furniture: Sequence[Furniture]) -> list[Solid]:
    things = [thing for thing in furniture if thing.kind.endswith(" lamp")]
    return [solid for thing in things for solid in thing.solids if solid.surface.glow > 0]


def _above(shade: Solid) -> tuple[float, float, float]:
    x, y, z = shade.position
    return x, y, z + shade.size[2] / 2 + 0.01


def _window_light(
    room: Room, pane: Solid, power: float, color: tuple[float, float, float], temperature: float
) -> AreaLight:
    """An area just before a pane that shines into the room; the pane's thickness is its y."""
    across = np.array([-np.sin(pane.yaw), np.cos(pane.yaw)])
    inward = across * np.sign(across @ (np.array(room.center) - pane.position[:2]))
    x, y = np.array(pane.position[:2]) + 0.1 * inward
    yaw = float(np.arctan2(inward[1], inward[0]))
    position, size = (float(x), float(y), pane.position[2]), (pane.size[2], pane.size[0])
    return AreaLight(position, size, yaw, float(power), color, temperature, np.pi / 2)


def sample_ceiling_lamps(
    rng: np.random.Generator, config: LightConfig, room: Room, flux: float
) -> tuple[AreaLight, ...]:
    """Lamps evenly spread over the ceiling that give `flux`, W; number, size, colour, power are random."""
    number = int(rng.integers(config.number[0], config.number[1] + 1))
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
                power=float(flux * share / shares.sum()),
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
    mean over its faces. It stands in for all further bounces, which are costly to trace. 0 in the open.
    """
    if room.is_open:
        return np.zeros(3)
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
