"""Procedural pictures of floors, walls and furniture: numpy only, seamless, a function of their seed.

Each pattern returns a weight picture (S, S) around 0..1, where 0 is the surface's colour and 1 its second
colour, and a brightness picture (S, S) around 1. Rows are heights on a wall, columns run along it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

SIZE = 768

Pictures = tuple[np.ndarray, np.ndarray]
Pattern = Callable[[np.random.Generator, int], Pictures]


def surface_image(surface: dict, size: int = SIZE) -> np.ndarray:
    """(size, size, 3) linear RGB of one repetition of a surface's pattern; one pixel if it is even."""
    color, second = np.array(surface["color"]), np.array(surface["second_color"])
    pattern = PATTERNS.get(surface["pattern"])
    if pattern is None:
        return np.full((1, 1, 3), color, np.float32)
    weight, brightness = pattern(np.random.default_rng(surface["seed"]), size)
    mixed = color + (second - color) * weight[..., None]
    return np.clip(mixed * brightness[..., None], 0.0, 1.0).astype(np.float32)


def _noise(
    rng: np.random.Generator, size: int, slope: float, stretch: tuple[float, float] = (1.0, 1.0)
) -> np.ndarray:
    """(size, size) seamless noise of mean 0 and deviation 1 whose amplitude falls with frequency**slope.

    stretch: (rows, columns), above 1 draws the pattern out along that axis.
    """
    rows = np.fft.fftfreq(size)[:, None] * size * stretch[0]
    columns = np.fft.rfftfreq(size)[None] * size * stretch[1]
    amplitude = 1.0 / np.maximum(np.hypot(rows, columns), 1.0) ** slope
    amplitude[0, 0] = 0.0
    spectrum = amplitude * np.exp(2j * np.pi * rng.random(amplitude.shape))
    noise = np.fft.irfft2(spectrum, s=(size, size))
    return noise / noise.std()


def _band(rng: np.random.Generator, size: int, cycles: float) -> np.ndarray:
    """(size, size) seamless blobs of deviation 1, about `cycles` of them across the picture."""
    rows, columns = np.fft.fftfreq(size)[:, None] * size, np.fft.rfftfreq(size)[None] * size
    amplitude = np.exp(-((np.hypot(rows, columns) / cycles - 1) ** 2) * 6)
    noise = np.fft.irfft2(amplitude * np.exp(2j * np.pi * rng.random(amplitude.shape)), s=(size, size))
    return noise / noise.std()


