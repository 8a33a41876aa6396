"""What belongs to the walls and the floor of a room: skirting, doors, windows, radiators, pictures, lines."""

from __future__ import annotations

import numpy as np

from odah.scene.rooms.piece import Palette, Piece, Span, part, post
from odah.scene.surfaces import sample_surface
from odah.scene.types import Solid, Surface

DECAL_HEIGHT = 0.001
"""How far mats and lines stand above the floor, m: enough to be seen, too little to stand on."""


def decal(surface: Surface, x: Span, y: Span, layer: int = 1) -> Solid:
    """A part of the floor of another look; a higher layer covers a lower one."""
    return part(surface, x, y, (-0.02, layer * DECAL_HEIGHT))


def door(rng: np.random.Generator, palette: Palette) -> Piece:
    """Leaf, frame and handle; 2.0 m high."""
    half, height = rng.uniform(0.42, 0.52), 2.0
    leaf = palette.white if rng.random() < 0.5 else palette.wood
    if rng.random() < 0.2:
        leaf = palette.accent(rng)
    side = rng.choice([-1, 1]) * (half - 0.09)
    solids = [
        part(leaf, (-half, half), (0, 0.03), (0, height)),
        part(palette.trim, (-half - 0.08, -half), (0, 0.05), (0, height + 0.08)),
        part(palette.trim, (half, half + 0.08), (0, 0.05), (0, height + 0.08)),
        part(palette.trim, (-half, half), (0, 0.05), (height, height + 0.08)),
        part(palette.metal, (side - 0.02, side + 0.02), (0.03, 0.04), (0.95, 1.15)),
        part(palette.metal, (side - 0.06, side + 0.06), (0.06, 0.08), (1.04, 1.06), "rod"),
        post(palette.metal, side, 0.05, (1.04, 1.06), 0.02),
    ]
    if rng.random() < 0.4:  # a pane, or four panels
        solids.append(part(palette.black, (-0.16, 0.16), (0.03, 0.034), (1.2, 1.75)))
    elif rng.random() < 0.6:
        for x in ((0.08 - half, -0.05), (0.05, half - 0.08)):
            solids += [part(leaf, x, (0.03, 0.042), z) for z in ((0.2, 0.85), (1.2, 1.85))]
    return Piece("door", tuple(solids), front=0.7)


def window(rng: np.random.Generator, palette: Palette, width: float, sill: float, top: float) -> Piece:
    """A pane that glows, its frame and a sill."""
    half, bar = width / 2, 0.06
    pane = Surface(
        "window", (0.72, 0.84, 1.0), (0.9, 0.95, 1.0), 1.0, 0.1, int(rng.integers(2**31)), glow=4.0
    )
    solids = [
        part(pane, (-half, half), (0, 0.015), (sill, top)),
        part(palette.trim, (-half - bar, -half), (0, 0.05), (sill - bar, top + bar)),
        part(palette.trim, (half, half + bar), (0, 0.05), (sill - bar, top + bar)),
        part(palette.trim, (-half, half), (0, 0.05), (top, top + bar)),
        part(palette.trim, (-half - 0.1, half + 0.1), (0, 0.12), (sill - bar, sill)),
    ]
    columns = 1 + int(width / rng.uniform(0.7, 1.3))
    bars = np.linspace(-half, half, columns + 1)[1:-1].tolist()
    solids += [post(palette.trim, x, 0.022, (sill, top), 0.04) for x in bars]
    if rng.random() < 0.4:
        z = top - 0.28 * (top - sill)
        solids.append(part(palette.trim, (-half, half), (0, 0.04), (z - 0.02, z + 0.02)))
    return Piece("window", tuple(solids))


def curtains(rng: np.random.Generator, palette: Palette, width: float, top: float) -> Piece:
    """A rod with a curtain at each side of a window."""
    cloth = sample_surface(rng, ("curtain",))
    outer, bottom = width / 2 + 0.35, rng.choice([0.03, 0.5])
    inner = width / 2 - rng.uniform(0.0, 0.15)
    solids = [part(palette.metal, (-outer - 0.05, outer + 0.05), (0.125, 0.15), (top, top + 0.025), "rod")]
    solids += [part(cloth, x, (0.122, 0.155), (bottom, top)) for x in ((-outer, -inner), (inner, outer))]
    return Piece("curtains", tuple(solids))


