"""What draws: EEVEE on a graphics processor, Cycles elsewhere, unless the user says."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from odah.errors import OdahError
from odah.render.blender_env import APT_LINE, Blender
from odah.render.settings import RenderSettings
from odah.render.worker_process import WorkerProcess
from odah.scratch import scratch_folder

_PROBE_TIMEOUT = 180.0
_GPU_FILES = ("nvidiactl", "kfd", "dxg", "dri")
"""Under /dev on Linux, where one of them is there if a graphics processor is: NVIDIA, AMD, WSL, any."""


@dataclass(frozen=True)
class GraphicsProbe:
    """What OpenGL Blender found. renderer: the driver's own string; None where there is no OpenGL."""

    renderer: str | None
    is_software: bool
    reason: str = ""


@dataclass(frozen=True)
class EngineChoice:
    """The engine that draws, and what on.

    gl_renderer: the OpenGL renderer where it is used or was asked for. device: of Cycles; device_name: the
    maker's own; None for other engines.
    """

    engine: Literal["eevee", "cycles", "workbench"]
    gl_renderer: str | None
    device: Literal["cpu", "gpu"] = "cpu"
    device_name: str | None = None

    @property
    def is_on_gpu(self) -> bool:
        """Whether a graphics processor does the work."""
        if self.engine == "cycles":
            return self.device == "gpu"
        return self.gl_renderer is not None and not is_software_gl(self.gl_renderer)


_SOFTWARE_GL = ("llvmpipe", "softpipe", "swrast", "software", "swiftshader")


def is_software_gl(renderer: str) -> bool:
    """Whether an OpenGL renderer of that name runs on the CPU."""
    return any(word in renderer.lower() for word in _SOFTWARE_GL)


def probe_graphics(blender: Blender) -> GraphicsProbe:
    """Ask in a process of its own, which a broken driver may take down with it."""
    try:
        answer = _ask(blender, "--probe")
    except OdahError as error:
        return GraphicsProbe(None, is_software=False, reason=str(error))
    if answer["renderer"] is None:
        return GraphicsProbe(None, is_software=False, reason=f"{answer['missing']}; {APT_LINE}")
    return GraphicsProbe(answer["renderer"], is_software_gl(answer["renderer"]))


def probe_devices(blender: Blender) -> list[str]:
    """Names of the graphics processors on which Cycles can run."""
    if sys.platform == "linux" and not any((Path("/dev") / name).exists() for name in _GPU_FILES):
        return []  # it takes seconds to ask
    try:
        return list(_ask(blender, "--devices")["devices"])
    except OdahError:
        return []


def _ask(blender: Blender, question: str) -> dict[str, Any]:
    with scratch_folder("odah-probe-") as folder:
        process = WorkerProcess(blender, _PROBE_TIMEOUT, question, str(folder))
        process.close()
    return process.about


def choose_engine(blender: Blender, settings: RenderSettings, say: Callable[[str], None]) -> EngineChoice:
    """Settle "auto", and say in one line what will draw.

    Raises:
        OdahError: the wanted engine needs OpenGL and there is none, or only on the CPU; or no graphics
            processor for Cycles where one was asked for.
    """
    wanted = settings.engine
    if wanted == "cycles":
        return _cycles(blender, settings, None, "", say)
    probe = probe_graphics(blender)
    if wanted == "auto":
        if probe.renderer is None or probe.is_software:
            found = f"only software OpenGL, {probe.renderer}" if probe.renderer else "no OpenGL"
            return _cycles(blender, settings, probe.renderer, f" ({found})", say)
        say(f"rendering with EEVEE on {probe.renderer}")
        return EngineChoice("eevee", probe.renderer)
    if probe.renderer is None:
        raise OdahError(f"the engine {wanted} needs OpenGL: {probe.reason}")
    if probe.is_software and not settings.allow_software_gl:
        raise OdahError(
            f"the engine {wanted} would draw with {probe.renderer}, an OpenGL that runs on the CPU, slowly: "
            "take engine: cycles, or allow it with allow_software_gl: true in the config's render section"
        )
    warning = ", which is software and slow" if probe.is_software else ""
    say(f"rendering with {wanted} on {probe.renderer}{warning}")
    return EngineChoice(wanted, probe.renderer)


def _cycles(
    blender: Blender,
    settings: RenderSettings,
    gl_renderer: str | None,
    why: str,
    say: Callable[[str], None],
) -> EngineChoice:
    devices = [] if settings.device == "cpu" else probe_devices(blender)
    if settings.device == "gpu" and not devices:
        raise OdahError("device gpu was asked for, and Cycles finds no graphics processor on this machine")
    if devices:
        names = ", ".join(dict.fromkeys(devices))
        say(f"rendering with Cycles on {names}{why}")
        return EngineChoice("cycles", gl_renderer, "gpu", names)
    say(f"rendering with Cycles on the CPU{why}")
    return EngineChoice("cycles", gl_renderer, "cpu", "CPU")
