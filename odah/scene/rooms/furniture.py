"""Furniture that more than one room may have."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from odah.scene.rooms.piece import Palette, Piece, legs, moved, part, post
from odah.scene.types import Furniture, Solid, Surface


def stool(position: tuple[float, float], height: float, yaw: float, surface: Surface) -> Furniture:
    """A round stool of this seat height, m, in the middle of (x, y), world, for people to sit on."""
    solids = [post(surface, 0.0, 0.0, (height - 0.05, height), 0.36, "cylinder")]
    solids += [
        post(surface, 0.11 * np.cos(angle), 0.11 * np.sin(angle), (0.0, height - 0.05), 0.035, "cylinder")
        for angle in np.arange(4) * np.pi / 2 + np.pi / 4
    ]
    origin = np.array([*position, 0.0])
    return Furniture("stool", tuple(moved(solid, origin, yaw) for solid in solids))


def cupboard(rng: np.random.Generator, palette: Palette) -> Piece:
    """Doors or drawers with handles."""
    half, depth = rng.uniform(0.4, 0.8), rng.uniform(0.38, 0.5)
    height = rng.choice([0.85, 1.1, 1.9])
    body, fronts = (palette.white, palette.wood) if rng.random() < 0.5 else (palette.wood, palette.white)
    if rng.random() < 0.25:
        fronts = palette.accent(rng)
    solids = [
        part(body, (-half, half), (0, depth), (0.08, height)),
        part(palette.black, (0.03 - half, half - 0.03), (0, depth - 0.04), (0, 0.08)),
    ]
    columns, rows = int(rng.integers(2, 4)), int(rng.integers(1, 4))
    xs, zs = np.linspace(-half, half, columns + 1), np.linspace(0.08, height, rows + 1)
    for x0, x1 in pairwise(xs.tolist()):
        for z0, z1 in pairwise(zs.tolist()):
            solids.append(
                part(fronts, (x0 + 0.008, x1 - 0.008), (depth, depth + 0.018), (z0 + 0.008, z1 - 0.008))
            )
            x, z = (x0 + x1) / 2, z1 - 0.09
            y = (depth + 0.018, depth + 0.04)
            solids.append(part(palette.metal, (x - 0.06, x + 0.06), y, (z - 0.008, z + 0.008)))
    return Piece("cupboard", tuple(solids), front=0.3)


def shelf(rng: np.random.Generator, palette: Palette) -> Piece:
    """Boards between two sides, with books and boxes."""
    half, depth, height = rng.uniform(0.35, 0.6), rng.uniform(0.28, 0.38), rng.uniform(1.5, 2.0)
    frame = palette.wood if rng.random() < 0.6 else palette.white
    solids = [part(frame, x, (0, depth), (0, height)) for x in ((-half, 0.025 - half), (half - 0.025, half))]
    levels = np.linspace(0.05, height - 0.025, int(rng.integers(5, 7))).tolist()
    solids += [part(frame, (0.025 - half, half - 0.025), (0, depth), (z, z + 0.025)) for z in levels]
    solids.append(part(frame, (0.025 - half, half - 0.025), (0, 0.01), (0.05, height)))
    for low, high in pairwise(levels):
        solids += _row_of_things(
            rng, palette, (0.04 - half, half - 0.04), depth, low + 0.025, high - low - 0.05
        )
    return Piece("shelf", tuple(solids))


def _row_of_things(
    rng: np.random.Generator,
    palette: Palette,
    span: tuple[float, float],
    depth: float,
    bottom: float,
    space: float,
) -> list[Solid]:
    """Books, or a few boxes, side by side on a board."""
    things, x = [], span[0]
    boxes = rng.random() < 0.3
    colors = (*palette.accents, palette.white, palette.black)
    while True:
        width = rng.uniform(0.18, 0.3) if boxes else rng.uniform(0.03, 0.09)
        if x + width > span[1] or (x > span[0] + 0.2 and rng.random() < 0.06):
            return things
        top = bottom + rng.uniform(0.65, 0.97) * space
        y = (0.04, rng.uniform(0.6, 0.92) * depth)
        surface = colors[rng.integers(len(colors))]
        things.append(part(surface, (x, x + width - 0.003), y, (bottom, top)))
        x += width + (0.03 if boxes else 0.0)


def desk(rng: np.random.Generator, palette: Palette) -> Piece:
    """A table with a computer on it."""
    half, depth, height = rng.uniform(0.6, 0.85), rng.uniform(0.65, 0.8), 0.74
    x, y = (-half, half), (0.0, depth)
    solids = [part(palette.wood, x, y, (height - 0.03, height))]
    solids += legs(palette.metal, x, y, (0, height - 0.03), 0.045)
    for screen in np.linspace(-0.3, 0.3, rng.integers(1, 3)).tolist() or [0.0]:
        solids += monitor(palette, screen, height)
    solids.append(part(palette.black, (-0.2, 0.2), (depth - 0.25, depth - 0.12), (height, height + 0.02)))
    solids.append(part(palette.black, (half - 0.26, half - 0.08), (0.08, 0.5), (0, 0.42)))
    return Piece("desk", tuple(solids), front=0.1)


def monitor(palette: Palette, x: float, table: float) -> list[Solid]:
    """A screen on a foot, in the middle of a table as high as that, m."""
    glow = Surface("plain", (0.02, 0.03, 0.05), (0.02, 0.03, 0.05), 1.0, 0.2, 0, glow=0.5)
    low = table + 0.12
    return [
        part(palette.black, (x - 0.11, x + 0.11), (0.1, 0.28), (table, table + 0.015)),
        post(palette.black, x, 0.17, (table, low + 0.1), 0.04),
        part(palette.black, (x - 0.27, x + 0.27), (0.18, 0.215), (low, low + 0.34)),
        part(glow, (x - 0.255, x + 0.255), (0.2, 0.218), (low + 0.02, low + 0.325)),
    ]


def chair(rng: np.random.Generator, palette: Palette) -> Piece:
    """Four legs, a seat and a back."""
    surface = palette.wood if rng.random() < 0.5 else palette.accent(rng)
    frame = palette.metal if rng.random() < 0.5 else palette.wood
    solids = legs(frame, (-0.22, 0.22), (0.02, 0.46), (0, 0.43), 0.035)
    solids.append(part(surface, (-0.23, 0.23), (0.02, 0.48), (0.43, 0.465)))
    solids += [post(frame, x, 0.04, (0.465, 0.84), 0.03) for x in (-0.2, 0.2)]
    solids.append(part(surface, (-0.22, 0.22), (0.02, 0.05), (0.62, 0.88)))
    return Piece("chair", tuple(solids), gap=0.3)


def plant(rng: np.random.Generator, palette: Palette) -> Piece:
    """A pot with a few masses of leaves on a stem."""
    pot, height = rng.uniform(0.14, 0.2), rng.uniform(0.8, 1.5)
    clay, leaves = palette.accent(rng), _LEAVES[rng.integers(len(_LEAVES))]
    middle = pot + 0.12
    solids = [
        post(clay, 0, middle, (0, 1.7 * pot), 2 * pot, "cylinder"),
        post(palette.wood, 0, middle, (1.7 * pot, height - 0.2), 0.03, "cylinder"),
    ]
    for _ in range(rng.integers(5, 9)):
        angle, away = rng.uniform(0, 2 * np.pi), rng.uniform(0.02, pot)
        x, y = away * np.cos(angle), middle + away * np.sin(angle)
        z, size = rng.uniform(0.45, 1.0) * height, rng.uniform(0.14, 0.3)
        solids.append(post(leaves, x, y, (z - 0.3 * size, z + 0.5 * size), size, "ball"))
    back = min(solid.position[1] - solid.size[1] / 2 for solid in solids)
    shift = np.array([0.0, -min(back, 0.0), 0.0])
    return Piece("plant", tuple(moved(solid, shift) for solid in solids), gap=0.1)


_LEAVES = tuple(
    Surface("grass", color, second, 0.6, 0.6, seed)
    for seed, (color, second) in enumerate(
        (
            ((0.05, 0.16, 0.03), (0.02, 0.08, 0.02)),
            ((0.10, 0.20, 0.04), (0.03, 0.09, 0.02)),
            ((0.03, 0.11, 0.05), (0.01, 0.05, 0.02)),
        )
    )
)


def bin_(rng: np.random.Generator, palette: Palette) -> Piece:
    """A waste bin."""
    radius, height = rng.uniform(0.12, 0.18), rng.uniform(0.3, 0.6)
    surface = palette.metal if rng.random() < 0.5 else palette.accent(rng)
    solids = (
        post(surface, 0, radius + 0.02, (0, height), 2 * radius, "cylinder"),
        post(palette.black, 0, radius + 0.02, (height, height + 0.02), 1.8 * radius, "cylinder"),
    )
    return Piece("bin", solids, gap=0.1)


def floor_lamp(rng: np.random.Generator, palette: Palette) -> Piece:
    """A pole with a bowl that shines at the ceiling."""
    height = rng.uniform(1.6, 1.85)
    bowl = Surface("plain", (0.85, 0.8, 0.7), (0.85, 0.8, 0.7), 1.0, 0.6, 0, glow=2.5)
    solids = (
        post(palette.metal, 0, 0.2, (0, 0.03), 0.28, "cylinder"),
        post(palette.metal, 0, 0.2, (0.03, height), 0.025, "cylinder"),
        post(bowl, 0, 0.2, (height, height + 0.14), 0.34, "cylinder"),
    )
    return Piece("floor lamp", solids, gap=0.1)


def wall_lamp(rng: np.random.Generator, palette: Palette) -> Piece:
    """A glowing block on the wall."""
    z = rng.uniform(1.75, 1.95)
    bowl = Surface("plain", (0.85, 0.8, 0.7), (0.85, 0.8, 0.7), 1.0, 0.6, 0, glow=2.5)
    solids = (
        part(palette.metal, (-0.06, 0.06), (0, 0.02), (z - 0.02, z + 0.2)),
        part(bowl, (-0.12, 0.12), (0.02, 0.12), (z, z + 0.18)),
    )
    return Piece("wall lamp", solids)


def treadmill(rng: np.random.Generator, palette: Palette) -> Piece:
    """Belt, hood, uprights with a console; its head at the left."""
    body = palette.black if rng.random() < 0.5 else palette.white
    belt = palette.black
    solids = [
        part(body, (-0.9, 0.9), (0.0, 0.78), (0.03, 0.16)),
        part(belt, (-0.85, 0.6), (0.13, 0.65), (0.16, 0.165)),
        part(palette.accent(rng), (0.6, 0.92), (0.02, 0.76), (0.16, 0.28)),
    ]
    for y in (0.05, 0.73):
        solids.append(post(palette.metal, 0.75, y, (0.28, 1.25), 0.07))
        solids.append(part(palette.metal, (-0.1, 0.75), (y - 0.025, y + 0.025), (0.95, 1.0), "rod"))
        solids.append(post(palette.metal, -0.08, y, (0.16, 0.97), 0.05, "cylinder"))
    solids.append(part(body, (0.68, 0.82), (0.02, 0.76), (1.25, 1.5)))
    return Piece("treadmill", tuple(solids))
