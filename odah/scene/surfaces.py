"""Floors, walls and ceilings: which patterns there are, and colours that a room may have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from odah.scene.color import hsv_to_linear, rounded_rgb
from odah.scene.types import Pattern, Place, Surface


@dataclass(frozen=True)
class _Look:
    """Ranges of one pattern at one place: display hue, saturation, value; m a tile; roughness."""

    pattern: Pattern
    chance: float
    hue: tuple[float, float]
    saturation: tuple[float, float]
    value: tuple[float, float]
    tile_size: tuple[float, float]
    roughness: tuple[float, float]


_ANY = (0.0, 1.0)
_LOOKS: dict[Place, tuple[_Look, ...]] = {
    "floor": (
        _Look("planks", 0.35, (0.05, 0.11), (0.25, 0.55), (0.40, 0.75), (1.8, 2.6), (0.30, 0.55)),
        _Look("tiles", 0.25, _ANY, (0.02, 0.20), (0.45, 0.85), (1.2, 2.4), (0.25, 0.50)),
        _Look("concrete", 0.20, _ANY, (0.00, 0.08), (0.45, 0.70), (2.5, 4.0), (0.55, 0.85)),
        _Look("carpet", 0.20, _ANY, (0.10, 0.45), (0.35, 0.65), (1.6, 2.4), (0.95, 1.00)),
    ),
    "wall": (
        _Look("plaster", 0.40, _ANY, (0.01, 0.12), (0.72, 0.92), (2.0, 3.0), (0.85, 1.00)),
        _Look("paint", 0.35, _ANY, (0.02, 0.20), (0.68, 0.92), (2.0, 3.0), (0.60, 0.90)),
        _Look("bricks", 0.15, (0.01, 0.08), (0.05, 0.45), (0.55, 0.85), (1.6, 2.2), (0.85, 1.00)),
        _Look("concrete", 0.10, _ANY, (0.00, 0.06), (0.62, 0.80), (2.5, 4.0), (0.55, 0.85)),
    ),
    "ceiling": (_Look("paint", 1.0, _ANY, (0.00, 0.05), (0.86, 0.93), (2.0, 3.0), (0.80, 1.00)),),
}


def sample_surface(rng: np.random.Generator, place: Place) -> Surface:
    """A random surface of a kind that fits the place."""
    looks = _LOOKS[place]
    look = looks[rng.choice(len(looks), p=[look.chance for look in looks])]
    hue, saturation, value = (rng.uniform(*bounds) for bounds in (look.hue, look.saturation, look.value))
    paler, darker = rng.uniform(0.5, 1.0), rng.uniform(0.55, 0.8)
    return Surface(
        pattern=look.pattern,
        color=rounded_rgb(hsv_to_linear(hue, saturation, value)),
        second_color=rounded_rgb(hsv_to_linear(hue, saturation * paler, value * darker)),
        tile_size=float(rng.uniform(*look.tile_size)),
        roughness=float(rng.uniform(*look.roughness)),
        seed=int(rng.integers(2**31)),
    )
