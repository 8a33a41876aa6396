"""OpenSim's XML files around a model: ScaleTool and InverseKinematicsTool set-ups, marker sets, scale sets.

A user's set-up is staged: copied to a scratch folder together with the files it names (found relative to it,
as OpenSim does), so that nothing is ever written beside the user's files.
"""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from odah.errors import InputError
from odah.files import existing_file, read_text
from odah.osim.model import Marker

_DOCUMENT_VERSION = "40000"
_UNASSIGNED = ("", "unassigned")
_SCALE_INPUTS = {
    "GenericModelMaker/model_file": "a model",
    "GenericModelMaker/marker_set_file": "a marker set",
    "ModelScaler/marker_file": "a marker file",
    "MarkerPlacer/marker_file": "a marker file",
    "MarkerPlacer/coordinate_file": "a coordinate file",
}
SCALED_MODEL, PLACED_MODEL, SCALE_SET, IK_MOTION = "scaled.osim", "placed.osim", "scale_set.xml", "ik.mot"


def read_tool(path: str | Path, kind: str) -> ET.Element:
    """The `kind` element (`ScaleTool`, `InverseKinematicsTool`) of a set-up file.

    Raises:
        InputError: the file is not XML, or holds another tool.
    """
    return _read_document(path, kind)[1]


def scale_setup_chain(path: str | Path, *, model_path: str | Path | None = None) -> tuple[Path, ...]:
    """The ScaleTool set-ups to run, in order, so that `path` finds its model.

    A set-up whose model file does not exist is preceded by the set-up in the same folder that writes that
    file (the usual pair: scale only, then place markers).

    Raises:
        InputError: the model of the first set-up is missing and none was given.
    """
    path = Path(path)
    model = _named_file(path, read_tool(path, "ScaleTool"), "GenericModelMaker/model_file")
    if model is None or model.exists():
        return (path,)
    for sibling in sorted(path.parent.glob("*.xml")):
        if sibling != path and model in _written_models(sibling):
            return (*scale_setup_chain(sibling, model_path=model_path), path)
    if model_path is None:
        raise InputError(
            f"{path}, model_file",
            f"{model.name}, which does not exist",
            "a model, or a set-up beside it that writes it",
        )
    return (path,)


def stage_scale_setup(
    path: str | Path, folder: Path, *, model_path: str | Path | None = None, mass: float | None = None
) -> Path:
    """Copy a ScaleTool set-up and what it names into `folder`; its results will be written there too.

    model_path: takes the place of the set-up's model file. mass: takes the place of its mass, kg.
    """
    document, tool = _read_document(path, "ScaleTool")
    if model_path is not None:
        _set(tool, "GenericModelMaker/model_file", str(Path(model_path).absolute()))
    for field, kind in _SCALE_INPUTS.items():
        _stage_input(Path(path), tool, field, kind, folder)
    if mass is not None and float(tool.findtext("mass", "0")) > 0:
        _set(tool, "mass", repr(mass))
    _set(tool, "ModelScaler/output_model_file", SCALED_MODEL)
    _set(tool, "ModelScaler/output_scale_file", SCALE_SET)
    _set(tool, "MarkerPlacer/output_model_file", PLACED_MODEL)
    for field in ("output_motion_file", "output_marker_file"):
        _set(tool, f"MarkerPlacer/{field}", "Unassigned")
    return _write(folder / "scale_setup.xml", document)


def write_manual_scale_setup(
    path: Path,
    *,
    model_file: str,
    scale_factors: Mapping[str, np.ndarray],
    mass: float | None = None,
    marker_set_file: str = "Unassigned",
) -> Path:
    """A ScaleTool set-up that applies given factors (3,) to each body, in the body's axes.

    mass: of the subject, kg, its distribution over the bodies kept; None keeps the model's masses.
    """
    document, tool = _new_document("ScaleTool", "subject")
    _set(tool, "mass", "-1" if mass is None else repr(float(mass)))
    _set(tool, "GenericModelMaker/model_file", model_file)
    _set(tool, "GenericModelMaker/marker_set_file", marker_set_file)
    _set(tool, "ModelScaler/apply", "true")
    _set(tool, "ModelScaler/scaling_order", "manualScale")
    objects = _descend(tool, "ModelScaler/ScaleSet/objects")
    for body, factors in scale_factors.items():
        scale = ET.SubElement(objects, "Scale")
        _set(scale, "scales", _join(factors))
        _set(scale, "segment", body)
        _set(scale, "apply", "true")
    _set(tool, "ModelScaler/preserve_mass_distribution", "true")
    _set(tool, "MarkerPlacer/apply", "false")
    return _write(path, document)


def places_markers(path: str | Path) -> bool:
    """Whether a ScaleTool set-up moves the model's markers after scaling."""
    return read_tool(path, "ScaleTool").findtext("MarkerPlacer/apply", "true").strip().lower() == "true"


def read_scale_set(path: str | Path) -> dict[str, np.ndarray]:
    """Scale factors (3,) by body of a ScaleSet file."""
    root = ET.fromstring(read_text(path, "a scale set"))
    return {
        scale.findtext("segment", "").strip(): np.array(
            scale.findtext("scales", "1 1 1").split(), dtype=float
        )
        for scale in root.iter("Scale")
    }


def write_marker_set(path: Path, markers: Iterable[Marker], *, fixed: bool = True) -> Path:
    """A MarkerSet file, for ScaleTool's `marker_set_file`."""
    document, marker_set = _new_document("MarkerSet", "markers")
    objects = _descend(marker_set, "objects")
    for marker in markers:
        element = ET.SubElement(objects, "Marker", name=marker.name)
        _set(element, "socket_parent_frame", f"/bodyset/{marker.body}")
        _set(element, "location", _join(marker.offset))
        _set(element, "fixed", str(fixed).lower())
    return _write(path, document)


