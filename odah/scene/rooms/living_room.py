"""A home: sofa, shelves, television, plants, pictures, a rug."""

from __future__ import annotations

import numpy as np

from odah.scene.rooms.fittings import clock, decal, picture, radiator
from odah.scene.rooms.furniture import chair, cupboard, desk, floor_lamp, plant, shelf, wall_lamp
from odah.scene.rooms.piece import Palette, Piece, legs, part, post
from odah.scene.rooms.style import RoomStyle
from odah.scene.surfaces import sample_surface
from odah.scene.types import Solid


def rug(rng: np.random.Generator, palette: Palette, size: np.ndarray) -> list[Solid]:
    """A rug with a border in the middle of the room, or none."""
    if rng.random() < 0.25:
        return []
    x, y = np.maximum(size / 2 + rng.uniform(-0.2, 0.6, 2), 0.6)
    edge = rng.uniform(0.04, 0.15)
    inner = sample_surface(rng, ("carpet", "fabric", "wallpaper"))
    return [
        decal(palette.cloth if rng.random() < 0.5 else palette.accent(rng), (-x, x), (-y, y)),
        decal(inner, (edge - x, x - edge), (edge - y, y - edge), 2),
    ]


def sofa(rng: np.random.Generator, palette: Palette) -> Piece:
    """Two to three seats, with cushions."""
    return _seat(rng, palette, "sofa", int(rng.integers(2, 4)))


def armchair(rng: np.random.Generator, palette: Palette) -> Piece:
    """A sofa for one."""
    return _seat(rng, palette, "armchair", 1)


def _seat(rng: np.random.Generator, palette: Palette, kind: str, seats: int) -> Piece:
    arm, depth, half = rng.uniform(0.1, 0.22), rng.uniform(0.8, 0.95), 0.31 * seats
    cloth = palette.cloth if rng.random() < 0.7 else palette.seat
    outer, foot = half + arm, rng.uniform(0.06, 0.14)
    back = rng.uniform(0.75, 0.88)
    solids = legs(palette.wood, (0.03 - outer, outer - 0.03), (0.05, depth - 0.05), (0, foot), 0.05)
    solids.append(part(cloth, (-outer, outer), (0.0, depth), (foot, 0.3)))
    solids.append(part(cloth, (-half, half), (0.0, 0.2), (0.3, back)))
    side = rng.uniform(0.52, 0.64)
    solids += [part(cloth, x, (0.0, depth), (0.3, side)) for x in ((-outer, -half), (half, outer))]
    for index in range(seats):
        x = -half + 0.62 * index
        solids.append(part(cloth, (x + 0.006, x + 0.614), (0.2, depth - 0.01), (0.3, 0.45)))
        solids.append(part(cloth, (x + 0.01, x + 0.61), (0.2, 0.36), (0.45, back - 0.03)))
    for _ in range(rng.integers(0, 3)):
        x = rng.uniform(0.22 - half, half - 0.22)
        solids.append(part(palette.accent(rng), (x - 0.21, x + 0.21), (0.34, 0.5), (0.45, 0.86), "ball"))
    return Piece(kind, tuple(solids), front=0.2)


def television(rng: np.random.Generator, palette: Palette) -> Piece:
    """A screen on a low board."""
    half, width = rng.uniform(0.7, 1.0), rng.uniform(0.45, 0.68)
    wood = palette.wood if rng.random() < 0.7 else palette.white
    solids = [
        part(wood, (-half, half), (0, 0.42), (0.1, 0.45)),
        *legs(wood, (0.05 - half, half - 0.05), (0.04, 0.38), (0, 0.1), 0.04),
        *(
            part(palette.metal, (x - 0.05, x + 0.05), (0.42, 0.436), (0.36, 0.375))
            for x in (-half / 2, half / 2)
        ),
        part(palette.black, (-0.004, 0.004), (0.4, 0.423), (0.11, 0.44)),
        part(palette.black, (-0.15, 0.15), (0.1, 0.3), (0.45, 0.465)),
        part(palette.black, (-0.05, 0.05), (0.14, 0.18), (0.465, 0.6)),
        part(palette.black, (-width, width), (0.18, 0.22), (0.52, 0.52 + 1.15 * width)),
    ]
    return Piece("television", tuple(solids), front=0.2)


def low_table(rng: np.random.Generator, palette: Palette) -> Piece:
    """A small table with a thing or two on it."""
    half, height = rng.uniform(0.25, 0.5), rng.uniform(0.38, 0.55)
    if rng.random() < 0.4:
        solids = [
            post(palette.wood, 0, 0.4, (height - 0.03, height), 0.7, "cylinder"),
            post(palette.metal, 0, 0.4, (0.03, height - 0.03), 0.06, "cylinder"),
            post(palette.metal, 0, 0.4, (0, 0.03), 0.4, "cylinder"),
        ]
    else:
        solids = [
            part(palette.wood, (-half, half), (0.1, 0.6), (height - 0.03, height)),
            *legs(palette.wood, (-half, half), (0.1, 0.6), (0, height - 0.03), 0.045),
        ]
    solids.append(
        post(palette.accent(rng), 0.08, 0.3, (height, height + rng.uniform(0.1, 0.3)), 0.1, "cylinder")
    )
    solids.append(part(palette.accent(rng), (-0.2, -0.02), (0.35, 0.5), (height, height + 0.03)))
    return Piece("low table", tuple(solids), gap=0.3)


def dining_table(rng: np.random.Generator, palette: Palette) -> Piece:
    """A table with a chair pushed under each side."""
    half = rng.uniform(0.6, 0.85)
    solids = [
        part(palette.wood, (-half, half), (0.05, 0.85), (0.71, 0.75)),
        *legs(palette.wood, (0.04 - half, half - 0.04), (0.09, 0.81), (0, 0.71), 0.06),
        post(palette.accent(rng), 0.1, 0.45, (0.75, 0.83), 0.28, "cylinder"),
    ]
    for x in (-half / 2, half / 2):
        low, high = x - 0.2, x + 0.2
        solids += [
            *legs(palette.wood, (low, high), (0.62, 1.0), (0, 0.44), 0.035),
            part(palette.seat, (low, high), (0.6, 1.02), (0.44, 0.47)),
            part(palette.wood, (low, high), (0.99, 1.02), (0.55, 0.9)),
        ]
    return Piece("dining table", tuple(solids))


def basket(rng: np.random.Generator, palette: Palette) -> Piece:
    """A round pouffe or basket."""
    size = rng.uniform(0.35, 0.55)
    surface = palette.cloth if rng.random() < 0.5 else palette.accent(rng)
    height = rng.uniform(0.3, 0.42)
    return Piece("pouffe", (post(surface, 0, size / 2 + 0.02, (0, height), size, "cylinder"),), gap=0.4)


STYLE = RoomStyle(
    floors=("planks", "herringbone", "carpet", "planks", "tiles"),
    walls=("paint", "wallpaper", "plaster", "strong paint", "bricks"),
    signature=(sofa, shelf, television, plant, floor_lamp),
    extras=(armchair, low_table, dining_table, cupboard, basket, plant, shelf, chair, desk, radiator),
    hangings=(picture, picture, picture, wall_lamp, wall_lamp, clock),
    covers=("panels", "wallpaper", "strong paint"),
    windows=(0.15, 0.6, 0.25),
    cover=0.25,
    curtains=0.7,
    decals=rug,
)
