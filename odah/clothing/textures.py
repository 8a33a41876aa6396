"""Procedural cloth: seeded, tileable pictures of 25 cm of fabric, and their relief."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from odah.clothing.fabrics import FABRICS, Fabric, periodic_noise
from odah.errors import InputError

RGB = tuple[int, int, int]
TEXTURE_KINDS = tuple(FABRICS)


@dataclass(frozen=True)
class Texture:
    """A fabric: kind (see `TEXTURE_KINDS`), seed of its details, sRGB colours 0-255, the ground's first."""

    kind: str
    seed: int
    colors: tuple[RGB, ...]


def colors_needed(kind: str) -> int:
    """The fewest colours of a fabric of that kind."""
    return FABRICS[kind][1]


def check_texture(texture: Texture) -> None:
    """Raises InputError: an unknown kind, too few colours, or colours that are no sRGB triples."""
    if texture.kind not in FABRICS:
        raise InputError("texture", repr(texture.kind), f"one of {', '.join(TEXTURE_KINDS)}")
    needed = colors_needed(texture.kind)
    if len(texture.colors) < needed:
        raise InputError(
            f"texture {texture.kind}: colors", f"{len(texture.colors)} colours", f"at least {needed}"
        )
    if any(len(c) != 3 or not all(0 <= x <= 255 for x in c) for c in texture.colors):
        raise InputError(f"texture {texture.kind}: colors", str(texture.colors), "sRGB triples from 0 to 255")


def _fabric(texture: Texture, size: int) -> Fabric:
    check_texture(texture)
    if size < 16 or size % 16:
        raise InputError("texture size", str(size), "a positive multiple of 16 px")
    rng = np.random.default_rng(texture.seed)
    return FABRICS[texture.kind][0](rng, size, np.asarray(texture.colors, float))


def texture_image(texture: Texture, size: int = 512) -> np.ndarray:
    """(size, size, 3) uint8 sRGB; opposite edges fit together. The same texture always gives the same image.

    Raises:
        InputError: see `check_texture`; or a size that is not a multiple of 16.
    """
    return np.clip(_fabric(texture, size).image + 0.5, 0, 255).astype(np.uint8)


def texture_relief(texture: Texture, size: int = 512) -> tuple[np.ndarray, float]:
    """The surface of the cloth in `texture_image`: (size, size) uint8 heights, tileable, and the height
    between 0 and 255, m.

    Raises:
        InputError: as `texture_image`.
    """
    height = _fabric(texture, size).height
    low, depth = float(height.min()), float(np.ptp(height))
    return np.round((height - low) * (255 / depth)).astype(np.uint8), depth


def hair_image(color: RGB, seed: int, size: int = 512) -> np.ndarray:
    """(size, size, 3) uint8 sRGB, tileable strands running along the image's rows (v)."""
    rng = np.random.default_rng(seed)
    strands = (
        0.6 * periodic_noise(rng, size, (40, 1.2))
        + 0.4 * periodic_noise(rng, size, (70, 4))
        + 0.25 * periodic_noise(rng, size, 24)
    )
    image = np.asarray(color, float) * np.exp(0.17 * strands)[..., None]
    return np.clip(image + 0.5, 0, 255).astype(np.uint8)
