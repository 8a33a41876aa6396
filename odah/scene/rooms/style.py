"""What tells one kind of room from another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from odah.scene.rooms.piece import Palette, Piece
from odah.scene.types import Solid

Maker = Callable[[np.random.Generator, Palette], Piece]
FloorMaker = Callable[[np.random.Generator, Palette, np.ndarray], list[Solid]]


@dataclass(frozen=True)
class RoomStyle:
    """Looks by name, and makers of what stands in the room, hangs on its walls, lies on its floor.

    signature: things without which the room would not be one; every one of them is tried. extras: drawn from.
    windows: chances of 0, 1, 2 walls with windows. cover: chance of walls with a lower part of another look.
    curtains: chance at each window. decals: gets the (2,) length and width of the space people move in, m.
    """

    floors: tuple[str, ...]
    walls: tuple[str, ...]
    signature: tuple[Maker, ...] = ()
    extras: tuple[Maker, ...] = ()
    hangings: tuple[Maker, ...] = ()
    covers: tuple[str, ...] = ()
    windows: tuple[float, float, float] = (1.0, 0.0, 0.0)
    cover: float = 0.0
    curtains: float = 0.0
    decals: FloorMaker | None = None
