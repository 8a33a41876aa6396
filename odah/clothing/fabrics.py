"""How fabrics are made: for each kind the colours of a tileable piece, and the height of its threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter


@dataclass(frozen=True)
class Fabric:
    """A tileable piece of cloth. image: (H, W, 3) sRGB 0-255; height: (H, W) of its surface, m."""

    image: np.ndarray
    height: np.ndarray


def periodic_noise(rng: np.random.Generator, size: int, sigma: float | tuple[float, float]) -> np.ndarray:
    """(size, size) periodic noise of unit deviation, blurred by sigma px (vertical, horizontal)."""
    field = gaussian_filter(rng.standard_normal((size, size)), sigma, mode="wrap")
    return field / field.std()


def _phase(size: int, repeats: int) -> np.ndarray:
    """(size,) phase that runs through `repeats` whole turns, rad."""
    return 2 * np.pi * repeats * (np.arange(size) + 0.5) / size


def _diagonal(size: int, repeats: int, sign: int = 1) -> np.ndarray:
    """(size, size) sine across diagonal ribs."""
    phase = _phase(size, repeats)
    return np.sin(phase[:, None] + sign * phase[None])


def _weave(rng: np.random.Generator, size: int, strength: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    """Relative brightness and height (m) of a plain weave: threads of about 2 mm, uneven, soft blotches."""
    thread = np.sin(_phase(size, size // 8))
    bump = np.sqrt(np.abs(thread[:, None] * thread[None]))
    over = np.sign(thread[:, None] * thread[None])
    slubs = 0.5 * (periodic_noise(rng, size, (0.7, 6)) + periodic_noise(rng, size, (6, 0.7)))
    blotches = 0.007 * periodic_noise(rng, size, size / 16)
    shade = 1 + strength * (0.5 * over * bump + 0.5 * slubs) + blotches
    return shade, 1e-4 * (1.6 * bump * (1 + 0.25 * over) + 0.25 * slubs)


def _woven(rng: np.random.Generator, dyed: np.ndarray, strength: float = 0.05) -> Fabric:
    shade, height = _weave(rng, len(dyed), strength)
    return Fabric(dyed * shade[..., None], height)


def _bands(rng: np.random.Generator, size: int, repeats: int, num_colors: int) -> np.ndarray:
    """(size, num_colors) share of each colour along one axis: repeated bands of random widths, soft edges."""
    widths = rng.dirichlet(np.full(num_colors, 4.0)) if num_colors > 1 else np.ones(1)
    widths = np.maximum(widths, 0.12) / np.maximum(widths, 0.12).sum()
    position = (np.arange(size) + 0.5) / size * repeats % 1.0
    which = np.searchsorted(np.cumsum(widths), position, side="right").clip(0, num_colors - 1)
    return gaussian_filter(np.eye(num_colors)[which], (0.7, 0), mode="wrap")


def _plain(rng: np.random.Generator, size: int, colors: np.ndarray) -> Fabric:
    return _woven(rng, np.broadcast_to(colors[0], (size, size, 3)))


def _stripes(rng: np.random.Generator, size: int, colors: np.ndarray) -> Fabric:
    bands = _bands(rng, size, int(rng.choice([3, 4, 5, 6, 8])), len(colors)) @ colors
    is_vertical = rng.random() < 0.25
    return _woven(rng, np.broadcast_to(bands[None] if is_vertical else bands[:, None], (size, size, 3)))


def _checks(rng: np.random.Generator, size: int, colors: np.ndarray) -> Fabric:
    repeats = int(rng.choice([3, 4, 5, 6]))
    warp = _bands(rng, size, repeats, len(colors)) @ colors
    image = 0.5 * (warp[:, None] + warp[None])
    image = image + 0.12 * _diagonal(size, size // 8)[..., None] * (warp[:, None] - warp[None])
    return _woven(rng, image, 0.04)


def _motif(rng: np.random.Generator, radius: float, petals: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixel offsets from a motif's middle, and how much of each pixel (2R + 1, 2R + 1) it covers."""
    offsets = np.arange(-int(1.6 * radius) - 2, int(1.6 * radius) + 3)
    dy, dx = np.meshgrid(offsets, offsets, indexing="ij")
    angle = np.arctan2(dy, dx) + rng.uniform(0, 2 * np.pi)
    outline = radius * rng.uniform(0.8, 1.1) * (1 + (0.35 * np.cos(petals * angle) if petals else 0.0))
    return offsets, np.clip(outline - np.hypot(dx, dy) + 0.5, 0, 1)


