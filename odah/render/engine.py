"""Which engine draws: EEVEE on a graphics processor, Cycles on a CPU, unless the user says."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from odah.errors import OdahError
from odah.render.blender_env import APT_LINE, Blender
from odah.render.settings import Engine
from odah.render.worker_process import WorkerProcess

_PROBE_TIMEOUT = 180.0


@dataclass(frozen=True)
class GraphicsProbe:
    """What OpenGL Blender found. renderer: the driver's own string; None where there is no OpenGL."""

    renderer: str | None
    is_software: bool
    reason: str = ""


@dataclass(frozen=True)
class EngineChoice:
    """The engine that draws, and the OpenGL renderer where it is used or was asked for."""

    engine: Literal["eevee", "cycles", "workbench"]
    gl_renderer: str | None


def probe_graphics(blender: Blender) -> GraphicsProbe:
    """Ask in a process of its own, which a broken driver may take down with it."""
    with tempfile.TemporaryDirectory(prefix="odah-probe-") as folder:
        try:
            process = WorkerProcess(blender, _PROBE_TIMEOUT, "--probe", folder)
        except OdahError as error:
            return GraphicsProbe(None, is_software=False, reason=str(error))
        process.close()
    answer = process.about
    if answer["renderer"] is None:
        return GraphicsProbe(None, is_software=False, reason=f"{answer['missing']}; {APT_LINE}")
    return GraphicsProbe(answer["renderer"], answer["is_software"])


def choose_engine(blender: Blender, wanted: Engine, say: Callable[[str], None]) -> EngineChoice:
    """Settle "auto", and say in one line what will draw.

    Raises:
        OdahError: the wanted engine needs OpenGL and there is none.
    """
    if wanted == "cycles":
        say("rendering with Cycles on the CPU")
        return EngineChoice("cycles", None)
    probe = probe_graphics(blender)
    if wanted == "auto":
        if probe.renderer is None or probe.is_software:
            found = f"only software OpenGL, {probe.renderer}" if probe.renderer else "no OpenGL"
            say(f"rendering with Cycles on the CPU ({found})")
            return EngineChoice("cycles", probe.renderer)
        say(f"rendering with EEVEE on {probe.renderer}")
        return EngineChoice("eevee", probe.renderer)
    if probe.renderer is None:
        raise OdahError(f"the engine {wanted} needs OpenGL: {probe.reason}")
    warning = ", which is software and slow" if probe.is_software else ""
    say(f"rendering with {wanted} on {probe.renderer}{warning}")
    return EngineChoice(wanted, probe.renderer)
