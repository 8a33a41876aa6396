"""The description of a scene: plain values that say everything the renderer needs besides the person."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np

from odah.errors import InputError
from odah.scene.camera import Camera

Pattern = Literal[
    "planks",
    "tiles",
    "concrete",
    "carpet",
    "plaster",
    "paint",
    "bricks",
    "plain",
    "vinyl",
    "rubber",
    "herringbone",
    "terrazzo",
    "wallpaper",
    "panels",
    "fabric",
    "wood",
    "folds",
    "grass",
    "window",
]
Color = tuple[float, float, float]
Shape = Literal["box", "cylinder", "rod", "ball"]
Hdri = Literal["city", "courtyard", "forest", "interior", "night", "studio", "sunrise", "sunset"]
"""The surroundings that come with Blender."""
RoomKind = Literal["plain", "gait_lab", "clinic", "gym", "living_room", "outdoor", "studio"]
"""The last two are open sets: ground and surroundings."""


@dataclass(frozen=True)
class Surface:
    """What something is faced with: a procedural pattern, drawn from its seed.

    color, second_color: linear RGB; the second one is grout, dark grain or stain.
    tile_size: metres covered by one repetition of the pattern's picture.
    roughness: 0 mirror to 1 matt. metallic: 0 or 1.
    glow: radiance that the camera sees on top of what is reflected, W/(m^2 sr); it lights nothing itself. A
        "window" shows the scene's surroundings instead, if there are any.
    """

    pattern: Pattern
    color: Color
    second_color: Color
    tile_size: float
    roughness: float
    seed: int
    metallic: float = 0.0
    glow: float = 0.0

    @property
    def mean_color(self) -> Color:
        """Linear RGB of the whole pattern, roughly: four parts colour, one part second colour."""
        r, g, b = (0.8 * c + 0.2 * d for c, d in zip(self.color, self.second_color, strict=True))
        return r, g, b


@dataclass(frozen=True)
class Solid:
    """A box or something round that fills a box.

    position: of its middle, world, m. size: length, width, height, m. yaw: about world Z, rad.
    shape: a "cylinder" stands, a "rod" is a cylinder that lies along its length.
    """

    shape: Shape
    position: tuple[float, float, float]
    size: tuple[float, float, float]
    yaw: float
    surface: Surface


@dataclass(frozen=True)
class Furniture:
    """A thing in a room, whole: also a window with its frame, or lines on the floor."""

    kind: str
    solids: tuple[Solid, ...]


@dataclass(frozen=True)
class Environment:
    """What is around an open set or behind the windows: a picture of all directions.

    hdri: one of `Hdri`. strength: what falls on a small ball, averaged over its surface, W/m^2: the picture
    is scaled to it, for Blender's versions ship pictures of different brightness. yaw: about world Z, rad.

    Raises:
        InputError: no such surroundings.
    """

    hdri: str
    strength: float
    yaw: float

    def __post_init__(self) -> None:
        if self.hdri not in get_args(Hdri):
            raise InputError("environment, hdri", repr(self.hdri), f"one of {', '.join(get_args(Hdri))}")


@dataclass(frozen=True)
class Room:
    """A box whose floor is at height 0, or open ground.

    center: (x, y) of the floor's middle, world, m. size: length, width, height, m.
    yaw: rotation of the box about world Z, rad. walls: +x, -x, +y, -y side of the box; none in the open,
    where the ceiling does not count. kind: which sort of room.
    """

    center: tuple[float, float]
    size: tuple[float, float, float]
    yaw: float
    floor: Surface
    walls: tuple[Surface, ...]
    ceiling: Surface
    kind: str = "plain"

    @property
    def is_open(self) -> bool:
        """Whether there are no walls."""
        return not self.walls

    @property
    def axes(self) -> np.ndarray:
        """(2, 2), rows are the box's horizontal axes in world."""
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        return np.array([[c, s], [-s, c]])

    def contains(self, points: np.ndarray, margin: float = 0.0) -> np.ndarray:
        """Which world points (..., 3) are at least `margin` m away from every wall and from the ceiling."""
        if self.is_open:
            return np.ones(points.shape[:-1], bool)
        horizontal = np.abs((points[..., :2] - self.center) @ self.axes.T)
        inside = (horizontal <= np.array(self.size[:2]) / 2 - margin).all(-1)
        return inside & (points[..., 2] <= self.size[2] - margin)


@dataclass(frozen=True)
class AreaLight:
    """A rectangle that shines to one side: a lamp below the ceiling, a window, the top of a floor lamp.

    position: world, m. size: its two edges, m. yaw: about world Z, rad. power: radiant flux, W.
    color: linear RGB of luminance 1. temperature: of the black body the colour was taken from, K.
    pitch: 0 shines down; pi / 2 shines horizontally, along `yaw`, its first edge then being the upright one;
        pi shines up. rad.
    """

    position: tuple[float, float, float]
    size: tuple[float, float]
    yaw: float
    power: float
    color: Color
    temperature: float
    pitch: float = 0.0


@dataclass(frozen=True, eq=False)
class Scene:
    """Everything in front of and around the person.

    rate: frames per second. exposure: photographic stops added to the picture. seed: of the sampling noise.
    calibrated: the cameras as a calibration would tell them, in the order of `cameras`; empty if it is right.
    """

    cameras: tuple[Camera, ...]
    lights: tuple[AreaLight, ...]
    room: Room
    rate: float
    exposure: float = 0.0
    seed: int = 0
    furniture: tuple[Furniture, ...] = ()
    environment: Environment | None = None
    calibrated: tuple[Camera, ...] = ()

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
            "furniture": [asdict(thing) for thing in self.furniture],
            "environment": None if self.environment is None else asdict(self.environment),
            "calibrated": [camera.to_dict() for camera in self.calibrated],
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
                furniture=tuple(_furniture_from_dict(thing) for thing in values.get("furniture", ())),
                environment=Environment(**values["environment"]) if values.get("environment") else None,
                calibrated=tuple(Camera.from_dict(camera) for camera in values.get("calibrated", ())),
            )
        except (KeyError, TypeError) as error:
            raise InputError("scene", f"{error}", "the fields Scene.to_dict writes") from error


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}


def _furniture_from_dict(values: dict[str, Any]) -> Furniture:
    solids = [
        Solid(**_tuples({**solid, "surface": Surface(**_tuples(solid["surface"]))}))
        for solid in values["solids"]
    ]
    return Furniture(values["kind"], tuple(solids))


def _room_from_dict(values: dict[str, Any]) -> Room:
    surfaces = {key: Surface(**_tuples(values[key])) for key in ("floor", "ceiling")}
    walls = tuple(Surface(**_tuples(wall)) for wall in values["walls"])
    return Room(**_tuples({**values, **surfaces, "walls": walls}))
