"""A consulting room: couch, curtain, cupboards, basin."""

from __future__ import annotations

import numpy as np

from odah.scene.rooms.fittings import clock, picture, poster, radiator
from odah.scene.rooms.furniture import bin_, chair, cupboard, desk, plant, stool
from odah.scene.rooms.piece import Palette, Piece, legs, part, post
from odah.scene.rooms.style import RoomStyle
from odah.scene.surfaces import sample_surface


def couch(rng: np.random.Generator, palette: Palette) -> Piece:
    """An examination couch, 0.7 m high, with its head raised and paper across."""
    x, y = (-0.95, 0.95), (0.0, 0.66)
    head = 0.95 - 0.55
    solids = legs(palette.metal, (x[0] + 0.1, x[1] - 0.1), (0.06, 0.6), (0, 0.58), 0.05)
    solids.append(part(palette.metal, (-0.85, 0.85), (0.06, 0.6), (0.2, 0.24)))
    solids.append(part(palette.white, x, (0.02, 0.64), (0.57, 0.61)))
    solids.append(part(palette.seat, (x[0], head), y, (0.61, 0.7)))
    rise = rng.choice([0.0, 0.06])
    solids.append(part(palette.seat, (head + 0.02, x[1]), y, (0.61, 0.72 + rise)))
    solids.append(part(palette.white, (x[0] + 0.05, head), (0.12, 0.54), (0.7, 0.703)))
    solids.append(
        part(palette.white, (x[1] - 0.4, x[1] - 0.08), (0.1, 0.56), (0.72 + rise, 0.82 + rise), "ball")
    )
    return Piece("couch", tuple(solids))


def curtain(rng: np.random.Generator, palette: Palette) -> Piece:
    """A curtain drawn along the wall on a rail with brackets."""
    half, cloth = rng.uniform(0.7, 1.3), sample_surface(rng, ("curtain",))
    open_to = half * rng.uniform(-0.6, 1.0)
    solids = [
        part(palette.metal, (-half, half), (0.24, 0.27), (2.15, 2.18), "rod"),
        part(cloth, (-half, open_to), (0.235, 0.275), (0.25, 2.15)),
        *(part(palette.metal, (x, x + 0.02), (0, 0.26), (2.155, 2.175)) for x in (-half, half - 0.02)),
    ]
    return Piece("curtain", tuple(solids), gap=0.0)


def basin(rng: np.random.Generator, palette: Palette) -> Piece:
    """A basin on a cupboard, tap, splashback, soap and towels above."""
    half, back = rng.uniform(0.3, 0.45), sample_surface(rng, ("wall tiles",))
    solids = [
        part(back, (-half - 0.1, half + 0.1), (0, 0.012), (0.8, 1.45)),
        part(palette.white, (-half, half), (0, 0.45), (0.1, 0.78)),
        part(palette.black, (0.03 - half, half - 0.03), (0, 0.4), (0, 0.1)),
        part(palette.white, (-half - 0.02, half + 0.02), (0, 0.5), (0.78, 0.9)),
        part(palette.metal, (0.07 - half, half - 0.07), (0.1, 0.42), (0.895, 0.903)),
        post(palette.metal, 0, 0.05, (0.9, 1.1), 0.03, "cylinder"),
        part(palette.metal, (-0.012, 0.012), (0.05, 0.2), (1.08, 1.105)),
        part(palette.white, (half - 0.15, half), (0.012, 0.13), (1.2, 1.45)),
        part(palette.accent(rng), (-half, 0.12 - half), (0.012, 0.11), (1.18, 1.42)),
        *(part(palette.metal, (x, x + 0.015), (0.45, 0.47), (0.4, 0.6)) for x in (-0.05, 0.035)),
    ]
    return Piece("basin", tuple(solids), front=0.3)


def trolley(rng: np.random.Generator, palette: Palette) -> Piece:
    """Two trays on castors with bottles and boxes."""
    x, y = (-0.3, 0.3), (0.02, 0.45)
    solids = legs(palette.metal, x, y, (0.06, 0.9), 0.025)
    solids += [part(palette.metal, x, y, (z, z + 0.025)) for z in (0.25, 0.84)]
    solids += legs(palette.black, x, y, (0, 0.06), 0.05)
    for px in np.linspace(-0.22, 0.22, int(rng.integers(2, 5))).tolist():
        height, width = rng.uniform(0.08, 0.22), rng.uniform(0.06, 0.1)
        shape = "cylinder" if rng.random() < 0.5 else "box"
        surface = palette.accent(rng) if rng.random() < 0.5 else palette.white
        solids.append(post(surface, px, rng.uniform(0.12, 0.34), (0.865, 0.865 + height), width, shape))
    return Piece("trolley", tuple(solids), gap=0.15)


def screen(rng: np.random.Generator, palette: Palette) -> Piece:
    """A folding screen of three cloth panels in a frame."""
    cloth = sample_surface(rng, ("curtain", "fabric"))
    solids = []
    for x in (-0.6, 0.0, 0.6):
        solids.append(part(cloth, (x - 0.27, x + 0.27), (0.1, 0.112), (0.3, 1.65)))
        solids += [
            part(palette.white, (x - 0.29, x + 0.29), (0.09, 0.12), (z, z + 0.03)) for z in (0.27, 1.65)
        ]
        solids += [post(palette.white, x + side, 0.105, (0, 1.68), 0.03) for side in (-0.28, 0.28)]
    return Piece("screen", tuple(solids), gap=0.1)


def wheeled_stool(rng: np.random.Generator, palette: Palette) -> Piece:
    """A round stool."""
    solids = stool((0.0, 0.25), rng.uniform(0.45, 0.6), rng.uniform(0, 1), palette.seat).solids
    return Piece("stool", solids, gap=0.5)


def scales(rng: np.random.Generator, palette: Palette) -> Piece:
    """A platform scale with a rod to measure height."""
    solids = (
        part(palette.white, (-0.18, 0.18), (0.04, 0.5), (0, 0.08)),
        part(palette.black, (-0.16, 0.16), (0.1, 0.48), (0.08, 0.085)),
        post(palette.metal, 0, 0.06, (0.08, 1.95), 0.045),
        part(palette.white, (-0.14, 0.14), (0.04, 0.1), (1.0, 1.12)),
        part(palette.metal, (-0.02, 0.02), (0.06, 0.3), (rng.uniform(1.5, 1.9), 1.92)),
    )
    return Piece("scales", solids)


STYLE = RoomStyle(
    floors=("vinyl", "vinyl", "terrazzo", "tiles"),
    walls=("clinic paint", "clinic paint", "plaster"),
    signature=(couch, curtain, basin, cupboard, poster),
    extras=(trolley, screen, wheeled_stool, scales, desk, chair, chair, bin_, plant, cupboard, radiator),
    hangings=(poster, clock, picture, poster),
    covers=("strong paint", "clinic paint", "wall tiles", "panels"),
    windows=(0.3, 0.6, 0.1),
    cover=0.5,
    curtains=0.3,
)
