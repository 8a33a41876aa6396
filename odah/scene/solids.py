"""Triangles of furniture and rooms, for whatever must know what stands before what."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from odah.scene.types import Room, Solid

NUM_SIDES = 24
"""Corners of a round thing's outline; Blender's meshes have as many."""


def solid_mesh(solid: Solid) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (N, 3) in world, m, and faces (F, 3) that are counter-clockwise from outside."""
    vertices, faces = _UNIT_MESHES[solid.shape]
    c, s = np.cos(solid.yaw), np.sin(solid.yaw)
    R = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    return (vertices * solid.size) @ R.T + solid.position, faces


def solid_corners(solid: Solid) -> np.ndarray:
    """(8, 3) corners of the box that holds a solid, world, m."""
    c, s = np.cos(solid.yaw), np.sin(solid.yaw)
    R = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    return (_CORNERS * solid.size) @ R.T + solid.position


def room_mesh(room: Room) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (N, 3) in world, m, and faces (F, 3) that are counter-clockwise from inside the room.

    An open set is its ground alone.
    """
    length, width, height = room.size
    vertices = np.add(_CORNERS, [0, 0, 0.5]) * [length, width, height]
    vertices[:, :2] = vertices[:, :2] @ room.axes + room.center
    faces = _BOX_FACES[:, ::-1]
    return vertices, faces[:2] if room.is_open else faces


def joined(meshes: Iterable[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Several meshes as one."""
    all_vertices, all_faces, count = [np.zeros((0, 3))], [np.zeros((0, 3), np.int64)], 0
    for vertices, faces in meshes:
        all_vertices.append(vertices)
        all_faces.append(faces + count)
        count += len(vertices)
    return np.concatenate(all_vertices), np.concatenate(all_faces)


_CORNERS = np.array([(x, y, z) for z in (-0.5, 0.5) for y in (-0.5, 0.5) for x in (-0.5, 0.5)])
_BOX_FACES = np.array(
    [
        *((0, 2, 3), (0, 3, 1)),  # bottom
        *((4, 5, 7), (4, 7, 6)),  # top
        *((0, 1, 5), (0, 5, 4)),  # -y
        *((2, 6, 7), (2, 7, 3)),  # +y
        *((0, 4, 6), (0, 6, 2)),  # -x
        *((1, 3, 7), (1, 7, 5)),  # +x
    ]
)


def _rings(radii: np.ndarray, heights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A closed surface through circles about z; both ends are capped by a fan from the first corner."""
    angle = np.arange(NUM_SIDES) * 2 * np.pi / NUM_SIDES
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    vertices = np.concatenate(
        [np.column_stack([r * circle, np.full(NUM_SIDES, z)]) for r, z in zip(radii, heights, strict=True)]
    )
    faces = []
    for ring in range(len(radii) - 1):
        for here in range(NUM_SIDES):
            there = (here + 1) % NUM_SIDES
            a, b = ring * NUM_SIDES + here, ring * NUM_SIDES + there
            faces += [(a, b, b + NUM_SIDES), (a, b + NUM_SIDES, a + NUM_SIDES)]
    last = (len(radii) - 1) * NUM_SIDES
    for corner in range(1, NUM_SIDES - 1):
        faces += [(0, corner + 1, corner), (last, last + corner, last + corner + 1)]
    return vertices, np.array(faces)


def _unit_ball() -> tuple[np.ndarray, np.ndarray]:
    polar = np.linspace(0, np.pi, 13)[1:-1]
    return _rings(0.5 * np.sin(polar), -0.5 * np.cos(polar))


def _unit_rod() -> tuple[np.ndarray, np.ndarray]:
    vertices, faces = _rings(np.full(2, 0.5), np.array([-0.5, 0.5]))
    return vertices[:, [2, 0, 1]], faces  # a rotation: z becomes x


_UNIT_MESHES = {
    "box": (_CORNERS, _BOX_FACES),
    "cylinder": _rings(np.full(2, 0.5), np.array([-0.5, 0.5])),
    "rod": _unit_rod(),
    "ball": _unit_ball(),
}
