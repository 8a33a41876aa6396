"""Which vertex of a body carries which marker: placed by anatomical rules, kept as editable YAML."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from odah.body.registration.landmark_rules import MIDLINE_RULES, SIDE_RULES, STATURE, LandmarkRule
from odah.errors import InputError, OdahError
from odah.files import atomic_path, read_text
from odah.names import SMPLX_INDEX

_MIRROR = np.array([-1.0, 1.0, 1.0])
_EDGE = 1e-6
"""Slack in barycentric coordinates, so that a ray along the midline cannot slip between two triangles."""

_MIDLINE_TOLERANCE = 0.02
"""m; how far off the sagittal plane a midline marker's vertex may be."""


@dataclass(frozen=True)
class LayoutMarker:
    """side: "left", "right" or "middle"; bone: OpenSim body that carries the marker."""

    vertex: int
    side: str
    bone: str
    description: str


@dataclass(frozen=True)
class MarkerLayout:
    """Markers by name, on the mesh whose topology has `num_vertices` and `topology` (see `topology_hash`)."""

    markers: dict[str, LayoutMarker]
    num_vertices: int
    topology: str

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.markers)

    @property
    def vertices(self) -> np.ndarray:
        """(M,) int64 vertex of each marker."""
        return np.array([marker.vertex for marker in self.markers.values()], dtype=np.int64)

    @property
    def bones(self) -> tuple[str, ...]:
        return tuple(marker.bone for marker in self.markers.values())


def topology_hash(faces: np.ndarray, num_vertices: int) -> str:
    """Says whether two meshes share vertex numbers: SHA-256 of the triangles, first 16 digits."""
    data = np.ascontiguousarray(faces, dtype="<i8").tobytes() + str(num_vertices).encode()
    return hashlib.sha256(data).hexdigest()[:16]


