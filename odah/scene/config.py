"""Ranges a scene is drawn from; the defaults are the ODAH paper's, section 3.4, where it names a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Range = tuple[float, float]


@dataclass(frozen=True)
class CameraConfig:
    """Two static cameras, "front" and "side".

    height: mean and largest deviation, m (paper: 1.1 +- 0.1). position_offset: largest horizontal shift, m.
    aim_offset_deg: largest error of aim, each of yaw and pitch. margin: part of the picture's size kept free
    of the person at every edge. min_distance: to the nearest point of the person, m. side: which side of the
    person the side camera stands on.
    """

    width: int = 1080
    height_px: int = 720
    focal_length_mm: float = 33.0
    sensor_width_mm: float = 36.0
    height: Range = (1.1, 0.1)
    position_offset: float = 0.15
    aim_offset_deg: float = 1.5
    margin: float = 0.06
    min_distance: float = 1.5
    side: Literal["right", "left"] = "right"


@dataclass(frozen=True)
class RoomConfig:
    """clearance: from the cameras and the person to the walls, m. height: floor to ceiling, m.

    yaw_deg: largest rotation of the walls away from the person's heading.
    """

    clearance: Range = (0.6, 2.2)
    height: Range = (2.7, 3.6)
    yaw_deg: float = 20.0


@dataclass(frozen=True)
class LightConfig:
    """number: fewest and most lamps. edge: of a lamp, m. temperature: K.

    irradiance: of the floor, by the lamps and by light that bounced off the room, W/m^2; it stands for the
    exposure a camera would choose. variation: largest relative deviation of one lamp's power from the mean.
    white_temperature: the cameras' white balance, K.
    """

    number: tuple[int, int] = (4, 9)
    edge: Range = (0.25, 1.0)
    temperature: Range = (4000.0, 6300.0)
    temperature_spread: float = 300.0
    irradiance: Range = (7.0, 10.0)
    variation: float = 0.4
    white_temperature: float = 5000.0


@dataclass(frozen=True)
class SceneConfig:
    """Everything a scene is drawn from besides the person."""

    camera: CameraConfig = CameraConfig()
    room: RoomConfig = RoomConfig()
    light: LightConfig = LightConfig()
