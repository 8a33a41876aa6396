"""The Python environment that Pose2Sim is installed in, and programs run there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from odah.errors import InputError, OdahError

PYTHON_VARIABLE = "ODAH_POSE2SIM_PYTHON"
_DRIVER = Path(__file__).with_name("driver.py")
_ASKING_LIMIT = 120.0
"""s; nothing heavy is imported."""
_EXPECTED = "the Python of an environment with Pose2Sim, see docs/benchmark.md"
_MOST_TOLD = 160


@dataclass(frozen=True)
class Environment:
    """python: its interpreter. version: of Pose2Sim. shipped: values of the Config.toml that it brings."""

    python: str
    version: str
    shipped: Mapping[str, Any]

    def run(self, project: Path, steps: Sequence[str], log: Path, time_limit: float) -> None:
        """Functions of Pose2Sim on a project folder, all that they say into `log`; at most `time_limit`, s.

        Raises:
            OdahError: they fail, or take longer.
        """
        try:
            with log.open("wb") as told:
                done = subprocess.run(
                    [*_command(self.python), "run", str(project), *steps],
                    stdout=told, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                    cwd=project, env=_variables(), timeout=time_limit, check=False,
                )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise OdahError(f"Pose2Sim was not done after {time_limit:g} s") from None
        except OSError as error:
            raise OdahError(f"{self.python} does not start: {error.strerror}") from None
        if done.returncode != 0:
            said = log.read_text(encoding="utf-8", errors="replace")
            raise OdahError(f"Pose2Sim failed: {_last_line(said) or f'exit status {done.returncode}'}")


def find_environment(python: Path | None = None, where: str = "python") -> Environment:
    """The environment whose Python is given, or named by ODAH_POSE2SIM_PYTHON.

    where: the field that a mistake is told of.

    Raises:
        InputError: none is named, or it is not there, or has no Pose2Sim.
    """
    named = str(python) if python is not None else os.environ.get(PYTHON_VARIABLE, "")
    if not named:
        raise InputError(where, f"nothing, and no {PYTHON_VARIABLE} either", _EXPECTED)
    found = shutil.which(named)
    if found is None:
        raise InputError(where, f"{named}, which is no program", _EXPECTED)
    found = str(Path(found).absolute())  # not resolved: a virtual environment is known by its link
    about = _about(found, where)
    try:
        told = json.loads(about)
        return Environment(found, str(told["version"]), tomllib.loads(str(told["config"])))
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(where, f"{found}, which answers {about[:40]!r} ({error})", _EXPECTED) from None


def _about(python: str, where: str) -> str:
    try:
        asked = subprocess.run(
            [*_command(python), "about"],
            capture_output=True, text=True, encoding="utf-8", errors="replace", stdin=subprocess.DEVNULL,
            env=_variables(), timeout=_ASKING_LIMIT, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(
            where, f"{python}, which does not answer ({type(error).__name__})", _EXPECTED
        ) from None
    if asked.returncode != 0:
        told = _last_line(asked.stderr) or f"exit status {asked.returncode}"
        raise InputError(where, f"{python}: {told}", _EXPECTED)
    return asked.stdout


def _command(python: str) -> list[str]:
    return [python, "-I", str(_DRIVER)]  # isolated, for the driver's folder is not to be imported from


def _variables() -> dict[str, str]:
    """Without a screen, whoever calls."""
    return {**os.environ, "MPLBACKEND": "Agg", "QT_QPA_PLATFORM": "offscreen", "PYTHONIOENCODING": "utf-8"}


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:_MOST_TOLD] if lines else ""
