"""Furniture as one mesh: boxes with bevelled edges and round things, uv in metres over the tile size."""

from __future__ import annotations

from collections.abc import Iterator

import bpy
import numpy as np
import rooms
from surfaces import SurfaceMaterials

NUM_SIDES = 24
"""Corners of a round thing's outline; the host's meshes have as many."""
_BEVEL = 0.006

Mesh = tuple[np.ndarray, list[tuple[int, ...]], list[bool]]
"""Vertices (N, 3) in m, faces, and which faces are smooth."""


def build_furniture(furniture: list[dict], shared: SurfaceMaterials) -> None:
    """All furniture of a scene as one object: the renderer's work grows with the number of objects."""
    solids = [solid for thing in furniture for solid in thing["solids"]]
    if not solids:
        return
    vertices, faces, uvs, slots, smooth = [], [], [], [], []
    mesh = bpy.data.meshes.new("furniture")
    slot_of: dict[str, int] = {}
    count = 0
    for index, solid in enumerate(solids):
        surface = solid["surface"]
        material = shared.furniture_material(surface)
        if material.name not in slot_of:
            slot_of[material.name] = len(slot_of)
            mesh.materials.append(material)
        local, solid_faces, is_smooth = _solid(solid["shape"], np.array(solid["size"]))
        uvs.append(_uv(local, solid_faces, np.array(solid["size"]), surface["tile_size"], index))
        c, s = np.cos(solid["yaw"]), np.sin(solid["yaw"])
        turned = local @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
        vertices.append(turned + solid["position"])
        faces += [tuple(corner + count for corner in face) for face in solid_faces]
        slots += [slot_of[material.name]] * len(solid_faces)
        smooth += is_smooth
        count += len(local)
    mesh.from_pydata(np.concatenate(vertices).tolist(), [], faces)
    mesh.uv_layers.new(name="UVMap").data.foreach_set("uv", np.concatenate(uvs).astype(np.float32).ravel())
    mesh.polygons.foreach_set("material_index", slots)
    mesh.polygons.foreach_set("use_smooth", smooth)
    rooms.link(bpy.data.objects.new("furniture", mesh))


def _solid(shape: str, size: np.ndarray) -> Mesh:
    """A solid around the origin."""
    if shape == "box":
        return _box(size)
    vertices, faces, smooth = _ball() if shape == "ball" else _cylinder()
    if shape == "rod":
        vertices = vertices[:, [2, 0, 1]]
    return vertices * size, faces, smooth


def _box(size: np.ndarray) -> Mesh:
    """A box whose edges are cut off; thin ones stay sharp."""
    bevel = min(_BEVEL, size.min() / 5)
    corners = np.array([(x, y, z) for z in (-1, 1) for y in (-1, 1) for x in (-1, 1)])
    half = size / 2
    if size.min() < 0.025:
        return corners * half, [tuple(face) for face in _BOX_FACES], [False] * 6
    # vertex 3 c + a: corner c on the face whose normal is axis a
    inset = np.repeat(corners * (half - bevel), 3, axis=0) + np.tile(np.eye(3), (8, 1)) * np.repeat(
        corners * bevel, 3, axis=0
    )
    return inset, _BEVELLED_FACES, [False] * len(_BEVELLED_FACES)


def _bevelled_faces() -> Iterator[tuple[int, ...]]:
    axes = (2, 2, 1, 1, 0, 0)
    for face, axis in zip(_BOX_FACES, axes, strict=True):
        yield tuple(3 * corner + axis for corner in face)
    for first, axis in enumerate(axes):
        for second in range(first + 1, 6):
            face, other = _BOX_FACES[first], _BOX_FACES[second]
            edge = [(a, b) for a, b in zip(face, face[1:] + face[:1], strict=True) if {a, b} <= set(other)]
            for a, b in edge:
                yield (3 * b + axis, 3 * a + axis, 3 * a + axes[second], 3 * b + axes[second])
    for corner in range(8):
        turns = bin(corner).count("1") % 2
        yield tuple(3 * corner + axis for axis in ((0, 1, 2) if turns else (2, 1, 0)))


_BOX_FACES = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
_BEVELLED_FACES = list(_bevelled_faces())


def _rings(radii: np.ndarray, heights: np.ndarray) -> tuple[np.ndarray, list[tuple[int, ...]]]:
    angle = np.arange(NUM_SIDES) * 2 * np.pi / NUM_SIDES
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    vertices = np.concatenate(
        [np.column_stack([r * circle, np.full(NUM_SIDES, z)]) for r, z in zip(radii, heights, strict=True)]
    )
    faces: list[tuple[int, ...]] = []
    for ring in range(len(radii) - 1):
        for here in range(NUM_SIDES):
            a, b = ring * NUM_SIDES + here, ring * NUM_SIDES + (here + 1) % NUM_SIDES
            faces.append((a, b, b + NUM_SIDES, a + NUM_SIDES))
    last = (len(radii) - 1) * NUM_SIDES
    faces += [tuple(range(NUM_SIDES))[::-1], tuple(range(last, last + NUM_SIDES))]
    return vertices, faces


def _cylinder() -> Mesh:
    vertices, faces = _rings(np.full(2, 0.5), np.array([-0.5, 0.5]))
    caps = np.arange(2 * NUM_SIDES, 4 * NUM_SIDES)
    faces[-2:] = [tuple(caps[:NUM_SIDES][::-1].tolist()), tuple(caps[NUM_SIDES:].tolist())]
    return np.concatenate([vertices, vertices]), faces, [True] * NUM_SIDES + [False] * 2


def _ball() -> Mesh:
    polar = np.linspace(0, np.pi, 13)[1:-1]
    vertices, faces = _rings(0.5 * np.sin(polar), -0.5 * np.cos(polar))
    return vertices, faces, [True] * len(faces)


def _uv(
    vertices: np.ndarray, faces: list[tuple[int, ...]], size: np.ndarray, tile: float, index: int
) -> np.ndarray:
    """(corners of all faces, 2): each face from the side it looks to, another offset for every solid.

    A pattern's columns run along the longer edge of that side, but level on a panel.
    """
    is_panel = size[2] > 0.3 and size[:2].min() < 0.06
    corners = np.array([corner for face in faces for corner in face])
    counts = np.array([len(face) for face in faces])
    first, second, third = (vertices[[face[place] for face in faces]] for place in range(3))
    axes = np.abs(np.cross(second - first, third - first)).argmax(1).repeat(counts)
    uv = np.empty((len(corners), 2))
    for axis in range(3):
        across, up = (other for other in range(3) if other != axis)
        if size[up] > size[across] and not is_panel:
            across, up = up, across
        uv[axes == axis] = vertices[corners[axes == axis]][:, [across, up]]
    return uv / tile + np.array([0.618, 0.382]) * index % 1.0
