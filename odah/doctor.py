"""What works on this machine, what is missing, and what mends it."""

from __future__ import annotations

import importlib.util
import platform
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from odah.errors import OdahError


@dataclass(frozen=True)
class Finding:
    """One part of the machine: its state, and the command that mends it if it is missing."""

    name: str
    is_ok: bool
    state: str
    remedy: str = ""
    is_required: bool = True


PACKAGES: tuple[tuple[str, str, str, bool], ...] = (
    ("torch", "torch", "pip install odah", True),
    ("opensim", "opensim", "pip install 'odah[kinematics]'", True),
    ("ezc3d", "ezc3d", "pip install 'odah[kinematics]'", True),
    ("PyAV", "av", "pip install 'odah[generate]'", True),
    ("OpenCV", "cv2", "pip install 'odah[generate]'", True),
    ("scikit-learn", "sklearn", "pip install 'odah[register]'", False),
    ("smplx", "smplx", "pip install 'odah[smplx]' (non-commercial licence)", False),
)


def _package(name: str, module: str, remedy: str, is_required: bool) -> Finding:
    if importlib.util.find_spec(module) is None:
        return Finding(name, False, "not installed", remedy, is_required)
    distribution = {"cv2": "opencv-python-headless", "sklearn": "scikit-learn"}.get(module, module)
    try:
        state = version(distribution)
    except PackageNotFoundError:
        state = "installed"
    return Finding(name, True, state, is_required=is_required)


def _gpu() -> Finding:
    import torch

    if torch.cuda.is_available():
        return Finding("GPU", True, torch.cuda.get_device_name(), is_required=False)
    return Finding("GPU", False, "none that torch can use", "the CPU does everything, slower", False)


def _compiler() -> Finding:
    from odah.osim.fast.compiler import check_compiler, find_compiler

    try:
        check_compiler()
    except OdahError as error:
        remedy = "install gcc or clang; until then inverse kinematics takes some hundred times as long"
        return Finding("C compiler", False, str(error), remedy, False)
    return Finding("C compiler", True, f"{find_compiler()}, for fast kinematics", is_required=False)


def _body() -> Finding:
    from odah.body.model import load_body

    try:
        body = load_body()
    except OdahError as error:
        return Finding("open body", False, str(error), "pip install --force-reinstall odah")
    return Finding("open body", True, f"{body.num_vertices} vertices, {body.num_betas} betas")


def _blender() -> list[Finding]:
    from odah.render.blender_env import find_blender
    from odah.render.engine import probe_graphics

    try:
        blender = find_blender(install=False)
    except OdahError as error:
        return [Finding("Blender", False, str(error), "odah demo installs it on first use", False)]
    probe = probe_graphics(blender)
    if probe.renderer is None:
        return [
            Finding("Blender", True, str(blender.executable)),
            Finding("OpenGL", False, probe.reason, "engine auto renders with Cycles on the CPU", False),
        ]
    engine = "Cycles on the CPU, for this is software" if probe.is_software else "EEVEE"
    return [
        Finding("Blender", True, str(blender.executable)),
        Finding("OpenGL", True, f"{probe.renderer}; engine auto means {engine}"),
    ]


def examine() -> list[Finding]:
    """All findings, most basic first."""
    findings = [
        Finding("Python", sys.version_info >= (3, 11), platform.python_version(), "use Python 3.11 or newer")
    ]
    findings += [_package(*package) for package in PACKAGES]
    return [*findings, _compiler(), _gpu(), _body(), *_blender()]
