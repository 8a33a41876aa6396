"""Furnishes a room: what is on its walls first, then doors and windows, then things."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from odah.scene.camera import Camera
from odah.scene.config import RoomConfig
from odah.scene.rooms import fittings
from odah.scene.rooms.arrange import Arranger
from odah.scene.rooms.kinds import STYLES
from odah.scene.rooms.piece import Palette, Piece
from odah.scene.rooms.style import RoomStyle
from odah.scene.surfaces import sample_surface
from odah.scene.types import Furniture, Room


def furnish(
    rng: np.random.Generator,
    config: RoomConfig,
    room: Room,
    points: np.ndarray,
    cameras: Sequence[Camera],
    props: Sequence[Furniture] = (),
) -> tuple[Furniture, ...]:
    """Furniture for a room: out of the way of points (P, 3) that the person sweeps, of cameras and of props.

    props: things that stand somewhere already; they come first in what is returned.
    """
    if room.is_open:
        return tuple(props)
    style = STYLES[room.kind]
    palette = Palette.sample(rng)
    arranger = Arranger(room, points, cameras, config.max_occlusion)
    arranger.add(props)
    _face_walls(rng, arranger, style, palette)
    if style.signature:
        _put_windows(rng, arranger, style, palette)
        arranger.put_somewhere(rng, fittings.door(rng, palette), tries=30)
        _put_things(rng, arranger, style, palette, config.density)
    if style.decals is not None:
        extent = np.ptp((points[:, :2] - room.center) @ room.axes.T, axis=0)
        arranger.lay("floor", style.decals(rng, palette, np.sort(extent)[::-1]))
    return tuple(arranger.furniture)


def _face_walls(rng: np.random.Generator, arranger: Arranger, style: RoomStyle, palette: Palette) -> None:
    """Skirting everywhere; with a chance the lower part of all walls in another look."""
    height = rng.uniform(0.06, 0.12)
    is_covered = rng.random() < style.cover
    cover, top = sample_surface(rng, style.covers or ("paint",)), rng.uniform(0.9, 1.35)
    for wall in range(4):
        length = arranger.wall_length(wall)
        arranger.fix(fittings.skirting(length, height, palette.trim), wall)
        if is_covered:
            arranger.fix(fittings.wall_cover(length, top, cover, palette.trim), wall)


def _put_windows(rng: np.random.Generator, arranger: Arranger, style: RoomStyle, palette: Palette) -> None:
    """Equal windows at equal distances in up to two walls."""
    walls = rng.permutation(4)[: rng.choice(3, p=style.windows)]
    sill, top = rng.choice([0.3, 0.9, 0.9, 1.0]), min(rng.uniform(2.1, 2.5), arranger.room.size[2] - 0.25)
    width, has_curtains = rng.uniform(0.8, 1.9), rng.random() < style.curtains
    pane = fittings.window(rng, palette, width, float(sill), top)
    if has_curtains:
        drapes = fittings.curtains(rng, palette, width, top + 0.1)
        pane = Piece("window", pane.solids + drapes.solids)
    for wall in walls.tolist():
        length = arranger.wall_length(wall)
        room_for = max(1, int(length / (pane.high[0] - pane.low[0] + 0.4)))
        number = int(rng.integers(1, min(3, room_for) + 1))
        for index in range(number):
            arranger.put(pane, wall, ((index + 0.5) / number - 0.5) * length)


def _put_things(
    rng: np.random.Generator, arranger: Arranger, style: RoomStyle, palette: Palette, density: float
) -> None:
    """What makes the room, then some of what it may have, then what hangs on the walls."""
    extras = [style.extras[index] for index in rng.permutation(len(style.extras))]
    wanted = [*style.signature, *extras[: round(density * len(extras))]]
    for maker in wanted if density > 0 else ():
        arranger.put_somewhere(rng, maker(rng, palette))
    for maker in style.hangings if density > 0 else ():
        arranger.put_somewhere(rng, maker(rng, palette), tries=4)
