"""Ranges a scene is drawn from; the defaults are the ODAH paper's, section 3.4, where it names a number."""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import AfterValidator, Field

from odah.scene.camera_config import CameraConfig
from odah.scene.types import Hdri, RoomKind
from odah.sections import NonNegative, Positive, PositiveRange, Range, Section, Share


def _one_or_more(bounds: tuple[int, int]) -> tuple[int, int]:
    if not 1 <= bounds[0] <= bounds[1]:
        raise ValueError(f"two whole numbers in order, from 1 up, but they are {bounds[0]} and {bounds[1]}")
    return bounds


class RoomConfig(Section):
    """kinds: the rooms to draw from, all as likely. clearance: from cameras and person to the walls, m.

    height: floor to ceiling, m. yaw_deg: largest rotation of the walls away from the person's heading.
    density: share of a room's possible furniture that is put up. max_occlusion: largest share of the space
    the person sweeps, as each camera sees it, that furniture may hide.
    """

    kinds: Annotated[tuple[RoomKind, ...], Field(min_length=1)] = (
        "gait_lab",
        "clinic",
        "gym",
        "living_room",
        "outdoor",
        "studio",
    )
    clearance: PositiveRange = (0.9, 2.4)
    height: PositiveRange = (2.7, 3.6)
    yaw_deg: NonNegative = 20.0
    density: Share = 0.8
    max_occlusion: Share = 0.0


class LightConfig(Section):
    """number: fewest and most lamps. edge: of a lamp, m. temperature: K.

    irradiance: of the floor, by the lamps and by light that bounced off the room, W/m^2; it stands for the
    exposure a camera would choose. variation: largest relative deviation of one lamp's power from the mean.
    white_temperature: the cameras' white balance, K. daylight: share of all light that comes in by the
    windows, where there are any. daylight_temperature: K. hdris: the surroundings to draw from, outdoors and
    behind windows; open sets have no other light.
    """

    number: Annotated[tuple[int, int], AfterValidator(_one_or_more)] = (4, 9)
    edge: PositiveRange = (0.25, 1.0)
    temperature: PositiveRange = (4000.0, 6300.0)
    temperature_spread: NonNegative = 300.0
    irradiance: PositiveRange = (7.0, 10.0)
    variation: Share = 0.4
    white_temperature: Positive = 5000.0
    daylight: Range = (0.15, 0.5)
    daylight_temperature: PositiveRange = (5200.0, 7500.0)
    hdris: Annotated[tuple[Hdri, ...], Field(min_length=1)] = get_args(Hdri)


class SceneConfig(Section):
    """Everything a scene is drawn from besides the person. picture_size: width and height of videos, px."""

    picture_size: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] = (1080, 720)
    camera: CameraConfig = CameraConfig()
    room: RoomConfig = RoomConfig()
    light: LightConfig = LightConfig()
