"""Which point of a body's skin carries which marker, and whether the body has it on the right side."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from odah.errors import InputError

SIDES_OF_MARKERS = ("left", "right", "middle")
_SIDE_LETTERS = {"R": "right", "L": "left"}
_MIDLINE_TOLERANCE = 0.02
"""m; how far off the sagittal plane a midline marker may be."""


@dataclass(frozen=True)
class LayoutMarker:
    """A point of the skin: one vertex with weight 1, or three of a triangle with weights that sum to one.

    side: "left", "right" or "middle"; bone: OpenSim body that carries the marker.
    """

    vertices: tuple[int, ...]
    weights: tuple[float, ...]
    side: str
    bone: str
    description: str


@dataclass(frozen=True)
class MarkerLayout:
    """Markers by name, on the mesh whose topology has `num_vertices` and `topology` (see `topology_hash`)."""

    markers: Mapping[str, LayoutMarker]
    num_vertices: int
    topology: str

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.markers)

    @property
    def bones(self) -> tuple[str, ...]:
        return tuple(marker.bone for marker in self.markers.values())

    @property
    def corners(self) -> Int[np.ndarray, "M 3"]:
        """The vertices of each marker; a marker on one vertex has it three times."""
        return np.array([(m.vertices * 3)[:3] for m in self.markers.values()], np.int64).reshape(-1, 3)

    @property
    def corner_weights(self) -> Float[np.ndarray, "M 3"]:
        """What each of `corners` counts; rows sum to one."""
        return np.array([(*m.weights, 0.0, 0.0)[:3] for m in self.markers.values()], float).reshape(-1, 3)

    @property
    def vertices(self) -> Int[np.ndarray, " M"]:
        """The vertex nearest to each marker: of its corners the one that counts most."""
        return np.take_along_axis(self.corners, self.corner_weights.argmax(1)[:, None], axis=1)[:, 0]

    @property
    def weights(self) -> sparse.csr_matrix:
        """(M, num_vertices), rows sum to one; times the vertices of a posed mesh gives the markers."""
        rows = np.repeat(np.arange(len(self.markers)), 3)
        entries = (self.corner_weights.ravel(), (rows, self.corners.ravel()))
        matrix = sparse.csr_matrix(entries, shape=(len(self.markers), self.num_vertices))
        matrix.eliminate_zeros()
        return matrix

    def points(self, vertices: Float[np.ndarray, "*B N 3"]) -> Float[np.ndarray, "*B M 3"]:
        """The markers on a mesh, float64, in its frame."""
        return (vertices[..., self.corners, :] * self.corner_weights[:, :, None]).sum(-2)


def topology_hash(faces: np.ndarray, num_vertices: int) -> str:
    """Says whether two meshes share vertex numbers: SHA-256 of the triangles, first 16 digits."""
    data = np.ascontiguousarray(faces, dtype="<i8").tobytes() + str(num_vertices).encode()
    return hashlib.sha256(data).hexdigest()[:16]


def check_sides(layout: MarkerLayout, vertices: np.ndarray) -> None:
    """Raise InputError if a marker lies on the other side of the T-pose body (N, 3) than it says."""
    for (name, marker), point in zip(layout.markers.items(), layout.points(vertices), strict=True):
        x = float(point[0])
        is_right_side = {"left": x > 0, "right": x < 0, "middle": abs(x) < _MIDLINE_TOLERANCE}[marker.side]
        if not is_right_side:
            numbers = ", ".join(map(str, marker.vertices))
            found = f"{'vertex' if len(marker.vertices) == 1 else 'vertices'} {numbers} at x = {x:.3f} m"
            raise InputError(f"marker layout: {name}", found, f"a point on the {marker.side}")


def check_body(layout: MarkerLayout, faces: np.ndarray, num_vertices: int) -> None:
    """Raise InputError if the layout was made for a mesh with other vertex numbers or other triangles."""
    check_vertices(layout, num_vertices)
    if layout.topology != topology_hash(faces, num_vertices):
        raise InputError(
            "marker layout", f"topology {layout.topology} ({layout.num_vertices} vertices)",
            f"the body's {topology_hash(faces, num_vertices)} ({num_vertices} vertices)",
        )  # fmt: skip
    sorted_faces = np.sort(faces, axis=1)
    for name, marker in layout.markers.items():
        if len(marker.vertices) == 3 and not (sorted_faces == sorted(marker.vertices)).all(1).any():
            found = f"vertices {', '.join(map(str, marker.vertices))}"
            raise InputError(f"marker layout: {name}", found, "the corners of one of the body's triangles")


def check_vertices(layout: MarkerLayout, num_vertices: int, where: object = "marker layout") -> None:
    """Raise InputError if a marker names a vertex beyond the mesh's."""
    for name, marker in layout.markers.items():
        for vertex in marker.vertices:
            if not 0 <= vertex < num_vertices:
                raise InputError(
                    f"{where}: {name}", f"vertex {vertex}", f"one of the body's {num_vertices} vertices"
                )


def check_names(layout: MarkerLayout, body_names: tuple[str, ...], where: object = "marker layout") -> None:
    """Raise InputError if names, sides, bones and points of markers contradict each other.

    Of a pair (R..., L...) each must be on the side of its name and of its bone; no two markers may share a
    point; every bone must be one of the model's `body_names`.
    """
    seen: dict[object, str] = {}
    for name, marker in layout.markers.items():
        _check_pair(layout, name, where)
        if marker.bone not in body_names:
            raise InputError(f"{where}: {name}.bone", repr(marker.bone), f"one of {', '.join(body_names)}")
        if {"_r": "right", "_l": "left"}.get(marker.bone[-2:], marker.side) != marker.side:
            raise InputError(f"{where}: {name}.bone", f"{marker.bone!r}", f"a body of the {marker.side} side")
        point = frozenset((v, w) for v, w in zip(marker.vertices, marker.weights, strict=True) if w)
        if point in seen:
            raise InputError(f"{where}: {name}", f"the same point as {seen[point]}", "a point of its own")
        seen[point] = name


def _check_pair(layout: MarkerLayout, name: str, where: object) -> None:
    partner = {"R": "L", "L": "R"}.get(name[0], name[0]) + name[1:]
    side = layout.markers[name].side
    if partner != name and partner in layout.markers and side != _SIDE_LETTERS[name[0]]:
        expected = f"{_SIDE_LETTERS[name[0]]}, as its name says (is it swapped with {partner}?)"
        raise InputError(f"{where}: {name}.side", side, expected)
