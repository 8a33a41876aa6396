"""How a clip is rendered: what is not part of the scene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from odah.errors import InputError

Engine = Literal["auto", "eevee", "cycles", "workbench"]


@dataclass(frozen=True)
class RenderSettings:
    """Values of the renderer and the encoder.

    engine: "auto" takes EEVEE where a graphics processor draws, and Cycles on the CPU elsewhere.
    samples: per pixel. threads: of the renderer, 0 for all cores. crf: H264 quality, 0 lossless to 51.
    timeout: longest wait for one frame, s; the first one of a software EEVEE takes a minute to compile.
    clips_per_worker: clips after which Blender is started afresh, because long runs leak.

    Raises:
        InputError: a value out of range.
    """

    engine: Engine = "auto"
    samples: int = 4
    threads: int = 0
    crf: int = 23
    timeout: float = 600.0
    clips_per_worker: int = 50

    def __post_init__(self) -> None:
        if self.engine not in get_args(Engine):
            raise InputError("render settings, engine", repr(self.engine), f"one of {get_args(Engine)}")
        ranges = {"samples": (1, 4096), "threads": (0, 1024), "crf": (0, 51), "clips_per_worker": (1, 10**6)}
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"render settings, {name}", f"{value}", f"a number from {low} to {high}")
        if not self.timeout > 0:
            raise InputError("render settings, timeout", f"{self.timeout}", "a positive number of seconds")
