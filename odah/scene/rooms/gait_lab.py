"""A movement laboratory: walkway, force plates, cameras all round, computers."""

from __future__ import annotations

import numpy as np

from odah.scene.rooms.fittings import board, clock, decal, poster
from odah.scene.rooms.furniture import bin_, chair, cupboard, desk, shelf, treadmill
from odah.scene.rooms.piece import Palette, Piece, part, post
from odah.scene.rooms.style import RoomStyle
from odah.scene.surfaces import sample_surface
from odah.scene.types import Solid, Surface


def walkway(rng: np.random.Generator, palette: Palette, size: np.ndarray) -> list[Solid]:
    """A mat or two taped lines along the way, with force plates let into the floor."""
    half_length, half_width = size[0] / 2 + 0.6, rng.uniform(0.45, 0.8)
    tape = palette.accent(rng)
    solids = []
    if rng.random() < 0.5:
        mat = sample_surface(rng, ("rubber", "sports vinyl", "vinyl"))
        solids.append(decal(mat, (-half_length, half_length), (-half_width, half_width)))
    if not solids or rng.random() < 0.5:
        along = (-half_length, half_length)
        solids += [decal(tape, along, (y - 0.025, y + 0.025), 2) for y in (-half_width, half_width)]
    number, edge = int(rng.integers(1, 5)), rng.choice([0.4, 0.5, 0.6])
    plate = palette.metal if rng.random() < 0.4 else palette.black
    for index in range(number):
        x = (index - (number - 1) / 2) * (edge + 0.03)
        y = rng.choice([-0.02, 0.02]) if number > 1 else 0.0
        solids.append(decal(palette.white, (x - edge / 2, x + edge / 2), (y - 0.3, y + 0.3), 3))
        inner = edge / 2 - 0.012
        solids.append(decal(plate, (x - inner, x + inner), (y - 0.288, y + 0.288), 4))
    return solids


def camera_bar(rng: np.random.Generator, palette: Palette) -> Piece:
    """A rail below the ceiling with cameras, each with a ring of light round its lens."""
    z, half = rng.uniform(2.25, 2.5), rng.uniform(0.7, 1.6)
    solids = [part(palette.metal, (-half, half), (0.06, 0.1), (z - 0.02, z + 0.02), "rod")]
    solids += [
        part(palette.metal, (x - 0.02, x + 0.02), (0, 0.08), (z - 0.03, z + 0.03)) for x in (-half, half)
    ]
    ring = _ring(rng)
    for x in np.linspace(0.2 - half, half - 0.2, int(rng.integers(2, 4))).tolist():
        solids += _camera(palette, ring, x, 0.1, z - 0.09)
    return Piece("camera bar", tuple(solids))


def _ring(rng: np.random.Generator) -> Surface:
    color = ((0.5, 0.02, 0.02), (0.05, 0.1, 0.6), (0.3, 0.3, 0.3))[rng.integers(3)]
    return Surface("plain", color, color, 1.0, 0.4, 0, glow=1.0)


def _camera(palette: Palette, ring: Surface, x: float, y: float, z: float) -> list[Solid]:
    """A camera that looks into the room, its middle at that height."""
    return [
        part(palette.black, (x - 0.055, x + 0.055), (y - 0.04, y + 0.1), (z - 0.055, z + 0.055)),
        part(ring, (x - 0.05, x + 0.05), (y + 0.1, y + 0.108), (z - 0.05, z + 0.05)),
        part(palette.black, (x - 0.03, x + 0.03), (y + 0.1, y + 0.14), (z - 0.03, z + 0.03)),
    ]


def tripod(rng: np.random.Generator, palette: Palette) -> Piece:
    """A camera on a stand."""
    height, leg = rng.uniform(1.2, 1.9), 0.3
    middle = 0.42
    solids = [post(palette.black, 0, middle, (0.25, height), 0.03, "cylinder")]
    for angle in (np.pi / 2, 7 * np.pi / 6, 11 * np.pi / 6):
        x, y = leg * np.cos(angle), middle + leg * np.sin(angle)
        solids.append(post(palette.black, x, y, (0, 0.26), 0.025, "cylinder"))
        strut = Solid("rod", (x / 2, (y + middle) / 2, 0.26), (leg, 0.022, 0.022), angle, palette.black)
        solids.append(strut)
    solids += _camera(palette, _ring(rng), 0.0, middle - 0.03, height + 0.055)
    return Piece("tripod", tuple(solids), gap=0.2)


def rack(rng: np.random.Generator, palette: Palette) -> Piece:
    """Devices with lamps, one above the other."""
    top = rng.uniform(1.2, 1.9)
    solids = [part(palette.black, (-0.3, 0.3), (0, 0.6), (0.06, top))]
    lamp = Surface("plain", (0.05, 0.5, 0.1), (0.05, 0.5, 0.1), 1.0, 0.4, 0, glow=1.0)
    z = 0.12
    while z < top - 0.25:
        high = rng.choice([0.05, 0.09, 0.18])
        face = palette.metal if rng.random() < 0.6 else palette.white
        solids.append(part(face, (-0.26, 0.26), (0.6, 0.61), (z, z + high)))
        solids.append(part(lamp, (0.2, 0.215), (0.61, 0.612), (z + 0.015, z + 0.03)))
        z += high + rng.choice([0.01, 0.06])
    solids += [post(palette.black, x, y, (0, 0.06), 0.05) for x in (-0.25, 0.25) for y in (0.08, 0.52)]
    return Piece("rack", tuple(solids))


def steps(rng: np.random.Generator, palette: Palette) -> Piece:
    """Three stairs for trials."""
    wood = palette.wood if rng.random() < 0.6 else palette.white
    solids = [part(wood, (-0.35, 0.35), (0.0, 0.9 - 0.28 * i), (0.17 * i, 0.17 * (i + 1))) for i in range(3)]
    return Piece("steps", tuple(solids), gap=0.1)


STYLE = RoomStyle(
    floors=("sports vinyl", "vinyl", "concrete", "rubber", "planks", "terrazzo"),
    walls=("paint", "plaster", "light concrete", "strong paint", "clinic paint"),
    signature=(camera_bar, camera_bar, camera_bar, tripod, tripod, desk),
    extras=(treadmill, rack, steps, cupboard, shelf, chair, tripod, bin_, desk),
    hangings=(board, poster, clock, poster),
    covers=("strong paint", "panels"),
    windows=(0.5, 0.4, 0.1),
    cover=0.2,
    decals=walkway,
)
