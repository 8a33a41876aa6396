"""Furniture before it has a place: solids in a frame of their own, and the surfaces a room's things share.

The frame of a piece: x along the wall, y away from the wall into the room, z up; the middle of its back edge
on the floor is the origin.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from odah.scene.solids import solid_corners
from odah.scene.surfaces import sample_surface
from odah.scene.types import Furniture, Shape, Solid, Surface

Span = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Piece:
    """A thing to be put somewhere.

    front: space before it that other things leave free, m. gap: largest distance from its wall, m.
    """

    kind: str
    solids: tuple[Solid, ...]
    front: float = 0.0
    gap: float = 0.02
    low: np.ndarray = field(init=False)
    high: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        corners = np.concatenate([solid_corners(solid) for solid in self.solids])
        object.__setattr__(self, "low", corners.min(0))
        object.__setattr__(self, "high", corners.max(0))

    def put(self, origin: np.ndarray, yaw: float) -> Furniture:
        """The piece with its origin (3,) at a place in world and its frame turned by `yaw`, rad."""
        return Furniture(self.kind, tuple(moved(solid, origin, yaw) for solid in self.solids))


def moved(solid: Solid, origin: np.ndarray, yaw: float = 0.0) -> Solid:
    """A solid in a frame from which its own is turned by `yaw`, rad, and moved by `origin` (3,), m."""
    c, s = np.cos(yaw), np.sin(yaw)
    x, y, z = solid.position
    position = (
        float(c * x - s * y + origin[0]),
        float(s * x + c * y + origin[1]),
        float(z + origin[2]),
    )
    return replace(solid, position=position, yaw=float(solid.yaw + yaw))


def part(surface: Surface, x: Span, y: Span, z: Span, shape: Shape = "box") -> Solid:
    """A solid that fills these spans, m."""
    spans = (x, y, z)
    position = tuple((a + b) / 2 for a, b in spans)
    size = tuple(b - a for a, b in spans)
    return Solid(shape, position, size, 0.0, surface)  # pyright: ignore[reportArgumentType]


def post(surface: Surface, x: float, y: float, z: Span, width: float, shape: Shape = "box") -> Solid:
    """An upright around (x, y), m."""
    half = width / 2
    return part(surface, (x - half, x + half), (y - half, y + half), z, shape)


def legs(surface: Surface, x: Span, y: Span, z: Span, width: float, shape: Shape = "box") -> list[Solid]:
    """Four uprights just inside the corners of a footprint, m."""
    half = width / 2
    return [
        post(surface, px, py, z, width, shape)
        for px in (x[0] + half, x[1] - half)
        for py in (y[0] + half, y[1] - half)
    ]


@dataclass(frozen=True)
class Palette:
    """The surfaces of one room's furniture: few, so that a room looks of one piece and renders fast."""

    wood: Surface
    metal: Surface
    white: Surface
    black: Surface
    cloth: Surface
    seat: Surface
    accents: tuple[Surface, Surface, Surface]
    trim: Surface

    def accent(self, rng: np.random.Generator) -> Surface:
        """One of the strong colours."""
        return self.accents[rng.integers(len(self.accents))]

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Palette:
        """A random one."""

        def draw(*looks: str) -> Surface:
            return sample_surface(rng, looks)

        return cls(
            wood=draw("light wood", "light wood", "dark wood"),
            metal=draw("steel", "grey", "white", "black"),
            white=draw("white"),
            black=draw("black"),
            cloth=draw("fabric"),
            seat=draw("leatherette"),
            accents=(draw("color"), draw("color"), draw("color")),
            trim=draw("white", "white", "light wood", "dark wood", "grey"),
        )
