"""How a clip is rendered: what is not part of the scene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from odah.errors import InputError

Engine = Literal["auto", "eevee", "cycles", "workbench"]
Device = Literal["auto", "cpu", "gpu"]
LabelVideo = Literal["parts", "depth", "normals"]


@dataclass(frozen=True)
class RenderSettings:
    """Values of the renderer and the encoder.

    engine: "auto" takes EEVEE where a graphics processor draws, and Cycles elsewhere.
    device: of Cycles; "auto" takes a graphics processor where Cycles finds one.
    allow_software_gl: whether EEVEE and Workbench may draw with an OpenGL that runs on the CPU.
    samples: per pixel. threads: of the renderer, 0 for all cores. crf: H264 quality, 0 lossless to 51.
    labels: which videos are written besides the mask. crop_size: px, of the pictures where crops are given.
    timeout: longest wait for one frame, s. start_timeout: for Blender's start and for its first frame, before
        which shaders are compiled.
    retries: how often a clip is tried again, in a fresh Blender, after a crash or a hang.
    clips_per_worker: clips after which Blender is started afresh.

    Raises:
        InputError: a value out of range.
    """

    engine: Engine = "auto"
    samples: int = 4
    threads: int = 0
    crf: int = 23
    timeout: float = 600.0
    clips_per_worker: int = 50
    start_timeout: float = 900.0
    retries: int = 1
    labels: tuple[LabelVideo, ...] = ("parts",)
    crop_size: int = 256
    device: Device = "auto"
    allow_software_gl: bool = False

    def __post_init__(self) -> None:
        choices = {"engine": (self.engine, Engine), "device": (self.device, Device)}
        choices |= {f"labels, {label}": (label, LabelVideo) for label in self.labels}
        for name, (value, kinds) in choices.items():
            if value not in get_args(kinds):
                raise InputError(f"render settings, {name}", repr(value), f"one of {get_args(kinds)}")
        ranges = {
            "samples": (1, 4096),
            "threads": (0, 1024),
            "crf": (0, 51),
            "clips_per_worker": (1, 10**6),
            "retries": (0, 100),
            "crop_size": (2, 8192),
        }
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"render settings, {name}", f"{value}", f"a number from {low} to {high}")
        if self.crop_size % 2:
            raise InputError("render settings, crop_size", f"{self.crop_size}", "an even number, for H264")
        for name in ("timeout", "start_timeout"):
            if not getattr(self, name) > 0:
                raise InputError(
                    f"render settings, {name}", f"{getattr(self, name)}", "a positive number of seconds"
                )
