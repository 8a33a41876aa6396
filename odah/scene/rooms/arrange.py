"""Puts things along the walls where they touch neither each other, nor the person, nor a camera."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from odah.scene.camera import Camera
from odah.scene.rooms.occlusion import Occlusion
from odah.scene.rooms.piece import Piece
from odah.scene.solids import solid_corners
from odah.scene.types import Furniture, Room, Solid, Surface

PERSON_MARGIN, CAMERA_MARGIN = 0.25, 0.4
"""Space left around what the person sweeps and around cameras, m."""
WALL_BACK = 0.022
"""How far furniture stays from a wall: as thick as the skirting and the rail of a wall cover, m."""
_INWARD = np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, -1.0], [0.0, 1.0]])
_BLANK = Surface("plain", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), 1.0, 1.0, 0)


class Arranger:
    """Keeps account of what is where; boxes are (low, high), (3,) each, in the room's own axes, m."""

    def __init__(
        self, room: Room, points: np.ndarray, cameras: Sequence[Camera], max_occlusion: float
    ) -> None:
        self.room = room
        self.furniture: list[Furniture] = []
        self._boxes: list[tuple[np.ndarray, np.ndarray]] = []
        self._person = (points[:, :2] - room.center) @ room.axes.T
        self._person_top = float(points[:, 2].max())
        self._cameras = [(camera.position[:2] - room.center) @ room.axes.T for camera in cameras]
        self._occlusion = Occlusion(points, cameras, max_occlusion)
        self._wall_chances = self._chances(cameras)

    def wall_length(self, wall: int) -> float:
        """Of one of the four walls, in the order of `Room.walls`, m."""
        return self.room.size[1] if wall < 2 else self.room.size[0]

    def add(self, things: Iterable[Furniture]) -> None:
        """Take in what stands somewhere already; nothing else will be put there."""
        for thing in things:
            corners = np.concatenate([solid_corners(solid) for solid in thing.solids])
            local = (corners[:, :2] - self.room.center) @ self.room.axes.T
            low = np.append(local.min(0), corners[:, 2].min())
            self._boxes.append((low, np.append(local.max(0), corners[:, 2].max())))
            self.furniture.append(thing)

    def put_somewhere(self, rng: np.random.Generator, piece: Piece, tries: int = 12) -> bool:
        """Put a piece at a random place along a wall where it fits; whether there was one."""
        for _ in range(tries):
            wall = int(rng.choice(4, p=self._wall_chances))
            half = self.wall_length(wall) / 2
            start, end = -half - piece.low[0] + 0.03, half - piece.high[0] - 0.03
            along, away = rng.uniform(size=2)
            if start <= end and self.put(
                piece, wall, start + along * (end - start), WALL_BACK + away * piece.gap
            ):
                return True
        return False

    def put(self, piece: Piece, wall: int, along: float, away: float = 0.0) -> bool:
        """Put a piece at a wall, `along` from its middle and `away` from it, m; whether it fits there.

        What is between it and the wall counts as taken.
        """
        place, turn = self._wall_frame(wall, along, away)
        back = np.array([piece.low[0], -away, piece.low[2]])
        low, high = _turned_box(back, np.add(piece.high, [0.0, piece.front, 0.0]), place, turn)
        if not self._is_free(low, high):
            return False
        thing = piece.put(self._to_world(place), turn + self.room.yaw)
        solid_low, solid_high = _turned_box(piece.low, piece.high, place, turn)
        middle = (solid_low + solid_high) / 2
        box = Solid(
            "box", tuple(self._to_world(middle)), tuple(solid_high - solid_low), self.room.yaw, _BLANK
        )
        if not self._occlusion.accept(thing.solids, box):
            return False
        self.furniture.append(thing)
        self._boxes.append((low, high))
        return True

    def fix(self, piece: Piece, wall: int) -> None:
        """Put what belongs to a wall onto it: it is in nobody's way."""
        place, turn = self._wall_frame(wall, 0.0, 0.0)
        self.furniture.append(piece.put(self._to_world(place), turn + self.room.yaw))

    def lay(self, kind: str, decals: Sequence[Solid]) -> None:
        """Put flat things on the floor where the person is; their x is the longer way of that space."""
        low, high = self._person.min(0), self._person.max(0)
        turn = 0.0 if high[0] - low[0] >= high[1] - low[1] else np.pi / 2
        place = np.append((low + high) / 2, 0.0)
        kept = []
        for decal in decals:
            thing = Piece(kind, (decal,)).put(self._to_world(place), turn + self.room.yaw)
            if self.room.contains(solid_corners(thing.solids[0]) * [1, 1, 0], 0.03).all():
                kept += thing.solids
        if kept:
            self.furniture.append(Furniture(kind, tuple(kept)))

    def _chances(self, cameras: Sequence[Camera]) -> np.ndarray:
        """(4,) of the walls: by length, and more for those that a camera looks at."""
        looks = np.array([camera.T_world_cam[:2, 2] @ self.room.axes.T for camera in cameras]).reshape(-1, 2)
        seen = (looks @ -_INWARD.T > 0.4).sum(0)
        chances = np.array([self.wall_length(wall) for wall in range(4)]) * (1 + 2 * seen)
        return chances / chances.sum()

    def _wall_frame(self, wall: int, along: float, away: float) -> tuple[np.ndarray, float]:
        """A piece's origin (3,) and turn, rad, in the room's own axes."""
        inward = _INWARD[wall]
        tangent = np.array([inward[1], -inward[0]])
        depth = self.room.size[0 if wall < 2 else 1] / 2
        place = -inward * depth + inward * away + tangent * along
        return np.append(place, 0.0), float(np.arctan2(tangent[1], tangent[0]))

    def _to_world(self, local: np.ndarray) -> np.ndarray:
        return np.append(local[:2] @ self.room.axes + self.room.center, local[2])

    def _is_free(self, low: np.ndarray, high: np.ndarray) -> bool:
        half = np.array(self.room.size[:2]) / 2 + 1e-6
        if (low[:2] < -half).any() or (high[:2] > half).any() or high[2] > self.room.size[2] - 0.04:
            return False
        if any(((low < other_high) & (high > other_low)).all() for other_low, other_high in self._boxes):
            return False
        if any((np.abs(c - np.clip(c, low[:2], high[:2])) < CAMERA_MARGIN).all() for c in self._cameras):
            return False
        is_below = low[2] < self._person_top + PERSON_MARGIN
        return not (is_below and _touches(self._person, low[:2] - PERSON_MARGIN, high[:2] + PERSON_MARGIN))


def _turned_box(
    low: np.ndarray, high: np.ndarray, place: np.ndarray, turn: float
) -> tuple[np.ndarray, np.ndarray]:
    """A box (low, high) turned by a multiple of 90 degrees and moved."""
    c, s = round(np.cos(turn)), round(np.sin(turn))
    corners = np.array([low, high]) @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    return corners.min(0) + place, corners.max(0) + place


def _touches(points: np.ndarray, low: np.ndarray, high: np.ndarray) -> bool:
    """Whether the convex hull of points (P, 2) meets a rectangle: no line between them separates the two."""
    angles = np.linspace(0, np.pi, 36, endpoint=False)
    normals = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    corners = np.array([(x, y) for x in (low[0], high[0]) for y in (low[1], high[1])])
    a, b = points @ normals.T, corners @ normals.T
    return not ((a.max(0) < b.min(0)) | (a.min(0) > b.max(0))).any()