def _first_hit(origin: np.ndarray, direction: np.ndarray, vertices: np.ndarray, faces: np.ndarray) -> int:
    """Vertex nearest to where a ray from inside leaves the mesh (Moeller and Trumbore 1997); -1: nowhere."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    edge_u, edge_v = b - a, c - a
    cross = np.cross(direction, edge_v)
    determinant = (edge_u * cross).sum(1)
    is_leaving = determinant < -1e-12
    inverse = np.where(is_leaving, 1 / np.where(is_leaving, determinant, 1), 0)
    from_a = origin - a
    u = (from_a * cross).sum(1) * inverse
    other = np.cross(from_a, edge_u)
    v = (other @ direction) * inverse
    distance = (edge_v * other).sum(1) * inverse
    is_hit = is_leaving & (u >= -_EDGE) & (v >= -_EDGE) & (u + v <= 1 + _EDGE) & (distance > 0)
    if not is_hit.any():
        return -1
    face = int(np.argmin(np.where(is_hit, distance, np.inf)))
    point = origin + distance[face] * direction
    corners = faces[face]
    return int(corners[np.argmin(np.linalg.norm(vertices[corners] - point, axis=1))])


def _joint(joints: np.ndarray, name: str) -> np.ndarray:
    index = SMPLX_INDEX[name] if name in SMPLX_INDEX else SMPLX_INDEX[f"left_{name}"]
    return joints[index]


def _place(rule: LandmarkRule, vertices: np.ndarray, faces: np.ndarray, joints: np.ndarray) -> int:
    start = _joint(joints, rule.start)
    origin = start + rule.fraction * (_joint(joints, rule.end or rule.start) - start)
    origin = origin + np.array(rule.offset) * np.ptp(vertices[:, 1]) / STATURE
    direction = np.array(rule.direction, dtype=float)
    vertex = _first_hit(origin, direction / np.linalg.norm(direction), vertices, faces)
    if vertex < 0:
        raise OdahError(f"the ray of marker {rule.name} leaves no skin; is the body a closed mesh in T-pose?")
    return vertex


def place_markers(vertices: np.ndarray, faces: np.ndarray, joints: np.ndarray) -> MarkerLayout:
    """Find every marker's vertex on a T-pose body.

    Args:
        vertices, joints: (N, 3), (55, 3) mean shape in SMPL-X's T-pose, m, Y-up, left +X.
        faces: (F, 3), counter-clockwise seen from outside.

    Raises:
        OdahError: a ray finds no skin, or the sides do not mirror each other.
    """
    markers: dict[str, LayoutMarker] = {}
    for rule in MIDLINE_RULES:
        vertex = _place(rule, vertices, faces, joints)
        markers[rule.name] = LayoutMarker(vertex, "middle", rule.bone, rule.description)
    for rule in SIDE_RULES:
        left = _place(rule, vertices, faces, joints)
        right = int(np.argmin(np.linalg.norm(vertices - vertices[left] * _MIRROR, axis=1)))
        for side, vertex in (("right", right), ("left", left)):
            bone = rule.bone if rule.bone in ("pelvis", "torso") else f"{rule.bone}_{side[0]}"
            markers[f"{side[0].upper()}{rule.name}"] = LayoutMarker(vertex, side, bone, rule.description)
    layout = MarkerLayout(markers, len(vertices), topology_hash(faces, len(vertices)))
    check_sides(layout, vertices)
    return layout


def check_sides(layout: MarkerLayout, vertices: np.ndarray) -> None:
    """Raise InputError if a marker lies on the other side of the T-pose body than it says."""
    for name, marker in layout.markers.items():
        x = vertices[marker.vertex, 0]
        is_right_side = {"left": x > 0, "right": x < 0, "middle": abs(x) < _MIDLINE_TOLERANCE}[marker.side]
        if not is_right_side:
            raise InputError(
                f"marker layout: {name}",
                f"vertex {marker.vertex} at x = {x:.3f} m",
                f"one on the {marker.side}",
            )


def check_body(layout: MarkerLayout, faces: np.ndarray, num_vertices: int) -> None:
    """Raise InputError if the layout was made for a mesh with other vertex numbers."""
    for name, marker in layout.markers.items():
        if not 0 <= marker.vertex < num_vertices:
            raise InputError(
                f"marker layout: {name}", f"vertex {marker.vertex}", f"one of {num_vertices} vertices"
            )
    if layout.topology != topology_hash(faces, num_vertices):
        raise InputError(
            "marker layout", f"topology {layout.topology} ({layout.num_vertices} vertices)",
            f"the body's {topology_hash(faces, num_vertices)} ({num_vertices} vertices)",
        )  # fmt: skip


def save_layout(layout: MarkerLayout, path: str | Path) -> None:
    """Write a layout as YAML that a person can edit."""
    data = {
        "about": "Vertex of the body mesh that carries each marker; vertex numbers start at 0.",
        "num_vertices": layout.num_vertices,
        "topology": layout.topology,
        "markers": {
            name: {"vertex": m.vertex, "side": m.side, "bone": m.bone, "description": m.description}
            for name, m in layout.markers.items()
        },
    }
    with atomic_path(path) as temporary:
        temporary.write_text(yaml.safe_dump(data, sort_keys=False, width=100))


def load_layout(path: str | Path) -> MarkerLayout:
    """Read a layout.

    Raises:
        InputError: missing file, bad YAML, or a marker without an integer vertex, side or bone.
    """
    try:
        data = yaml.safe_load(read_text(path, "a YAML marker layout"))
    except yaml.YAMLError as error:
        raise InputError(path, " ".join(str(error).split()), "valid YAML") from None
    if not isinstance(data, dict) or not isinstance(data.get("markers"), dict):
        raise InputError(path, "no `markers`", "a mapping of marker names to vertices")
    markers = {str(name): _parse_marker(path, str(name), entry) for name, entry in data["markers"].items()}
    if not isinstance(data.get("num_vertices"), int):
        raise InputError(
            f"{path}: num_vertices", repr(data.get("num_vertices")), "the mesh's number of vertices"
        )
    return MarkerLayout(markers, data["num_vertices"], str(data.get("topology", "")))


def _parse_marker(path: str | Path, name: str, entry: object) -> LayoutMarker:
    entry = entry if isinstance(entry, dict) else {}
    vertex, side, bone = entry.get("vertex"), entry.get("side"), entry.get("bone")
    if not isinstance(vertex, int) or isinstance(vertex, bool):
        raise InputError(f"{path}: markers.{name}.vertex", repr(vertex), "a vertex number")
    if side not in ("left", "right", "middle"):
        raise InputError(f"{path}: markers.{name}.side", repr(side), "left, right or middle")
    if not isinstance(bone, str):
        raise InputError(f"{path}: markers.{name}.bone", repr(bone), "the name of an OpenSim body")
    return LayoutMarker(vertex, side, bone, str(entry.get("description", "")))