def ik_weights(path: str | Path) -> dict[str, float]:
    """Weight of each marker that an InverseKinematicsTool set-up tracks."""
    tool = read_tool(path, "InverseKinematicsTool")
    return {
        task.get("name", ""): float(task.findtext("weight", "1"))
        for task in tool.iter("IKMarkerTask")
        if task.findtext("apply", "true").strip().lower() == "true"
        and float(task.findtext("weight", "1")) > 0
    }


def has_coordinate_tasks(path: str | Path) -> bool:
    """Whether an InverseKinematicsTool set-up also pulls coordinates to values."""
    tasks = read_tool(path, "InverseKinematicsTool").iter("IKCoordinateTask")
    return any(task.findtext("apply", "true").strip().lower() == "true" for task in tasks)


def ik_time_range(path: str | Path) -> tuple[float, float]:
    """First and last time that an InverseKinematicsTool set-up asks for, s."""
    text = read_tool(path, "InverseKinematicsTool").findtext("time_range", "")
    first, last = (float(word) for word in (text.split() or ("-inf", "inf")))
    return (first, last) if last > first else (-np.inf, np.inf)


def stage_ik_setup(
    folder: Path,
    *,
    setup: str | Path | None,
    weights: Mapping[str, float],
    model_file: str,
    marker_file: str,
    accuracy: float,
) -> Path:
    """An InverseKinematicsTool set-up in `folder`: the user's with our files, or one made from `weights`."""
    if setup is None:
        document, tool = _new_document("InverseKinematicsTool", "ik")
        objects = _descend(tool, "IKTaskSet/objects")
        for name, weight in weights.items():
            task = ET.SubElement(objects, "IKMarkerTask", name=name)
            _set(task, "apply", "true")
            _set(task, "weight", repr(float(weight)))
    else:
        document, tool = _read_document(setup, "InverseKinematicsTool")
        tool.set("name", "ik")
        _stage_input(Path(setup), tool, "coordinate_file", "a coordinate file", folder)
        coordinate_file = tool.findtext("coordinate_file", "").strip()
        if coordinate_file.lower() not in _UNASSIGNED:
            _set(tool, "coordinate_file", str(folder / coordinate_file))
        for task in (element for element in tool.iter("IKMarkerTask") if element.get("name") not in weights):
            _set(task, "apply", "false")
    settings = {
        "results_directory": str(folder),  # every path absolute: this tool looks from the working directory
        "model_file": str(folder / model_file),
        "marker_file": str(folder / marker_file),
        "accuracy": repr(accuracy),
        "time_range": "-1 1e9",
        "report_errors": "true",
        "output_motion_file": str(folder / IK_MOTION),
        "report_marker_locations": "false",
    }
    for field, value in settings.items():
        _set(tool, field, value)
    return _write(folder / "ik_setup.xml", document)


def _read_document(path: str | Path, kind: str) -> tuple[ET.Element, ET.Element]:
    """The document (its version says how OpenSim must read it) and the tool in it."""
    expected = f"an OpenSim {kind} set-up"
    try:
        document = ET.fromstring(read_text(path, expected))
    except ET.ParseError as error:
        raise InputError(path, f"ill-formed XML ({error})", expected) from None
    tool = document.find(kind)
    if tool is None:
        inside = next((child.tag for child in document), document.tag)
        raise InputError(path, f"<{inside}>", expected)
    return document, tool


def _named_file(setup: Path, tool: ET.Element, field: str) -> Path | None:
    """The file a set-up names in `field`, relative to the set-up; None if it names none."""
    text = tool.findtext(field, "").strip().replace("\\", "/")
    return None if text.lower() in _UNASSIGNED else (setup.parent / text).resolve()


def _written_models(setup: Path) -> Sequence[Path]:
    """Models that a file writes, if it is a ScaleTool set-up."""
    try:
        tool = read_tool(setup, "ScaleTool")
    except InputError:
        return ()
    fields = ("ModelScaler/output_model_file", "MarkerPlacer/output_model_file")
    return [file for field in fields if (file := _named_file(setup, tool, field)) is not None]


def _stage_input(setup: Path, tool: ET.Element, field: str, kind: str, folder: Path) -> None:
    source = _named_file(setup, tool, field)
    if source is None:
        return
    if not source.exists():
        raise InputError(f"{setup}, {field}", f"{source}, which does not exist", kind)
    target = folder / f"{field.replace('/', '_')}{source.suffix}"
    shutil.copyfile(existing_file(source, kind), target)
    target.chmod(0o644)
    _set(tool, field, target.name)


def _descend(element: ET.Element, path: str) -> ET.Element:
    """The element at `path`, made where it is missing."""
    for tag in path.split("/"):
        child = element.find(tag)
        element = ET.SubElement(element, tag) if child is None else child
    return element


def _set(element: ET.Element, path: str, text: str) -> None:
    _descend(element, path).text = text


def _join(values: Iterable[float]) -> str:
    return " ".join(repr(float(value)) for value in values)


def _new_document(tag: str, name: str) -> tuple[ET.Element, ET.Element]:
    document = ET.Element("OpenSimDocument", Version=_DOCUMENT_VERSION)
    return document, ET.SubElement(document, tag, name=name)


def _write(path: Path, document: ET.Element) -> Path:
    ET.ElementTree(document).write(path, encoding="UTF-8", xml_declaration=True)
    return path
