"""A marker layout as YAML that a person can edit."""

from __future__ import annotations

from pathlib import Path

import yaml

from odah.body.registration.marker_layout import (
    SIDES_OF_MARKERS,
    LayoutMarker,
    MarkerLayout,
    check_names,
    check_vertices,
)
from odah.errors import InputError
from odah.files import atomic_path, read_text
from odah.osim.full_body import full_body_model

_ABOUT = (
    "Point of the body mesh that carries each marker: a vertex, or three vertices of a triangle and their "
    "weights, which sum to one; vertex numbers start at 0. bone: OpenSim body."
)
_SUM_TOLERANCE = 1e-6


def save_layout(layout: MarkerLayout, path: str | Path) -> None:
    """Write a layout, whole or not at all."""
    data = {
        "about": _ABOUT,
        "num_vertices": layout.num_vertices,
        "topology": layout.topology,
        "markers": {name: _entry(marker) for name, marker in layout.markers.items()},
    }
    with atomic_path(path) as temporary:
        temporary.write_text(yaml.dump(data, Dumper=_Dumper, sort_keys=False, width=100), encoding="utf-8")


class _Dumper(yaml.SafeDumper):
    """Lists on one line."""


_Dumper.add_representer(
    list, lambda dumper, data: dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=True)
)


def _entry(marker: LayoutMarker) -> dict[str, object]:
    where: dict[str, object] = {"vertex": marker.vertices[0]}
    if len(marker.vertices) > 1:
        where = {"vertices": list(marker.vertices), "weights": list(marker.weights)}
    return {**where, "side": marker.side, "bone": marker.bone, "description": marker.description}


def load_layout(path: str | Path) -> MarkerLayout:
    """Read a layout; whether it fits a body is for `check_body` and `check_sides` to say.

    Raises:
        InputError: missing file, bad YAML, a marker without a vertex or a triangle, weights that do not sum
            to one, an unknown side or bone, a side that its name contradicts, two markers on one point.
    """
    try:
        data = yaml.safe_load(read_text(path, "a YAML marker layout"))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(path, " ".join(str(error).split()), "valid YAML") from None
    if not isinstance(data, dict) or not isinstance(data.get("markers"), dict) or not data["markers"]:
        raise InputError(path, "no `markers`", "a mapping of marker names to vertices")
    markers = {str(name): _parse_marker(path, str(name), entry) for name, entry in data["markers"].items()}
    if not _is_index(data.get("num_vertices")):
        found = repr(data.get("num_vertices"))
        raise InputError(f"{path}: num_vertices", found, "the mesh's number of vertices")
    layout = MarkerLayout(markers, data["num_vertices"], str(data.get("topology", "")))
    check_vertices(layout, layout.num_vertices, path)
    check_names(layout, full_body_model().body_names, path)
    return layout


def _is_index(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _parse_marker(path: str | Path, name: str, entry: object) -> LayoutMarker:
    entry = entry if isinstance(entry, dict) else {}
    where = f"{path}: markers.{name}"
    if not name:
        raise InputError(where, "an empty name", "a marker name")
    vertices, weights = _parse_point(where, entry)
    side, bone = entry.get("side"), entry.get("bone")
    if side not in SIDES_OF_MARKERS:
        raise InputError(f"{where}.side", repr(side), "left, right or middle")
    if not isinstance(bone, str):
        raise InputError(f"{where}.bone", repr(bone), "the name of an OpenSim body")
    return LayoutMarker(vertices, weights, side, bone, str(entry.get("description", "")))


def _parse_point(where: str, entry: dict[object, object]) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """A vertex alone, or three vertices and their weights."""
    vertex, vertices, weights = (entry.get(key) for key in ("vertex", "vertices", "weights"))
    if vertices is None:
        if not isinstance(vertex, int) or isinstance(vertex, bool):
            raise InputError(f"{where}.vertex", repr(vertex), "a vertex number, or `vertices` and `weights`")
        return (vertex,), (1.0,)
    if vertex is not None:
        raise InputError(f"{where}.vertex", f"{vertex!r} beside `vertices`", "one of the two")
    if not isinstance(vertices, list) or len(vertices) != 3 or not all(map(_is_index, vertices)):
        raise InputError(f"{where}.vertices", repr(vertices), "three vertex numbers")
    if len(set(vertices)) != 3:
        raise InputError(f"{where}.vertices", repr(vertices), "three different vertices")
    if not isinstance(weights, list) or len(weights) != 3 or not all(map(_is_share, weights)):
        raise InputError(f"{where}.weights", repr(weights), "three weights of 0 to 1")
    if abs(sum(weights) - 1) > _SUM_TOLERANCE:
        raise InputError(f"{where}.weights", f"a sum of {sum(weights):.7g}", "weights that sum to 1")
    return tuple(vertices), tuple(map(float, weights))


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
