"""Where cameras may stand and what they are; the defaults are the ODAH paper's, section 3.4."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from odah.scene.stress import StressConfig
from odah.sections import NonNegative, Positive, Section

UpAxis = Literal["x", "y", "z", "-x", "-y", "-z"]
_Elevation = Annotated[float, Field(ge=0, le=60)]


def _above_floor(height: tuple[float, float]) -> tuple[float, float]:
    if height[0] <= height[1]:
        raise ValueError("a deviation that leaves the cameras above the floor")
    return height


class RingConfig(Section):
    """Views round the person, all aimed at them: the names are view0, view1, ..."""

    count: Annotated[int, Field(ge=1, le=100)] = 4
    start_deg: Annotated[float, Field(ge=-360, le=360)] = 0.0
    """Where the first one stands: 0 before the person's face, 90 on their left."""
    arc_deg: Annotated[float, Field(gt=0, le=360)] = 360.0
    """From the first camera to the last, towards the person's left; 360 spreads them all round."""
    elevation_deg: tuple[_Elevation, _Elevation] | None = None
    """Range of the angle above the horizon at which a camera stands; without it `height` holds."""

    @model_validator(mode="after")
    def _check(self) -> RingConfig:
        if self.elevation_deg and self.elevation_deg[0] > self.elevation_deg[1]:
            raise ValueError(f"elevations in order, not {list(self.elevation_deg)}")
        return self


class CameraConfig(Section):
    """Static cameras: the paper's "front" and "side", a ring, or those of a calibration file.

    A file's cameras are used as they are, wherever the person goes; of the settings below only `up` and
    `stress` concern them.
    """

    layout: Literal["pair", "ring", "file"] = "pair"
    focal_length_mm: Positive = 33.0
    sensor_width_mm: Positive = 36.0
    height: Annotated[tuple[Positive, NonNegative], AfterValidator(_above_floor)] = (1.1, 0.1)
    """Mean and largest deviation, m."""
    position_offset: NonNegative = 0.15
    """Largest horizontal shift along each axis, m."""
    aim_offset_deg: Annotated[float, Field(ge=0, lt=45)] = 1.5
    """Largest error of aim, each of yaw and pitch."""
    roll_offset_deg: Annotated[float, Field(ge=0, le=180)] = 0.0
    """Largest rotation about the viewing axis."""
    focal_length_offset: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Largest relative deviation of the focal length."""
    margin: Annotated[float, Field(ge=0, lt=0.5)] = 0.06
    """Share of the picture's size kept free of the person at every edge."""
    min_distance: NonNegative = 1.5
    """To the nearest point of the person, m."""
    side: Literal["right", "left"] = "right"
    """Of the person, where the side camera of the pair stands."""
    ring: RingConfig = RingConfig()
    calibration: str | None = None
    """Path of the calibration file for the layout "file"."""
    up: UpAxis = "z"
    """The axis of the calibration's world that points upwards."""
    stress: StressConfig = StressConfig()

    @model_validator(mode="after")
    def _check(self) -> CameraConfig:
        if self.layout == "file" and self.calibration is None:
            raise ValueError('a calibration file for the layout "file"')
        return self