def _print(rng: np.random.Generator, size: int, colors: np.ndarray) -> Fabric:
    """Small motifs (petalled or round) scattered evenly over the ground; the ink fills the threads' gaps."""
    image, ink = np.broadcast_to(colors[0], (size, size, 3)).copy(), np.zeros((size, size))
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
            ink[where] = np.maximum(ink[where], inside)
    cloth = _woven(rng, image)
    flat = np.percentile(cloth.height, 80)
    return Fabric(cloth.image, cloth.height + 0.7 * ink * (flat - cloth.height))


def _denim(rng: np.random.Generator, size: int, colors: np.ndarray) -> Fabric:
    """Diagonal ribs of dark warp with the pale weft between them, worn in long streaks."""
    ribs = _diagonal(size, size // 8, -1)
    streaks, fade = periodic_noise(rng, size, (14, 0.8)), periodic_noise(rng, size, size / 10)
    light = np.clip(0.16 * ribs + 0.10 * streaks + 0.05 * fade + 0.14, 0, 1)[..., None]
    pale = 0.35 * colors[0] + 0.65 * np.array([215.0, 220.0, 225.0])
    return Fabric(colors[0] * (1 - light) + pale * light, 1e-4 * (2.0 * ribs + 0.3 * streaks))


def _ribbed(rng: np.random.Generator, ribs: np.ndarray, colors: np.ndarray, strength: float) -> Fabric:
    """Cloth of one colour, or of one to each side of its ribs (-1 to 1)."""
    size = len(ribs)
    slubs = 0.5 * (periodic_noise(rng, size, (0.8, 5)) + periodic_noise(rng, size, (5, 0.8)))
    side = 0.5 + 0.5 * ribs[..., None]
    other = colors[1] if len(colors) > 1 else colors[0]
    dyed = colors[0] * side + (0.6 * colors[0] + 0.4 * other) * (1 - side)
    shade = 1 + strength * (ribs + 0.5 * slubs) + 0.008 * periodic_noise(rng, size, size / 16)
    return Fabric(dyed * shade[..., None], 1e-4 * (1.8 * ribs + 0.3 * slubs))


def _twill(rng: np.random.Generator, size: int, colors: np.ndarray) -> Fabric:
    """Chinos' cloth: fine diagonal ribs."""
    return _ribbed(rng, _diagonal(size, size // 8), colors, 0.045)


def _herringbone(rng: np.random.Generator, size: int, colors: np.ndarray) -> Fabric:
    """Diagonal ribs that turn round in upright bands."""
    bands = 2 * int(rng.choice([4, 6, 8]))
    turn = np.abs((np.arange(size) + 0.5) / size * bands % 2 - 1)  # up and down once every two bands
    repeats = size // 16
    across = 2 * np.pi * round(repeats / bands) * turn
    return _ribbed(rng, np.sin(_phase(size, repeats)[:, None] + across[None]), colors, 0.10)


def _knit(rng: np.random.Generator, size: int, colors: np.ndarray) -> Fabric:
    """Columns of V-shaped stitches, 8 mm wide, as of a jumper: two leaning, rounded legs a stitch."""
    stitches = size // 16
    across = (np.arange(size) + 0.5) / size * stitches % 1.0
    from_middle = np.abs(across - 0.5)[None]
    leg = np.sqrt(np.clip(1 - ((from_middle - 0.25) / 0.24) ** 2, 0, 1))
    loop = 0.5 + 0.5 * np.cos(_phase(size, stitches)[:, None] + 2 * np.pi * from_middle)
    height = leg * (0.45 + 0.55 * np.sqrt(loop))
    yarn = periodic_noise(rng, size, 1.2)
    shade = 0.70 + 0.42 * height + 0.03 * yarn
    return Fabric(colors[0] * shade[..., None], 1e-3 * (0.9 * height + 0.02 * yarn))


FABRICS: dict[str, tuple[Callable[[np.random.Generator, int, np.ndarray], Fabric], int]] = {
    "plain": (_plain, 1),
    "stripes": (_stripes, 2),
    "checks": (_checks, 2),
    "print": (_print, 2),
    "denim": (_denim, 1),
    "knit": (_knit, 1),
    "twill": (_twill, 1),
    "herringbone": (_herringbone, 1),
}
"""Maker of each kind, and how many colours it needs."""
