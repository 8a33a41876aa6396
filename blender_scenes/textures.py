"""Procedural pictures of floors, walls and ceilings: numpy only, seamless, a function of their seed.

Each pattern returns a weight picture (S, S) in 0..1, where 0 is the surface's colour and 1 its second
colour, and a brightness picture (S, S) around 1.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

SIZE = 768

Pattern = Callable[[np.random.Generator], "tuple[np.ndarray, np.ndarray]"]


def surface_image(surface: dict) -> np.ndarray:
    """(SIZE, SIZE, 3) linear RGB of one repetition of a surface's pattern."""
    weight, brightness = PATTERNS[surface["pattern"]](np.random.default_rng(surface["seed"]))
    color, second = np.array(surface["color"]), np.array(surface["second_color"])
    mixed = color + (second - color) * weight[..., None]
    return np.clip(mixed * brightness[..., None], 0.0, 1.0).astype(np.float32)


def _noise(rng: np.random.Generator, slope: float, stretch: tuple[float, float] = (1.0, 1.0)) -> np.ndarray:
    """(SIZE, SIZE) seamless noise of mean 0 and deviation 1 whose amplitude falls with frequency**slope.

    stretch: (rows, columns), above 1 draws the pattern out along that axis.
    """
    rows = np.fft.fftfreq(SIZE)[:, None] * SIZE * stretch[0]
    columns = np.fft.rfftfreq(SIZE)[None] * SIZE * stretch[1]
    amplitude = 1.0 / np.maximum(np.hypot(rows, columns), 1.0) ** slope
    amplitude[0, 0] = 0.0
    spectrum = amplitude * np.exp(2j * np.pi * rng.random(amplitude.shape))
    noise = np.fft.irfft2(spectrum, s=(SIZE, SIZE))
    return noise / noise.std()


def _grid(rows: int, columns: int, shift: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Index of the cell of every pixel and its distance to the cell's edges down and across, in pictures.

    shift: (rows,) how far each row of cells is moved sideways, in pictures.
    """
    v, u = np.meshgrid((np.arange(SIZE) + 0.5) / SIZE, (np.arange(SIZE) + 0.5) / SIZE, indexing="ij")
    row = (v * rows).astype(int)
    moved = (u + shift[row]) % 1.0
    column = (moved * columns).astype(int)
    down = np.abs(v * rows - row - 0.5)
    across = np.abs(moved * columns - column - 0.5)
    return row * columns + column, (0.5 - down) / rows, (0.5 - across) / columns


def planks(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Floor boards with grain along them, each board of another shade."""
    rows, columns = int(rng.integers(10, 17)), 1
    cell, down, across = _grid(rows, columns, rng.random(rows))
    cells = rows * columns
    grain = _noise(rng, 1.1, (0.25, 8.0))
    grain = np.take_along_axis(grain, (np.arange(SIZE) + rng.integers(SIZE, size=cells)[cell]) % SIZE, axis=1)
    shade = rng.normal(1.0, 0.13, size=cells)[cell]
    gap = (np.minimum(down, across) / 0.0026).clip(0.0, 1.0)
    return (0.5 + 0.2 * grain).clip(0.0, 1.0), shade * (0.25 + 0.75 * gap)


def tiles(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Square tiles with joints in the second colour."""
    rows = int(rng.integers(3, 7))
    cell, down, across = _grid(rows, rows, np.zeros(rows))
    joint = np.minimum(down, across) < rng.uniform(0.0025, 0.005)
    shade = rng.normal(1.0, 0.03, size=rows * rows)[cell] + 0.03 * _noise(rng, 1.4)
    return np.where(joint, 1.0, 0.0), np.where(joint, 0.8, shade)


def bricks(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A running bond with mortar in the second colour."""
    rows, columns = 2 * int(rng.integers(8, 13)), int(rng.integers(5, 9))
    shift = np.where(np.arange(rows) % 2, 0.5 / columns, 0.0)
    cell, down, across = _grid(rows, columns, shift)
    mortar = np.minimum(down, across) < 0.0035
    shade = rng.normal(1.0, 0.1, size=rows * columns)[cell] + 0.06 * _noise(rng, 0.9)
    return np.where(mortar, 1.0, 0.0), np.where(mortar, 1.0, shade)


def concrete(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Clouds and fine speckle."""
    return (0.4 + 0.2 * _noise(rng, 1.25)).clip(0.0, 1.0), 1.0 + 0.05 * _noise(rng, 0.6)


def carpet(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Short pile."""
    return (0.45 + 0.3 * _noise(rng, 0.75)).clip(0.0, 1.0), 1.0 + 0.12 * _noise(rng, 0.4)


def plaster(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rough render with faint stains."""
    return (0.15 + 0.07 * _noise(rng, 1.3)).clip(0.0, 1.0), 1.0 + 0.03 * _noise(rng, 0.8)


def paint(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """An almost even coat."""
    return (0.06 + 0.05 * _noise(rng, 1.7)).clip(0.0, 1.0), 1.0 + 0.008 * _noise(rng, 0.7)


PATTERNS: dict[str, Pattern] = {
    "planks": planks,
    "tiles": tiles,
    "bricks": bricks,
    "concrete": concrete,
    "carpet": carpet,
    "plaster": plaster,
    "paint": paint,
}
