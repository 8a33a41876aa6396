"""The description of a scene: plain values that say everything the renderer needs besides the person."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from odah.errors import InputError
from odah.scene.camera import Camera

Pattern = Literal["planks", "tiles", "concrete", "carpet", "plaster", "paint", "bricks"]
Place = Literal["floor", "wall", "ceiling"]
Color = tuple[float, float, float]


@dataclass(frozen=True)
class Surface:
    """A floor, wall or ceiling: a procedural pattern, drawn from its seed.

    color, second_color: linear RGB; the second one is grout, dark grain or stain.
    tile_size: metres covered by one repetition of the pattern's picture.
    roughness: 0 mirror to 1 matt.
    """

    pattern: Pattern
    color: Color
    second_color: Color
    tile_size: float
    roughness: float
    seed: int

    @property
    def mean_color(self) -> Color:
        """Linear RGB of the whole pattern, roughly: four parts colour, one part second colour."""
        r, g, b = (0.8 * c + 0.2 * d for c, d in zip(self.color, self.second_color, strict=True))
        return r, g, b


@dataclass(frozen=True)
class Room:
    """A box whose floor is at height 0.

    center: (x, y) of the floor's middle, world, m. size: length, width, height, m.
    yaw: rotation of the box about world Z, rad. walls: +x, -x, +y, -y side of the box.
    """

    center: tuple[float, float]
    size: tuple[float, float, float]
    yaw: float
    floor: Surface
    walls: tuple[Surface, Surface, Surface, Surface]
    ceiling: Surface

    @property
    def axes(self) -> np.ndarray:
        """(2, 2), rows are the box's horizontal axes in world."""
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        return np.array([[c, s], [-s, c]])

    def contains(self, points: np.ndarray, margin: float = 0.0) -> np.ndarray:
        """Which world points (..., 3) are at least `margin` m away from every wall and from the ceiling."""
        horizontal = np.abs((points[..., :2] - self.center) @ self.axes.T)
        inside = (horizontal <= np.array(self.size[:2]) / 2 - margin).all(-1)
        return inside & (points[..., 2] <= self.size[2] - margin)


@dataclass(frozen=True)
class AreaLight:
    """A rectangular lamp below the ceiling that shines down.

    position: world, m. size: its two edges, m. yaw: about world Z, rad. power: radiant flux, W.
    color: linear RGB of luminance 1. temperature: of the black body the colour was taken from, K.
    """

    position: tuple[float, float, float]
    size: tuple[float, float]
    yaw: float
    power: float
    color: Color
    temperature: float


@dataclass(frozen=True, eq=False)
class Scene:
    """Everything in front of and around the person.

    rate: frames per second. exposure: photographic stops added to the picture. seed: of the sampling noise.
    """

    cameras: tuple[Camera, ...]
    lights: tuple[AreaLight, ...]
    room: Room
    rate: float
    exposure: float = 0.0
    seed: int = 0

    def camera(self, name: str) -> Camera:
        """The camera of one view.

        Raises:
            InputError: there is none of that name.
        """
        for camera in self.cameras:
            if camera.name == name:
                return camera
        raise InputError("scene", f"no camera {name!r}", f"one of {[camera.name for camera in self.cameras]}")

    def to_dict(self) -> dict[str, Any]:
        """Only numbers, strings, lists and dictionaries, for JSON."""
        return {
            "cameras": [camera.to_dict() for camera in self.cameras],
            "lights": [asdict(light) for light in self.lights],
            "room": asdict(self.room),
            "rate": self.rate,
            "exposure": self.exposure,
            "seed": self.seed,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Scene:
        """Inverse of `to_dict`, also after a round trip through JSON.

        Raises:
            InputError: a field is missing or unknown.
        """
        try:
            return cls(
                cameras=tuple(Camera.from_dict(camera) for camera in values["cameras"]),
                lights=tuple(AreaLight(**_tuples(light)) for light in values["lights"]),
                room=_room_from_dict(values["room"]),
                rate=values["rate"],
                exposure=values["exposure"],
                seed=values["seed"],
            )
        except (KeyError, TypeError) as error:
            raise InputError("scene", f"{error}", "the fields Scene.to_dict writes") from error


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}


def _room_from_dict(values: dict[str, Any]) -> Room:
    surfaces = {key: Surface(**_tuples(values[key])) for key in ("floor", "ceiling")}
    walls = tuple(Surface(**_tuples(wall)) for wall in values["walls"])
    return Room(**_tuples({**values, **surfaces, "walls": walls}))
