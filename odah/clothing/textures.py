"""Procedural cloth: seeded, tileable images of 25 cm of fabric."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from odah.errors import InputError

RGB = tuple[int, int, int]


@dataclass(frozen=True)
class Texture:
    """A fabric: kind (see `TEXTURE_KINDS`), seed of its details, sRGB colours 0-255, the ground's first."""

    kind: str
    seed: int
    colors: tuple[RGB, ...]


def _noise(rng: np.random.Generator, size: int, sigma: float | tuple[float, float]) -> np.ndarray:
    """(size, size) periodic noise of unit deviation, blurred by sigma px (vertical, horizontal)."""
    field = gaussian_filter(rng.standard_normal((size, size)), sigma, mode="wrap")
    return field / field.std()


def _phase(size: int, repeats: int) -> np.ndarray:
    """(size,) phase that runs through `repeats` whole turns, rad."""
    return 2 * np.pi * repeats * (np.arange(size) + 0.5) / size


def _weave(rng: np.random.Generator, size: int, strength: float = 0.05) -> np.ndarray:
    """Relative brightness of a plain weave: threads of about 2 mm, uneven, with soft blotches."""
    threads = size // 8
    rows, columns = np.sin(_phase(size, threads)), np.sin(_phase(size, threads))
    grid = np.sign(rows[:, None] * columns[None]) * np.abs(rows[:, None] * columns[None]) ** 0.5
    slubs = 0.5 * (_noise(rng, size, (0.7, 6)) + _noise(rng, size, (6, 0.7)))
    return 1 + strength * (0.5 * grid + 0.5 * slubs) + 0.007 * _noise(rng, size, size / 16)


def _bands(rng: np.random.Generator, size: int, repeats: int, num_colors: int) -> np.ndarray:
    """(size, num_colors) share of each colour along one axis: repeated bands of random widths, soft edges."""
    widths = rng.dirichlet(np.full(num_colors, 4.0)) if num_colors > 1 else np.ones(1)
    widths = np.maximum(widths, 0.12) / np.maximum(widths, 0.12).sum()
    position = (np.arange(size) + 0.5) / size * repeats % 1.0
    which = np.searchsorted(np.cumsum(widths), position, side="right").clip(0, num_colors - 1)
    return gaussian_filter(np.eye(num_colors)[which], (0.7, 0), mode="wrap")


def _mixed(shares: np.ndarray, colors: np.ndarray) -> np.ndarray:
    return shares @ colors


def _plain(rng: np.random.Generator, size: int, colors: np.ndarray) -> np.ndarray:
    return colors[0] * _weave(rng, size)[..., None]


def _stripes(rng: np.random.Generator, size: int, colors: np.ndarray) -> np.ndarray:
    bands = _mixed(_bands(rng, size, int(rng.choice([3, 4, 5, 6, 8])), len(colors)), colors)
    is_vertical = rng.random() < 0.25
    image = np.broadcast_to(bands[None] if is_vertical else bands[:, None], (size, size, 3))
    return image * _weave(rng, size)[..., None]