def skirting(length: float, height: float, surface: Surface) -> Piece:
    """A board at the foot of a wall of this length, m."""
    return Piece("skirting", (part(surface, (-length / 2, length / 2), (0, 0.015), (0, height)),))


def wall_cover(length: float, height: float, surface: Surface, rail: Surface) -> Piece:
    """The lower part of a wall of this length in another look, with a rail on top, m."""
    x = (-length / 2, length / 2)
    solids = (part(surface, x, (0, 0.006), (0, height)), part(rail, x, (0, 0.02), (height, height + 0.04)))
    return Piece("wall cover", solids)


def radiator(rng: np.random.Generator, palette: Palette) -> Piece:
    """Ribs between two pipes."""
    half, top = rng.uniform(0.4, 0.8), rng.uniform(0.55, 0.7)
    ribs = np.arange(-half, half, 0.1)
    solids = [part(palette.white, (x, x + 0.07), (0.04, 0.12), (0.12, top)) for x in ribs.tolist()]
    solids += [part(palette.white, (-half, half), (0.06, 0.1), (z, z + 0.04)) for z in (0.14, top - 0.06)]
    return Piece("radiator", tuple(solids))


def picture(rng: np.random.Generator, palette: Palette) -> Piece:
    """A frame with a few fields of colour."""
    half, height = rng.uniform(0.15, 0.5), rng.uniform(0.35, 0.8)
    bottom = 1.62 - height / 2
    frame = palette.black if rng.random() < 0.5 else palette.wood
    solids = [
        part(frame, (-half, half), (0, 0.025), (bottom, bottom + height)),
        part(
            palette.white, (0.03 - half, half - 0.03), (0.01, 0.03), (bottom + 0.03, bottom + height - 0.03)
        ),
    ]
    for index in range(rng.integers(1, 5)):
        x, z = np.sort(rng.uniform(0.06 - half, half - 0.06, 2)), np.sort(rng.uniform(0.06, height - 0.06, 2))
        y = (0.03, 0.032 + 0.001 * index)
        span = (float(x[0]), float(x[1]) + 0.02)
        solids.append(part(palette.accent(rng), span, y, (bottom + float(z[0]), bottom + float(z[1]))))
    return Piece("picture", tuple(solids))


def poster(rng: np.random.Generator, palette: Palette) -> Piece:
    """A chart: title, bars, lines of text."""
    half, height, bottom = rng.uniform(0.25, 0.4), rng.uniform(0.7, 1.0), rng.uniform(1.05, 1.2)
    top = bottom + height
    ink = palette.accent(rng)
    solids = [
        part(palette.white, (-half, half), (0, 0.006), (bottom, top)),
        part(ink, (0.04 - half, half - 0.04), (0, 0.008), (top - 0.12, top - 0.05)),
    ]
    for x in np.arange(0.06 - half, 0.02, 0.08).tolist():
        high = bottom + rng.uniform(0.15, height - 0.25)
        solids.append(part(palette.accent(rng), (x, x + 0.06), (0, 0.008), (bottom + 0.06, high)))
    lines = np.arange(bottom + 0.06, top - 0.2, 0.06).tolist()
    solids += [part(palette.black, (half - 0.16, half - 0.04), (0, 0.008), (z, z + 0.014)) for z in lines]
    return Piece("poster", tuple(solids))


def clock(rng: np.random.Generator, palette: Palette) -> Piece:
    """A square face with two hands."""
    del rng
    solids = (
        part(palette.black, (-0.15, 0.15), (0, 0.03), (2.05, 2.35)),
        part(palette.white, (-0.13, 0.13), (0, 0.034), (2.07, 2.33)),
        part(palette.black, (-0.006, 0.006), (0, 0.038), (2.2, 2.31)),
        part(palette.black, (-0.006, 0.08), (0, 0.038), (2.194, 2.206)),
    )
    return Piece("clock", solids)


def board(rng: np.random.Generator, palette: Palette) -> Piece:
    """A whiteboard with a tray."""
    half = rng.uniform(0.6, 1.0)
    solids = (
        part(palette.metal, (-half, half), (0, 0.02), (0.95, 2.05)),
        part(palette.white, (0.03 - half, half - 0.03), (0, 0.024), (0.98, 2.02)),
        part(palette.metal, (-half / 2, half / 2), (0.02, 0.09), (0.93, 0.95)),
        part(palette.accent(rng), (-0.1, 0.02), (0.03, 0.055), (0.95, 0.97)),
    )
    return Piece("whiteboard", solids)
