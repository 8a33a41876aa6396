"""What may be chosen about a prediction."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from odah.errors import InputError
from odah.estimator.devices import DeviceName
from odah.estimator.predict.timeline import offset_seconds
from odah.scene.camera_config import UpAxis

_MAX_RATE = 1000.0


@dataclass(frozen=True)
class PredictOptions:
    """views: names of the videos' cameras; None: told by the files' names or the order.

    up: the axis of the calibration that points upwards. offset: where in the second video is what the first
    frame of the first one shows, in frames (12) or seconds ("0.4s"). masks: of the person, a video or a
    folder of pictures for each video; None: they are made. yolo: weights of a YOLO segmenter that makes
    them. rate: of the results, frames/s; None: the first video's. mass: kg; None: typical at the estimated
    size. draws: of points; answers are averaged. device: for the network; masks are made on the CPU.

    Raises:
        InputError: a value that makes no sense.
    """

    views: tuple[str, ...] | None = None
    up: UpAxis = "z"
    offset: int | str = 0
    masks: tuple[Path, ...] | None = None
    yolo: Path | None = None
    rate: float | None = None
    mass: float | None = None
    draws: int = 1
    device: DeviceName = "auto"
    has_overlay: bool = True

    def __post_init__(self) -> None:
        if self.up not in get_args(UpAxis):
            raise InputError("--up", repr(self.up), f"one of {', '.join(get_args(UpAxis))}")
        offset_seconds(self.offset, 1.0)
        if self.rate is not None and not 1 <= self.rate <= _MAX_RATE:
            raise InputError("--rate", f"{self.rate:g}", f"1 to {_MAX_RATE:g} frames/s")
        if self.mass is not None and not 1 <= self.mass <= 500:
            raise InputError("--mass", f"{self.mass:g}", "1 to 500 kg")
        if self.draws < 1:
            raise InputError("--draws", f"{self.draws}", "at least 1")
        if self.masks is not None and self.yolo is not None:
            raise InputError("--yolo", "also --masks", "one of the two")
