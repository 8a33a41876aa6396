"""OpenSim's InverseKinematicsTool set-ups: what they track, how much, and when."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.interpolate import make_interp_spline

from odah.errors import InputError
from odah.osim.ik.trial import CoordinateTask
from odah.osim.model import Model
from odah.osim.setup_files import read_tool
from odah.osim.storage import coordinate_columns, read_coordinates, read_storage

_TOOL = "InverseKinematicsTool"
_UNASSIGNED = ("", "unassigned")
_MIN_SAMPLES = 6  # of a spline of degree 5


@dataclass(frozen=True)
class CoordinateTarget:
    """An IKCoordinateTask. kind: default_value, manual_value (value: rad or m) or from_file."""

    name: str
    weight: float
    kind: str
    value: float


@dataclass(frozen=True)
class IkSetup:
    """Weights by marker; targets by coordinate; the time asked for, s; the file that targets come from."""

    path: Path
    weights: dict[str, float]
    targets: tuple[CoordinateTarget, ...]
    time_range: tuple[float, float]
    coordinate_file: Path | None

    def tasks(self, model: Model, time: np.ndarray) -> tuple[CoordinateTask, ...]:
        """The targets as values for a model at the times of a trial.

        Raises:
            InputError: a target names no coordinate, or the file does not hold it at these times.
        """
        strangers = [target.name for target in self.targets if target.name not in model.coordinate_names]
        if strangers:
            where = f"{self.path}, IKCoordinateTask {strangers[0]!r}"
            raise InputError(where, "no coordinate of the model", f"one such as {model.coordinate_names[0]}")
        read = self._file_values(model) if any(t.kind == "from_file" for t in self.targets) else None
        return tuple(
            CoordinateTask(t.name, t.weight, self._values(t, model, read, time)) for t in self.targets
        )

    def _values(
        self,
        target: CoordinateTarget,
        model: Model,
        read: Callable[[str, np.ndarray], np.ndarray] | None,
        time: np.ndarray,
    ) -> float | np.ndarray:
        if read is not None and target.kind == "from_file":
            return read(target.name, time)
        if target.kind == "manual_value":
            return target.value
        return model.coordinates[model.coordinate_names.index(target.name)].default

    def _file_values(self, model: Model) -> Callable[[str, np.ndarray], np.ndarray]:
        if self.coordinate_file is None:
            raise InputError(f"{self.path}, coordinate_file", "nothing", "the .mot that targets come from")
        file = self.coordinate_file
        trajectory = read_coordinates(file, model)
        held = coordinate_columns(file, read_storage(file).columns)

        def values(name: str, time: np.ndarray) -> np.ndarray:
            if name not in held:
                raise InputError(file, f"no column {name!r}", f"what {self.path} pulls it to")
            half_step = 0.5 / trajectory.rate
            first, last = trajectory.time[0] - half_step, trajectory.time[-1] + half_step
            if len(time) and (time[0] < first or time[-1] > last):
                raise InputError(
                    f"{file}, time", f"{first:.3g} to {last:.3g} s", f"{time[0]:.3g} to {time[-1]:.3g} s"
                )
            column = trajectory.values[:, trajectory.names.index(name)]
            if len(column) < _MIN_SAMPLES:
                return np.interp(time, trajectory.time, column)
            return make_interp_spline(trajectory.time, column, k=5)(time)

        return values


def read_ik_setup(path: str | Path) -> IkSetup:
    """Tasks that do not apply, or weigh nothing, are left out.

    Raises:
        InputError: not such a set-up, or a field that cannot be.
    """
    path = Path(path)
    tool = read_tool(path, _TOOL)
    weights = {name: weight for name, weight, _ in _applied(path, tool, "IKMarkerTask")}
    targets = tuple(
        CoordinateTarget(name, weight, *_target(path, task))
        for name, weight, task in _applied(path, tool, "IKCoordinateTask")
    )
    if not weights:
        raise InputError(f"{path}, IKTaskSet", "no marker task that applies", "marker tasks")
    file = (tool.findtext("coordinate_file") or "").strip()
    coordinate_file = None if file.lower() in _UNASSIGNED else (path.parent / file).resolve()
    return IkSetup(path, weights, targets, _time_range(path, tool), coordinate_file)


def _applied(path: Path, tool: ET.Element, tag: str) -> list[tuple[str, float, ET.Element]]:
    found = []
    for task in tool.iter(tag):
        name = task.get("name", "").strip()
        if (task.findtext("apply") or "true").strip().lower() != "true":
            continue
        weight = _number(f"{path}, {tag} {name!r}, weight", task.findtext("weight") or "1")
        if weight < 0:
            raise InputError(f"{path}, {tag} {name!r}, weight", f"{weight:g}", "a weight of 0 or more")
        if any(name == other for other, _, _ in found):
            raise InputError(f"{path}, {tag} {name!r}", "a second one that applies", "one")
        if weight > 0:
            found.append((name, weight, task))
    return found


def _target(path: Path, task: ET.Element) -> tuple[str, float]:
    kind = (task.findtext("value_type") or "default_value").strip()
    if kind not in ("default_value", "manual_value", "from_file"):
        where = f"{path}, IKCoordinateTask {task.get('name')!r}, value_type"
        raise InputError(where, repr(kind), "default_value, manual_value or from_file")
    where = f"{path}, IKCoordinateTask {task.get('name')!r}, value"
    return kind, _number(where, task.findtext("value") or "0")


def _time_range(path: Path, tool: ET.Element) -> tuple[float, float]:
    words = (tool.findtext("time_range") or "").split()
    if not words:
        return -math.inf, math.inf
    if len(words) != 2:
        raise InputError(f"{path}, time_range", repr(" ".join(words)), "two times in s")
    first, last = (_number(f"{path}, time_range", word, is_finite=False) for word in words)
    if last < first:
        raise InputError(f"{path}, time_range", f"{first:g} to {last:g} s", "an end after the beginning")
    return (first, last) if last > first else (-math.inf, math.inf)


def _number(where: str, text: str, *, is_finite: bool = True) -> float:
    try:
        value = float(text)
    except ValueError:
        raise InputError(where, repr(text.strip()[:40]), "a number") from None
    if math.isnan(value) or (is_finite and math.isinf(value)):
        raise InputError(where, repr(text.strip()), "a finite number")
    return value