def _uv(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Place of every pixel's centre, across and down, in pictures."""
    place = (np.arange(size) + 0.5) / size
    v, u = np.meshgrid(place, place, indexing="ij")
    return u, v


def _grid(size: int, rows: int, columns: int, shift: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Index of the cell of every pixel and its distance to the cell's edges down and across, in pictures.

    shift: (rows,) how far each row of cells is moved sideways, in pictures.
    """
    u, v = _uv(size)
    row = (v * rows).astype(int)
    moved = (u + shift[row]) % 1.0
    column = (moved * columns).astype(int)
    down = np.abs(v * rows - row - 0.5)
    across = np.abs(moved * columns - column - 0.5)
    return row * columns + column, (0.5 - down) / rows, (0.5 - across) / columns


def _grain(rng: np.random.Generator, size: int) -> np.ndarray:
    """Wood grain along the columns, deviation 1."""
    return _noise(rng, size, 1.1, (0.25, 8.0))


def _shifted(rng: np.random.Generator, picture: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """A picture drawn from another place in every cell."""
    size, cells = len(picture), int(cell.max()) + 1
    columns = (np.arange(size) + rng.integers(size, size=cells)[cell]) % size
    return np.take_along_axis(picture, columns, axis=1)


def planks(rng: np.random.Generator, size: int) -> Pictures:
    """Floor boards with grain along them, each board of another shade."""
    rows = int(rng.integers(10, 17))
    cell, down, across = _grid(size, rows, 1, rng.random(rows))
    grain = _shifted(rng, _grain(rng, size), cell)
    shade = rng.normal(1.0, 0.13, size=rows)[cell]
    gap = (np.minimum(down, across) / 0.0026).clip(0.0, 1.0)
    return (0.5 + 0.2 * grain).clip(0.0, 1.0), shade * (0.25 + 0.75 * gap)


def herringbone(rng: np.random.Generator, size: int) -> Pictures:
    """Short boards at right angles, each start at the side of another."""
    length = int(rng.integers(4, 7))
    cells = 4 * length if length < 6 else 2 * length
    u, v = (place * cells for place in _uv(size))
    x, y = u.astype(int), v.astype(int)
    turn = (x - y) % (2 * length)
    lies = turn < length
    back = np.where(lies, turn, 2 * length - 1 - turn)
    board = np.where(lies, (x - back) % cells + y * cells, cells**2 + x + (y - back) % cells * cells)
    along, beside = np.where(lies, u - x, v - y) + back, np.where(lies, v - y, u - x)
    edge = np.minimum(np.minimum(along, length - along), np.minimum(beside, 1 - beside)) / cells
    flat, upright = _grain(rng, size), _grain(rng, size).T
    shade = rng.normal(1.0, 0.12, size=2 * cells**2)[board]
    gap = (edge / 0.0022).clip(0.0, 1.0)
    return (0.5 + 0.2 * np.where(lies, flat, upright)).clip(0.0, 1.0), shade * (0.35 + 0.65 * gap)


def tiles(rng: np.random.Generator, size: int) -> Pictures:
    """Square tiles with joints in the second colour."""
    rows = int(rng.integers(3, 7))
    cell, down, across = _grid(size, rows, rows, np.zeros(rows))
    joint = np.minimum(down, across) < rng.uniform(0.0025, 0.005)
    shade = rng.normal(1.0, 0.03, size=rows * rows)[cell] + 0.03 * _noise(rng, size, 1.4)
    return np.where(joint, 1.0, 0.0), np.where(joint, 0.8, shade)


def bricks(rng: np.random.Generator, size: int) -> Pictures:
    """A running bond with mortar in the second colour."""
    rows, columns = 2 * int(rng.integers(8, 13)), int(rng.integers(5, 9))
    shift = np.where(np.arange(rows) % 2, 0.5 / columns, 0.0)
    cell, down, across = _grid(size, rows, columns, shift)
    mortar = np.minimum(down, across) < 0.0035
    shade = rng.normal(1.0, 0.1, size=rows * columns)[cell] + 0.06 * _noise(rng, size, 0.9)
    return np.where(mortar, 1.0, 0.0), np.where(mortar, 1.0, shade)


def concrete(rng: np.random.Generator, size: int) -> Pictures:
    """Clouds and fine speckle."""
    return (0.4 + 0.2 * _noise(rng, size, 1.25)).clip(0.0, 1.0), 1.0 + 0.05 * _noise(rng, size, 0.6)


def carpet(rng: np.random.Generator, size: int) -> Pictures:
    """Short pile."""
    return (0.45 + 0.3 * _noise(rng, size, 0.75)).clip(0.0, 1.0), 1.0 + 0.12 * _noise(rng, size, 0.4)


def plaster(rng: np.random.Generator, size: int) -> Pictures:
    """Rough render with faint stains."""
    return (0.15 + 0.07 * _noise(rng, size, 1.3)).clip(0.0, 1.0), 1.0 + 0.03 * _noise(rng, size, 0.8)


def paint(rng: np.random.Generator, size: int) -> Pictures:
    """An almost even coat."""
    return (0.06 + 0.05 * _noise(rng, size, 1.7)).clip(0.0, 1.0), 1.0 + 0.008 * _noise(rng, size, 0.7)


def vinyl(rng: np.random.Generator, size: int) -> Pictures:
    """A sheet with small flecks and faint clouds, welded at its edges."""
    flecks = _band(rng, size, size / 8) > rng.uniform(1.2, 1.9)
    u, _ = _uv(size)
    seam = np.minimum(u, 1 - u) < 0.001
    clouds = 1.0 + 0.025 * _noise(rng, size, 1.3)
    return 0.1 + 0.75 * flecks, np.where(seam, 0.8, clouds)


def rubber(rng: np.random.Generator, size: int) -> Pictures:
    """Granules: dark, with paler ones strewn in; often laid in large squares."""
    pale = _band(rng, size, size / 7) > rng.uniform(1.5, 2.2)
    rows = int(rng.integers(1, 3))
    _, down, across = _grid(size, rows, rows, np.zeros(rows))
    joint = np.minimum(down, across) < 0.0022
    grains = 1.0 + 0.08 * _noise(rng, size, 0.3)
    return np.zeros((size, size)), np.where(joint, 0.6, np.where(pale, rng.uniform(1.6, 2.6), grains))


def terrazzo(rng: np.random.Generator, size: int) -> Pictures:
    """Chips of stone, dark and pale, of two sizes."""
    weight, brightness = np.zeros((size, size)), np.ones((size, size))
    for cycles, level in ((size / 26, 0.9), (size / 12, 1.1)):
        chip = _band(rng, size, cycles) > level
        kind = _band(rng, size, cycles / 2)
        weight = np.where(chip, 0.9 * (kind > 0), weight)
        brightness = np.where(chip, np.where(kind > 0.6, 0.6, np.where(kind > 0, 0.9, 1.15)), brightness)
    return weight, brightness * (1.0 + 0.02 * _noise(rng, size, 1.2))


def wallpaper(rng: np.random.Generator, size: int) -> Pictures:
    """Stripes, sprigs or lozenges."""
    u, v = _uv(size)
    number, kind = int(rng.integers(4, 9)), int(rng.integers(3))
    if kind == 0:
        figure = np.sin(2 * np.pi * number * u) > rng.uniform(-0.3, 0.6)
    elif kind == 1:
        row = (v * number).astype(int)
        x, y = (number * u + 0.5 * (row % 2)) % 1 - 0.5, (number * v) % 1 - 0.5
        angle = np.arctan2(y, x)
        figure = np.hypot(x, y) < 0.2 + 0.09 * np.cos(int(rng.integers(3, 7)) * angle)
        number -= number % 2
    else:
        number += number % 2
        figure = np.abs(np.sin(np.pi * number * (u + v)) * np.sin(np.pi * number * (u - v))) < 0.12
    return np.where(figure, rng.uniform(0.35, 0.9), 0.05), 1.0 + 0.015 * _noise(rng, size, 0.6)


def panels(rng: np.random.Generator, size: int) -> Pictures:
    """Upright boards with grooves between them."""
    columns = int(rng.integers(6, 15))
    cell, across, _ = (picture.T for picture in _grid(size, columns, 1, rng.random(columns)))
    grain = _shifted(rng, _grain(rng, size), cell.T).T
    shade = rng.normal(1.0, 0.06, size=columns)[cell]
    groove = (across / 0.004).clip(0.0, 1.0)
    return (0.4 + 0.18 * grain).clip(0.0, 1.0), shade * (0.4 + 0.6 * groove)


def wood(rng: np.random.Generator, size: int) -> Pictures:
    """One board."""
    return (0.45 + 0.22 * _grain(rng, size)).clip(0.0, 1.0), 1.0 + 0.03 * _noise(rng, size, 0.8)


def fabric(rng: np.random.Generator, size: int) -> Pictures:
    """A coarse weave with uneven threads."""
    u, v = (2 * np.pi * (size // 8) * place for place in _uv(size))
    weave = np.sin(u) * np.sin(v)
    return (0.4 + 0.3 * weave + 0.15 * _noise(rng, size, 0.8)).clip(0.0, 1.0), 1.0 + 0.08 * _noise(
        rng, size, 0.5
    )


def folds(rng: np.random.Generator, size: int) -> Pictures:
    """Cloth that hangs in upright folds."""
    u, _ = _uv(size)
    number = int(rng.integers(3, 6))
    wave = np.sin(2 * np.pi * number * u + 0.6 * np.sin(2 * np.pi * u) + rng.uniform(0, 6))
    depth = rng.uniform(0.16, 0.28)
    return 0.2 - 0.2 * wave, 1.0 - depth + depth * wave + 0.015 * _noise(rng, size, 0.6)


def grass(rng: np.random.Generator, size: int) -> Pictures:
    """Blades or leaves, light and dark."""
    return (0.5 + 0.4 * _noise(rng, size, 0.7)).clip(0.0, 1.0), 1.0 + 0.22 * _noise(rng, size, 0.45)


PATTERNS: dict[str, Pattern] = {
    "planks": planks,
    "herringbone": herringbone,
    "tiles": tiles,
    "bricks": bricks,
    "concrete": concrete,
    "carpet": carpet,
    "plaster": plaster,
    "paint": paint,
    "vinyl": vinyl,
    "rubber": rubber,
    "terrazzo": terrazzo,
    "wallpaper": wallpaper,
    "panels": panels,
    "wood": wood,
    "fabric": fabric,
    "folds": folds,
    "grass": grass,
}
"""A pattern that is not here is even."""
