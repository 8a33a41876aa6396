"""Finding a Blender, or installing one once: its Python and its numpy are not ours.

Order: the executable that ODAH_BLENDER names; the environment installed earlier; a new environment made
with this Python if it is 3.11, with python3.11 on the PATH, or with uv.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from odah.assets import asset_path
from odah.errors import InputError, OdahError
from odah.files import cache_folder
from odah.locks import locked

BPY_REQUIREMENT = "bpy==4.5.*"
APT_LINE = "apt-get install --no-install-recommends libxi6 libxrender1 libxkbcommon0 libsm6 libgl1 libegl1"
_READY = "odah-ready"
_INSTALL_TIMEOUT, _START_TIMEOUT = 3600, 300


@dataclass(frozen=True)
class Blender:
    """A Python that has bpy, or a Blender program.

    executable: what to start. is_program: whether it is Blender itself.
    """

    executable: Path
    is_program: bool

    def command(self, *arguments: str) -> list[str]:
        """The command line that runs the worker inside this Blender."""
        worker = str(asset_path("blender_scenes/worker.py"))
        if not self.is_program:
            return [str(self.executable), "-u", worker, *arguments]
        flags = ["--background", "--factory-startup", "--python-exit-code", "1"]
        return [str(self.executable), *flags, "--python", worker, "--", *arguments]


def print_to_stderr(line: str) -> None:
    """Where one-line notes go unless the caller takes them."""
    print(line, file=sys.stderr, flush=True)


def find_blender(install: bool = True, say: Callable[[str], None] = print_to_stderr) -> Blender:
    """The Blender to render with.

    Args:
        install: whether a missing one may be installed into the user's cache (373 MB download, once).
        say: takes one line when something slow begins.

    Raises:
        InputError: ODAH_BLENDER names something that is no Blender.
        OdahError: there is none, it cannot be installed, or it lacks a system library.
    """
    named = os.environ.get("ODAH_BLENDER")
    if named:
        return _named_blender(named)
    folder = cache_folder() / "blender-4.5"
    if not (folder / _READY).exists():
        if not install:
            raise OdahError(f"no Blender: ODAH_BLENDER is not set and {folder} is not installed")
        _install(folder, say)
    return Blender(_python_of(folder), is_program=False)


def _named_blender(named: str) -> Blender:
    found = shutil.which(named)
    expected = "a Blender executable, or a Python that has bpy"
    if found is None:
        raise InputError("ODAH_BLENDER", f"{named!r}, which is no executable", expected)
    version = _run([found, "--version"], _START_TIMEOUT)
    if version.returncode == 0 and version.stdout.startswith("Blender"):
        return Blender(Path(found), is_program=True)
    if version.returncode == 0 and version.stdout.startswith("Python"):
        _check_bpy(Path(found))
        return Blender(Path(found), is_program=False)
    raise InputError("ODAH_BLENDER", f"{named!r}, which is neither", expected)


def missing_library(text: str) -> str | None:
    """One sentence if the loader's complaint about a missing system library is in `text`."""
    missing = re.search(r"(lib\S+): cannot open shared object file", text)
    return f"Blender needs the system library {missing[1]}: {APT_LINE}" if missing else None


def _check_bpy(python: Path) -> None:
    result = _run([str(python), "-c", "import bpy"], _START_TIMEOUT)
    if result.returncode == 0:
        return
    library = missing_library(result.stderr)
    if library:
        raise OdahError(library)
    last_line = (result.stderr.strip().splitlines() or [f"exit status {result.returncode}"])[-1]
    raise OdahError(f"{python} cannot import bpy: {last_line}")


def _install(folder: Path, say: Callable[[str], None]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_suffix(".lock")):
        if (folder / _READY).exists():  # another process was faster
            return
        make_venv = _venv_maker(folder)
        say(f"installing Blender 4.5 into {folder} (373 MB download, once)")
        shutil.rmtree(folder, ignore_errors=True)
        try:
            for command in make_venv:
                _run_or_fail(command)
            _check_bpy(_python_of(folder))
        except OdahError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        (folder / _READY).touch()


def _venv_maker(folder: Path) -> list[list[str]]:
    """The commands that make an environment with bpy in `folder`, where it stays: it cannot be moved."""
    python = sys.executable if sys.version_info[:2] == (3, 11) else shutil.which("python3.11")
    if python and _run([python, "-c", "import venv, ensurepip"], _START_TIMEOUT).returncode == 0:
        pip = [str(_python_of(folder)), "-m", "pip", "install", "--quiet", BPY_REQUIREMENT]
        return [[python, "-m", "venv", str(folder)], pip]
    uv = shutil.which("uv")
    if uv:
        pip = [uv, "pip", "install", "--quiet", "--python", str(_python_of(folder)), BPY_REQUIREMENT]
        return [[uv, "venv", "--python", "3.11", str(folder)], pip]
    raise OdahError(
        "no Blender: set ODAH_BLENDER to a Blender 4.2-5.0 executable, "
        "or put python3.11 (with venv) or uv on the PATH"
    )


def _python_of(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _run(command: list[str], timeout: float) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL, check=False
        )
    except OSError as error:
        raise OdahError(f"cannot start {command[0]}: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise OdahError(f"{command[0]} did not answer within {timeout:.0f} s") from error


def _run_or_fail(command: list[str]) -> None:
    result = _run(command, _INSTALL_TIMEOUT)
    if result.returncode != 0:
        lines = (result.stderr or result.stdout).strip().splitlines() or [f"exit status {result.returncode}"]
        raise OdahError(f"installing Blender failed at {' '.join(command[:4])}: {lines[-1]}")
