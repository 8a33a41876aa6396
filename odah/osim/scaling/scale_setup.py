"""OpenSim's ScaleTool set-ups, of any version, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from odah.errors import InputError
from odah.osim.document import Node
from odah.osim.ik.setup import CoordinateTarget, IkSetup
from odah.osim.setup_document import named_file, named_input, objects, read_time_range, tool_node

MEASUREMENTS, MANUAL = "measurements", "manualScale"
_AXES = "xyz"
_MARKERS = "a marker file (.trc)"
_TARGET_KINDS = ("default_value", "manual_value", "from_file")


@dataclass(frozen=True, eq=False)
class Measurement:
    """Pairs of markers whose distance, measured over the model's, scales bodies along axes (bool (3,))."""

    name: str
    pairs: tuple[tuple[str, str], ...]
    scales: Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class ModelScaler:
    """What stretches the bodies.

    order: of "measurements" and "manualScale"; the later one wins on the axes that both set. manual_scales:
    factors (3,) by body. time_range: s, over which distances are averaged. preserves_mass_distribution: else
    a body's mass grows with its volume, before all are brought to the subject's.
    """

    order: tuple[str, ...]
    measurements: tuple[Measurement, ...]
    manual_scales: Mapping[str, np.ndarray]
    marker_file: Path | None
    time_range: tuple[float, float]
    preserves_mass_distribution: bool


@dataclass(frozen=True)
class MarkerPlacer:
    """What moves the markers of the scaled model.

    tracking: marker weights and coordinate targets of the static pose, and the time range, s, whose mean it
    is. max_movement: of a marker within that range, in the marker file's unit, above which it is told; None
    for no limit.
    """

    tracking: IkSetup
    marker_file: Path
    max_movement: float | None


@dataclass(frozen=True)
class ScaleSetup:
    """A ScaleTool set-up. mass: kg, None keeps the model's. scaler, placer: None where they do not apply."""

    path: Path
    name: str
    mass: float | None
    model_file: Path | None
    marker_set_file: Path | None
    scaler: ModelScaler | None
    placer: MarkerPlacer | None


def read_scale_setup(path: str | Path) -> ScaleSetup:
    """Read a set-up; what does not apply in it is left out, as are the tasks of no weight.

    The model file need not exist: another set-up may write it.

    Raises:
        InputError: not such a set-up, a field that cannot be, or a file that it names and that is missing.
    """
    tool = tool_node(path, "ScaleTool")
    maker, scaler, placer = (
        _section(tool, tag) for tag in ("GenericModelMaker", "ModelScaler", "MarkerPlacer")
    )
    mass = tool.number("mass", -1.0)
    return ScaleSetup(
        path=Path(path),
        name=tool.element.get("name", "").strip() or "subject",
        mass=mass if mass > 0 else None,
        model_file=None if maker is None else named_file(maker, "model_file"),
        marker_set_file=None if maker is None else named_input(maker, "marker_set_file", "a marker set"),
        scaler=None if scaler is None else _read_scaler(scaler),
        placer=None if placer is None else _read_placer(placer),
    )


def _section(tool: Node, tag: str) -> Node | None:
    """A step of the tool, unless it is missing or switched off."""
    if tool.find(tag) is None:
        return None
    section = tool.child(tag)
    return section if section.flag("apply", True) else None


def _read_scaler(node: Node) -> ModelScaler:
    order = node.words("scaling_order")
    strangers = [word for word in order if word not in (MEASUREMENTS, MANUAL)]
    if strangers:
        raise InputError(f"{node.where}, scaling_order", repr(strangers[0]), f"{MEASUREMENTS} or {MANUAL}")
    measurements, manual_scales = (), {}
    if MEASUREMENTS in order:
        listed = objects(node, "MeasurementSet", "Measurement")
        measurements = tuple(_read_measurement(each) for each in listed if each.flag("apply", True))
    if MANUAL in order:
        listed = objects(node, "ScaleSet", "Scale")
        manual_scales = dict(_read_scale(each) for each in listed if each.flag("apply", True))
    marker_file = named_input(node, "marker_file", _MARKERS) if measurements else None
    if measurements and marker_file is None:
        raise InputError(f"{node.where}, marker_file", "nothing, but measurements", _MARKERS)
    return ModelScaler(
        order=order,
        measurements=measurements,
        manual_scales=manual_scales,
        marker_file=marker_file,
        time_range=read_time_range(node),
        preserves_mass_distribution=node.flag("preserve_mass_distribution", True),
    )


def _read_measurement(node: Node) -> Measurement:
    pairs = []
    for pair in objects(node, "MarkerPairSet", "MarkerPair"):
        names = pair.words("markers")
        if len(names) != 2:
            raise InputError(f"{node.where}, MarkerPair", f"{len(names)} markers", "the names of two")
        pairs.append((names[0], names[1]))
    scales: dict[str, np.ndarray] = {}
    for body in objects(node, "BodyScaleSet", "BodyScale"):
        scales[body.name] = scales.get(body.name, np.zeros(3, dtype=bool)) | _read_axes(body)
    return Measurement(node.element.get("name", ""), tuple(pairs), scales)


def _read_axes(node: Node) -> np.ndarray:
    """(3,) bool."""
    axes = [word.lower() for word in node.words("axes")]
    strangers = [axis for axis in axes if axis not in tuple(_AXES)]
    if strangers:
        raise InputError(f"{node.where}, axes", repr(strangers[0]), "some of X, Y and Z")
    return np.array([axis in axes for axis in _AXES])


def _read_scale(node: Node) -> tuple[str, np.ndarray]:
    body = node.text("segment")
    factors = node.vector("scales", 3, (1.0, 1.0, 1.0))
    if not (factors > 0).all():
        raise InputError(f"{node.path}, Scale of {body!r}, scales", f"{factors.min():g}", "positive factors")
    return body, factors


def _read_placer(node: Node) -> MarkerPlacer:
    marker_file = named_input(node, "marker_file", _MARKERS)
    if marker_file is None:
        raise InputError(f"{node.where}, marker_file", "nothing", _MARKERS)
    targets = tuple(_read_target(task) for task in _tasks(node, "IKCoordinateTask"))
    tracking = IkSetup(
        path=Path(node.path),
        weights={task.name: task.number("weight", 1.0) for task in _tasks(node, "IKMarkerTask")},
        targets=targets,
        time_range=read_time_range(node),
        coordinate_file=named_input(node, "coordinate_file", "a coordinate file (.mot)"),
    )
    if any(target.kind == "from_file" for target in targets) and tracking.coordinate_file is None:
        raise InputError(f"{node.where}, coordinate_file", "nothing, but tasks from_file", "a .mot file")
    limit = node.number("max_marker_movement", -1.0)
    return MarkerPlacer(tracking, marker_file, limit if limit > 0 else None)


def _tasks(node: Node, tag: str) -> list[Node]:
    """The tasks of a kind that apply and weigh something."""
    tasks = [task for task in objects(node, "IKTaskSet", tag) if task.flag("apply", True)]
    for task in tasks:
        if task.number("weight", 1.0) < 0:
            raise InputError(f"{task.where}, weight", task.text("weight"), "a weight of 0 or more")
    return [task for task in tasks if task.number("weight", 1.0) > 0]


def _read_target(node: Node) -> CoordinateTarget:
    kind = node.text("value_type", "default_value")
    if kind not in _TARGET_KINDS:
        raise InputError(f"{node.where}, value_type", repr(kind), f"one of {', '.join(_TARGET_KINDS)}")
    return CoordinateTarget(node.name, node.number("weight", 1.0), kind, node.number("value", 0.0))
