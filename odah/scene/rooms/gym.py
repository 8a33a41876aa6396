"""A training room: wall bars, mats, benches, weights, mirrors."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from odah.scene.rooms.fittings import clock, decal, poster, radiator
from odah.scene.rooms.furniture import bin_, treadmill
from odah.scene.rooms.piece import Palette, Piece, part, post
from odah.scene.rooms.style import RoomStyle
from odah.scene.surfaces import sample_surface
from odah.scene.types import Solid, Surface


def training_floor(rng: np.random.Generator, palette: Palette, size: np.ndarray) -> list[Solid]:
    """A mat under the athlete, or lines of a court."""
    half = size / 2
    if rng.random() < 0.5:
        x, y = half + rng.uniform(0.2, 0.7, 2)
        return [decal(sample_surface(rng, ("sports vinyl", "rubber")), (-x, x), (-y, y))]
    line, y = palette.accent(rng) if rng.random() < 0.6 else palette.white, rng.uniform(-1.2, 1.2)
    x = half[0] + 1.0
    cross = rng.uniform(-x, x)
    return [
        decal(line, (-x, x), (y - 0.025, y + 0.025)),
        decal(line, (cross - 0.025, cross + 0.025), (-half[1] - 0.8, half[1] + 0.8), 2),
    ]


def wall_bars(rng: np.random.Generator, palette: Palette) -> Piece:
    """Rungs between uprights, one to three fields wide."""
    fields, height = int(rng.integers(1, 4)), rng.uniform(2.2, 2.5)
    edges = (np.arange(fields + 1) - fields / 2) * 0.9
    solids = [post(palette.wood, x, 0.09, (0, height), 0.045) for x in edges.tolist()]
    x = (float(edges[0]), float(edges[-1]))
    rungs = np.arange(0.14, height - 0.05, 0.16).tolist()
    solids += [part(palette.wood, x, (0.09, 0.125), (z, z + 0.035), "rod") for z in rungs]
    return Piece("wall bars", tuple(solids), gap=0.0)


def mats(rng: np.random.Generator, palette: Palette) -> Piece:
    """A stack of thick mats."""
    half, depth, z = rng.uniform(0.7, 1.0), rng.uniform(0.7, 1.0), 0.0
    solids = []
    colors = (palette.accent(rng), palette.accent(rng))
    for index in range(rng.integers(2, 6)):
        thick = rng.choice([0.05, 0.1])
        x = rng.uniform(-0.03, 0.03)
        solids.append(part(colors[index % 2], (x - half, x + half), (0.02, depth), (z, z + thick - 0.004)))
        z += thick
    return Piece("mats", tuple(solids), gap=0.2)


def bench(rng: np.random.Generator, palette: Palette) -> Piece:
    """A long wooden bench."""
    half = rng.uniform(0.8, 1.4)
    solids = [part(palette.wood, (-half, half), (0.02, 0.28), (0.35, 0.4))]
    solids.append(part(palette.wood, (-half, half), (0.12, 0.18), (0.2, 0.24)))
    feet = (0.25 - half, half - 0.25)
    solids += [part(palette.wood, (x - 0.03, x + 0.03), (0.04, 0.26), (0, 0.35)) for x in feet]
    return Piece("bench", tuple(solids), gap=0.15)


def weight_bench(rng: np.random.Generator, palette: Palette) -> Piece:
    """A padded bench with a bar on its stand."""
    solids = [part(palette.seat, (-0.55, 0.6), (0.6, 0.88), (0.38, 0.46))]
    solids += [part(palette.metal, (x - 0.03, x + 0.03), (0.5, 0.98), (0, 0.05)) for x in (-0.45, 0.5)]
    solids += [post(palette.metal, x, 0.74, (0.05, 0.38), 0.05) for x in (-0.45, 0.5)]
    disc = palette.accent(rng)
    for y in (0.25, 1.23):
        solids.append(post(palette.metal, 0.5, y, (0, 1.05), 0.05))
    bar = Solid("rod", (0.5, 0.74, 1.07), (1.48, 0.03, 0.03), np.pi / 2, palette.metal)
    solids.append(bar)
    for y in (0.09, 1.39):
        solids.append(Solid("rod", (0.5, y, 1.07), (0.07, 0.4, 0.4), np.pi / 2, disc))
    return Piece("weight bench", tuple(solids), gap=0.1)


def dumbbell_rack(rng: np.random.Generator, palette: Palette) -> Piece:
    """Two rows of dumbbells."""
    half = rng.uniform(0.6, 1.0)
    solids = [
        part(palette.black, (x - 0.03, x + 0.03), (0, 0.5), (0, 0.85)) for x in (0.03 - half, half - 0.03)
    ]
    disc = palette.black if rng.random() < 0.5 else palette.accent(rng)
    for z, y in ((0.35, 0.3), (0.75, 0.16)):
        solids.append(part(palette.metal, (-half, half), (y - 0.14, y + 0.14), (z, z + 0.03)))
        for x in np.arange(0.14 - half, half - 0.12, 0.2).tolist():
            size = rng.uniform(0.09, 0.13)
            for dy in (-0.09, 0.09):
                place = (x, y + dy, z + 0.03 + size / 2)
                solids.append(Solid("rod", place, (0.07, size, size), np.pi / 2, disc))
            solids.append(
                Solid("rod", (x, y, z + 0.03 + size / 2), (0.2, 0.03, 0.03), np.pi / 2, palette.metal)
            )
    return Piece("dumbbells", tuple(solids))


def kettlebells(rng: np.random.Generator, palette: Palette) -> Piece:
    """A row of them on the floor."""
    solids, number = [], int(rng.integers(3, 7))
    for index in range(number):
        x, size = (index - (number - 1) / 2) * 0.28, 0.15 + 0.02 * index
        surface = palette.accents[index % 3] if rng.random() < 0.5 else palette.black
        solids.append(post(surface, x, 0.2, (0, size), size, "ball"))
        solids += [post(palette.black, x + dx, 0.2, (0.8 * size, size + 0.07), 0.022) for dx in (-0.05, 0.05)]
        solids.append(
            part(palette.black, (x - 0.06, x + 0.06), (0.187, 0.213), (size + 0.06, size + 0.085), "rod")
        )
    return Piece("kettlebells", tuple(solids), gap=0.2)


def balls(rng: np.random.Generator, palette: Palette) -> Piece:
    """Large balls for exercise."""
    solids, x = [], 0.0
    for _ in range(rng.integers(1, 4)):
        size = rng.choice([0.25, 0.35, 0.55, 0.65])
        solids.append(post(palette.accent(rng), x + size / 2, size / 2 + 0.02, (0, size), size, "ball"))
        x += size + 0.04
    return Piece("balls", tuple(solids), gap=0.3)


def boxes(rng: np.random.Generator, palette: Palette) -> Piece:
    """Wooden boxes to jump on."""
    solids, x = [], 0.0
    for _ in range(rng.integers(1, 4)):
        width, height = rng.uniform(0.45, 0.6), rng.choice([0.3, 0.45, 0.6, 0.75])
        solids.append(part(palette.wood, (x, x + width), (0.02, 0.52), (0, height)))
        hole = (x + width / 2 - 0.07, x + width / 2 + 0.07)
        solids.append(part(palette.black, hole, (0.515, 0.523), (0.72 * height, 0.72 * height + 0.05)))
        x += width + rng.uniform(0.05, 0.2)
    return Piece("boxes", tuple(solids), gap=0.1)


def mirror(rng: np.random.Generator, palette: Palette) -> Piece:
    """Panes of dull glass in which nobody is to be recognized."""
    panes = int(rng.integers(2, 5))
    glass = Surface("plain", (0.42, 0.46, 0.48), (0.42, 0.46, 0.48), 1.0, 0.42, 0, metallic=1.0)
    xs = (np.arange(panes + 1) - panes / 2) * 0.8
    solids = [part(glass, (a + 0.006, b - 0.006), (0, 0.012), (0.3, 2.1)) for a, b in pairwise(xs.tolist())]
    x = (float(xs[0]) - 0.03, float(xs[-1]) + 0.03)
    solids += [part(palette.metal, x, (0, 0.02), (z, z + 0.03)) for z in (0.27, 2.1)]
    return Piece("mirror", tuple(solids))


def punch_bag(rng: np.random.Generator, palette: Palette) -> Piece:
    """A bag that hangs from an arm on the wall."""
    radius = rng.uniform(0.15, 0.19)
    solids = (
        part(palette.metal, (-0.03, 0.03), (0, 0.5), (2.3, 2.36)),
        part(palette.metal, (-0.1, 0.1), (0, 0.02), (2.1, 2.5)),
        post(palette.metal, 0, 0.42, (1.9, 2.3), 0.02, "cylinder"),
        post(palette.seat, 0, 0.42, (0.75, 1.9), 2 * radius, "cylinder"),
        post(palette.accent(rng), 0, 0.42, (1.3, 1.42), 2 * radius + 0.006, "cylinder"),
    )
    return Piece("punch bag", solids)


def horse(rng: np.random.Generator, palette: Palette) -> Piece:
    """A vaulting box of stacked frames with a padded top."""
    solids, layers = [], int(rng.integers(3, 6))
    for index in range(layers):
        half, z = 0.75 - 0.04 * index, 0.18 * index
        inset = 0.02 * index
        solids.append(part(palette.wood, (-half, half), (inset + 0.02, 0.7 - inset), (z, z + 0.17)))
    top = 0.18 * layers
    inset, half = 0.02 * layers, 0.75 - 0.04 * layers
    solids.append(part(palette.seat, (-half, half), (inset, 0.72 - inset), (top - 0.01, top + 0.1)))
    return Piece("vaulting box", tuple(solids), gap=0.1)


STYLE = RoomStyle(
    floors=("sports vinyl", "rubber", "rubber", "planks", "sports vinyl"),
    walls=("paint", "bricks", "light concrete", "strong paint", "plaster"),
    signature=(wall_bars, wall_bars, mats, bench),
    extras=(
        *(mirror, weight_bench, dumbbell_rack, kettlebells, balls, boxes, punch_bag, horse, treadmill),
        *(bench, mats, balls, bin_, radiator),
    ),
    hangings=(clock, poster),
    covers=("strong paint", "panels", "rubber", "bricks"),
    windows=(0.4, 0.5, 0.1),
    cover=0.5,
    decals=training_floor,
)