def _checks(rng: np.random.Generator, size: int, colors: np.ndarray) -> np.ndarray:
    repeats = int(rng.choice([3, 4, 5, 6]))
    warp = _mixed(_bands(rng, size, repeats, len(colors)), colors)
    image = 0.5 * (warp[:, None] + warp[None])
    twill = np.sin(_phase(size, size // 8)[:, None] + _phase(size, size // 8)[None])
    image = image + 0.12 * twill[..., None] * (warp[:, None] - warp[None])
    return image * _weave(rng, size, 0.04)[..., None]


def _motif(rng: np.random.Generator, radius: float, petals: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixel offsets from a motif's middle, and how much of each pixel (2R + 1, 2R + 1) it covers."""
    offsets = np.arange(-int(1.6 * radius) - 2, int(1.6 * radius) + 3)
    dy, dx = np.meshgrid(offsets, offsets, indexing="ij")
    angle = np.arctan2(dy, dx) + rng.uniform(0, 2 * np.pi)
    outline = radius * rng.uniform(0.8, 1.1) * (1 + (0.35 * np.cos(petals * angle) if petals else 0.0))
    return offsets, np.clip(outline - np.hypot(dx, dy) + 0.5, 0, 1)


def _print(rng: np.random.Generator, size: int, colors: np.ndarray) -> np.ndarray:
    """Small motifs (petalled or round) scattered evenly over the ground colour."""
    image = np.broadcast_to(colors[0], (size, size, 3)).copy()
    cells, petals = int(rng.integers(4, 9)), int(rng.choice([0, 4, 5, 6]))
    cell, is_offset = size / cells, cells % 2 == 0
    radius = cell * rng.uniform(0.2, 0.36)
    for row in range(cells):
        for column in range(cells):
            offsets, inside = _motif(rng, radius, petals)
            middle = np.array([row + 0.5, column + 0.5 + 0.5 * (row % 2) * is_offset])
            y, x = np.round((middle + rng.normal(0, 0.06, 2)) * cell).astype(int)
            where = np.ix_((offsets + y) % size, (offsets + x) % size)
            color = colors[1 + (row + column) % (len(colors) - 1)]
            image[where] += inside[..., None] * (color - image[where])
    return image * _weave(rng, size)[..., None]


def _denim(rng: np.random.Generator, size: int, colors: np.ndarray) -> np.ndarray:
    twill = np.sin(_phase(size, size // 8)[:, None] - _phase(size, size // 8)[None])
    streaks = _noise(rng, size, (14, 0.8))
    fade = _noise(rng, size, size / 10)
    light = np.clip(0.16 * twill + 0.10 * streaks + 0.05 * fade + 0.14, 0, 1)[..., None]
    pale = 0.35 * colors[0] + 0.65 * np.array([215.0, 220.0, 225.0])
    return colors[0] * (1 - light) + pale * light


def _knit(rng: np.random.Generator, size: int, colors: np.ndarray) -> np.ndarray:
    """Columns of V-shaped stitches, 4 mm wide."""
    stitches = size // 16
    across = _phase(size, stitches)[None]
    lean = np.abs((across / np.pi) % 2 - 1) * np.pi
    rows = np.cos(_phase(size, stitches)[:, None] + lean)
    gaps = -np.exp(-((np.sin(across / 2)) ** 2) * 12)
    shade = 1 + 0.09 * rows + 0.16 * gaps + 0.03 * _noise(rng, size, 1.5)
    return colors[0] * shade[..., None]


_MAKERS: dict[str, tuple[Callable[[np.random.Generator, int, np.ndarray], np.ndarray], int]] = {
    "plain": (_plain, 1),
    "stripes": (_stripes, 2),
    "checks": (_checks, 2),
    "print": (_print, 2),
    "denim": (_denim, 1),
    "knit": (_knit, 1),
}
TEXTURE_KINDS = tuple(_MAKERS)


def check_texture(texture: Texture) -> None:
    """Raises InputError: an unknown kind, too few colours, or colours that are no sRGB triples."""
    if texture.kind not in _MAKERS:
        raise InputError("texture", repr(texture.kind), f"one of {', '.join(TEXTURE_KINDS)}")
    needed = _MAKERS[texture.kind][1]
    if len(texture.colors) < needed:
        raise InputError(
            f"texture {texture.kind}: colors", f"{len(texture.colors)} colours", f"at least {needed}"
        )
    if any(len(c) != 3 or not all(0 <= x <= 255 for x in c) for c in texture.colors):
        raise InputError(f"texture {texture.kind}: colors", str(texture.colors), "sRGB triples from 0 to 255")


def texture_image(texture: Texture, size: int = 512) -> np.ndarray:
    """(size, size, 3) uint8 sRGB; opposite edges fit together. The same texture always gives the same image.

    Raises:
        InputError: see `check_texture`; or a size that is not a multiple of 16.
    """
    check_texture(texture)
    if size < 16 or size % 16:
        raise InputError("texture size", str(size), "a positive multiple of 16 px")
    rng = np.random.default_rng(texture.seed)
    image = _MAKERS[texture.kind][0](rng, size, np.asarray(texture.colors, float))
    return np.clip(image + 0.5, 0, 255).astype(np.uint8)


def hair_image(color: RGB, seed: int, size: int = 512) -> np.ndarray:
    """(size, size, 3) uint8 sRGB, tileable strands running along the image's rows (v)."""
    rng = np.random.default_rng(seed)
    strands = (
        0.6 * _noise(rng, size, (40, 1.2)) + 0.4 * _noise(rng, size, (70, 4)) + 0.25 * _noise(rng, size, 24)
    )
    image = np.asarray(color, float) * np.exp(0.17 * strands)[..., None]
    return np.clip(image + 0.5, 0, 255).astype(np.uint8)
