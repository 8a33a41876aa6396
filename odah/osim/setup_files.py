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
from odah.osim.document import Node
from odah.osim.model import GROUND, Marker
from odah.osim.setup_document import (
    descend,
    joined,
    named_file,
    named_input,
    new_document,
    objects,
    open_setup,
    put,
    tool_node,
    write_document,
)
from odah.osim.setup_document import read_tool as read_tool

_SCALE_INPUTS = {
    "GenericModelMaker": {"model_file": "a model", "marker_set_file": "a marker set"},
    "ModelScaler": {"marker_file": "a marker file"},
    "MarkerPlacer": {"marker_file": "a marker file", "coordinate_file": "a coordinate file"},
}
SCALED_MODEL, PLACED_MODEL, SCALE_SET, IK_MOTION = "scaled.osim", "placed.osim", "scale_set.xml", "ik.mot"
_SCALE_OUTPUTS = {
    "ModelScaler": {"output_model_file": SCALED_MODEL, "output_scale_file": SCALE_SET},
    "MarkerPlacer": {
        "output_model_file": PLACED_MODEL,
        "output_motion_file": "Unassigned",
        "output_marker_file": "Unassigned",
    },
}


def scale_setup_chain(path: str | Path, *, model_path: str | Path | None = None) -> tuple[Path, ...]:
    """The ScaleTool set-ups to run, in order, so that `path` finds its model.

    A set-up whose model file does not exist is preceded by the set-up in the same folder that writes that
    file (the usual pair: scale only, then place markers).

    Raises:
        InputError: the model of the first set-up is missing and none was given.
    """
    return _chain(Path(path), None if model_path is None else Path(model_path), ())


def stage_scale_setup(
    path: str | Path, folder: Path, *, model_path: str | Path | None = None, mass: float | None = None
) -> Path:
    """Copy a ScaleTool set-up and what it names into `folder`; its results will be written there too.

    model_path: takes the place of the set-up's model file. mass: takes the place of its mass, kg.
    """
    document, tool = open_setup(path, "ScaleTool")
    if model_path is not None:
        put(tool, "GenericModelMaker/model_file", str(Path(model_path).absolute()))
    for section, inputs in _SCALE_INPUTS.items():
        for element in tool.findall(section):
            for field, kind in inputs.items():
                _stage_input(Node(element, str(path), {}), field, kind, folder)
    if mass is not None and Node(tool, str(path), {}).number("mass", 0.0) > 0:
        put(tool, "mass", repr(mass))
    for section, outputs in _SCALE_OUTPUTS.items():
        for element in tool.findall(section):  # a section that is not there is a step left out
            for field, name in outputs.items():
                put(element, field, name)
    return write_document(folder / "scale_setup.xml", document)


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
    document, tool = new_document("ScaleTool", "subject")
    put(tool, "mass", "-1" if mass is None else repr(float(mass)))
    put(tool, "GenericModelMaker/model_file", model_file)
    put(tool, "GenericModelMaker/marker_set_file", marker_set_file)
    put(tool, "ModelScaler/apply", "true")
    put(tool, "ModelScaler/scaling_order", "manualScale")
    scales = descend(tool, "ModelScaler/ScaleSet/objects")
    for body, factors in scale_factors.items():
        scale = ET.SubElement(scales, "Scale")
        put(scale, "scales", joined(factors))
        put(scale, "segment", body)
        put(scale, "apply", "true")
    put(tool, "ModelScaler/preserve_mass_distribution", "true")
    put(tool, "MarkerPlacer/apply", "false")
    return write_document(path, document)


def places_markers(path: str | Path) -> bool:
    """Whether a ScaleTool set-up moves the model's markers after scaling."""
    tool = tool_node(path, "ScaleTool")
    return tool.find("MarkerPlacer") is not None and tool.child("MarkerPlacer").flag("apply", True)


