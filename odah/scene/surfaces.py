"""What floors, walls and furniture are faced with: looks that have a name, in colours drawn from ranges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from odah.scene.color import hsv_to_linear, rounded_rgb
from odah.scene.types import Pattern, Surface


@dataclass(frozen=True)
class Look:
    """Ranges of one pattern: display hue, saturation, value; m a tile; roughness."""

    pattern: Pattern
    hue: tuple[float, float]
    saturation: tuple[float, float]
    value: tuple[float, float]
    tile_size: tuple[float, float] = (1.0, 1.0)
    roughness: tuple[float, float] = (0.4, 0.7)
    metallic: float = 0.0


_ANY = (0.0, 1.0)
_WOOD = (0.05, 0.11)
_OFF_WHITE = (0.08, 0.16)

LOOKS: dict[str, Look] = {
    # floors
    "planks": Look("planks", _WOOD, (0.25, 0.55), (0.40, 0.75), (1.8, 2.6), (0.30, 0.55)),
    "herringbone": Look("herringbone", _WOOD, (0.25, 0.60), (0.38, 0.72), (1.2, 1.8), (0.28, 0.50)),
    "tiles": Look("tiles", _ANY, (0.02, 0.20), (0.45, 0.85), (1.2, 2.4), (0.25, 0.50)),
    "terrazzo": Look("terrazzo", _ANY, (0.02, 0.15), (0.60, 0.82), (1.0, 1.6), (0.20, 0.45)),
    "concrete": Look("concrete", _ANY, (0.00, 0.08), (0.45, 0.70), (2.5, 4.0), (0.55, 0.85)),
    "carpet": Look("carpet", _ANY, (0.10, 0.45), (0.35, 0.65), (1.6, 2.4), (0.95, 1.00)),
    "vinyl": Look("vinyl", (0.25, 0.65), (0.04, 0.35), (0.48, 0.80), (2.0, 3.0), (0.25, 0.45)),
    "sports vinyl": Look("vinyl", _ANY, (0.25, 0.60), (0.35, 0.65), (2.0, 3.0), (0.30, 0.50)),
    "rubber": Look("rubber", _ANY, (0.02, 0.30), (0.22, 0.42), (1.0, 1.4), (0.80, 0.95)),
    "grass": Look("grass", (0.20, 0.30), (0.45, 0.65), (0.32, 0.50), (2.5, 4.0), (0.95, 1.00)),
    "sand": Look("concrete", (0.08, 0.12), (0.15, 0.35), (0.60, 0.78), (2.0, 3.0), (0.95, 1.00)),
    "asphalt": Look("carpet", (0.55, 0.70), (0.00, 0.06), (0.35, 0.52), (1.5, 2.0), (0.90, 1.00)),
    "paving": Look("tiles", (0.05, 0.12), (0.02, 0.18), (0.50, 0.72), (1.6, 2.4), (0.75, 0.95)),
    # walls
    "plaster": Look("plaster", _ANY, (0.01, 0.12), (0.72, 0.92), (2.0, 3.0), (0.85, 1.00)),
    "paint": Look("paint", _ANY, (0.02, 0.20), (0.68, 0.92), (2.0, 3.0), (0.60, 0.90)),
    "strong paint": Look("paint", _ANY, (0.22, 0.50), (0.45, 0.78), (2.0, 3.0), (0.65, 0.90)),
    "clinic paint": Look("paint", (0.22, 0.62), (0.03, 0.16), (0.78, 0.93), (2.0, 3.0), (0.55, 0.85)),
    "bricks": Look("bricks", (0.01, 0.08), (0.05, 0.45), (0.55, 0.85), (1.6, 2.2), (0.85, 1.00)),
    "light concrete": Look("concrete", _ANY, (0.00, 0.06), (0.62, 0.80), (2.5, 4.0), (0.55, 0.85)),
    "wallpaper": Look("wallpaper", _ANY, (0.08, 0.35), (0.60, 0.90), (0.9, 1.4), (0.85, 1.00)),
    "panels": Look("panels", _WOOD, (0.20, 0.50), (0.45, 0.80), (1.2, 2.0), (0.40, 0.65)),
    "wall tiles": Look("tiles", (0.35, 0.60), (0.02, 0.20), (0.75, 0.92), (0.7, 1.0), (0.20, 0.35)),
    "ceiling": Look("paint", _ANY, (0.00, 0.05), (0.86, 0.93), (2.0, 3.0), (0.80, 1.00)),
    # furniture
    "light wood": Look("wood", _WOOD, (0.20, 0.45), (0.62, 0.85), (0.9, 1.3), (0.35, 0.60)),
    "dark wood": Look("wood", (0.03, 0.09), (0.35, 0.60), (0.25, 0.48), (0.9, 1.3), (0.30, 0.55)),
    "white": Look("plain", _OFF_WHITE, (0.00, 0.05), (0.82, 0.93), roughness=(0.35, 0.65)),
    "black": Look("plain", _ANY, (0.00, 0.12), (0.13, 0.24), roughness=(0.35, 0.60)),
    "grey": Look("plain", (0.5, 0.7), (0.00, 0.08), (0.40, 0.62), roughness=(0.40, 0.65)),
    "steel": Look("plain", (0.5, 0.7), (0.00, 0.05), (0.62, 0.80), roughness=(0.30, 0.45), metallic=1.0),
    "color": Look("plain", _ANY, (0.30, 0.75), (0.35, 0.80), roughness=(0.40, 0.65)),
    "leatherette": Look("plain", _ANY, (0.15, 0.60), (0.22, 0.60), roughness=(0.40, 0.55)),
    "fabric": Look("fabric", _ANY, (0.05, 0.50), (0.30, 0.80), (0.25, 0.40), (0.95, 1.00)),
    "curtain": Look("folds", _ANY, (0.04, 0.35), (0.55, 0.88), (0.7, 1.0), (0.90, 1.00)),
    "leaves": Look("grass", (0.24, 0.36), (0.40, 0.65), (0.25, 0.45), (0.5, 0.8), (0.50, 0.70)),
    "terracotta": Look("plain", (0.02, 0.06), (0.30, 0.55), (0.50, 0.70), roughness=(0.80, 0.95)),
}
"""Every look by its name."""


def sample_surface(rng: np.random.Generator, looks: Sequence[str]) -> Surface:
    """A random surface of one of these looks, all as likely."""
    look = LOOKS[looks[int(rng.integers(len(looks)))]]
    hue, saturation, value = (rng.uniform(*bounds) for bounds in (look.hue, look.saturation, look.value))
    paler, darker = rng.uniform(0.5, 1.0), rng.uniform(0.55, 0.8)
    return Surface(
        pattern=look.pattern,
        color=rounded_rgb(hsv_to_linear(hue, saturation, value)),
        second_color=rounded_rgb(hsv_to_linear(hue, saturation * paler, value * darker)),
        tile_size=float(rng.uniform(*look.tile_size)),
        roughness=float(rng.uniform(*look.roughness)),
        seed=int(rng.integers(2**31)),
        metallic=look.metallic,
    )