def read_scale_set(path: str | Path) -> dict[str, np.ndarray]:
    """Scale factors (3,) by body of a ScaleSet file."""
    scales = objects(tool_node(path, "ScaleSet"), "objects", "Scale")
    return {scale.text("segment"): scale.vector("scales", 3, (1.0, 1.0, 1.0)) for scale in scales}


def write_marker_set(path: Path, markers: Iterable[Marker], *, fixed: bool = True) -> Path:
    """A MarkerSet file, for ScaleTool's `marker_set_file`."""
    document, marker_set = new_document("MarkerSet", "markers")
    listed = descend(marker_set, "objects")
    for marker in markers:
        element = ET.SubElement(listed, "Marker", name=marker.name)
        frame = GROUND if marker.body == GROUND else f"bodyset/{marker.body}"
        put(element, "socket_parent_frame", f"/{frame}")
        put(element, "location", joined(marker.offset))
        put(element, "fixed", str(fixed).lower())
    return write_document(path, document)


def ik_weights(path: str | Path) -> dict[str, float]:
    """Weight of each marker that an InverseKinematicsTool set-up tracks."""
    tasks = objects(tool_node(path, "InverseKinematicsTool"), "IKTaskSet", "IKMarkerTask")
    weights = {task.name: task.number("weight", 1.0) for task in tasks if task.flag("apply", True)}
    return {name: weight for name, weight in weights.items() if weight > 0}


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
        document, tool = new_document("InverseKinematicsTool", "ik")
        tasks = descend(tool, "IKTaskSet/objects")
        for name, weight in weights.items():
            task = ET.SubElement(tasks, "IKMarkerTask", name=name)
            put(task, "apply", "true")
            put(task, "weight", repr(float(weight)))
    else:
        document, tool = open_setup(setup, "InverseKinematicsTool")
        tool.set("name", "ik")
        staged = _stage_input(Node(tool, str(setup), {}), "coordinate_file", "a coordinate file", folder)
        if staged is not None:
            put(tool, "coordinate_file", str(staged))
        for task in (element for element in tool.iter("IKMarkerTask") if element.get("name") not in weights):
            put(task, "apply", "false")
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
        put(tool, field, value)
    return write_document(folder / "ik_setup.xml", document)


def _chain(path: Path, model_path: Path | None, later: tuple[Path, ...]) -> tuple[Path, ...]:
    """`path` and what comes before it. later: set-ups that come after it, which it cannot need."""
    tool = tool_node(path, "ScaleTool")
    has_maker = tool.find("GenericModelMaker") is not None
    model = named_file(tool.child("GenericModelMaker"), "model_file") if has_maker else None
    if model is None or model.exists():
        return (path,)
    for sibling in sorted(path.parent.glob("*.xml")):
        if sibling not in (path, *later) and model in _written_models(sibling):
            return (*_chain(sibling, model_path, (path, *later)), path)
    if model_path is None:
        raise InputError(
            f"{path}, model_file",
            f"{model.name}, which does not exist",
            "a model, or a set-up beside it that writes it",
        )
    return (path,)


def _written_models(setup: Path) -> Sequence[Path]:
    """Models that a file writes, if it is a ScaleTool set-up."""
    try:
        tool = tool_node(setup, "ScaleTool")
    except InputError:
        return ()
    sections = [tool.wrap(element) for tag in _SCALE_OUTPUTS for element in tool.element.findall(tag)]
    files = (named_file(section, "output_model_file") for section in sections)
    return [file for file in files if file is not None]


def _stage_input(node: Node, field: str, kind: str, folder: Path) -> Path | None:
    """Copy the file that a field names, if it names one, and name the copy instead."""
    source = named_input(node, field, kind)
    if source is None:
        return None
    target = folder / f"{node.tag}_{field}{source.suffix}"
    shutil.copyfile(source, target)
    target.chmod(0o644)
    put(node.element, field, target.name)
    return target
