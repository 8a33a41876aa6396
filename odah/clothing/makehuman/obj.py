"""The part of Wavefront `.obj` that garments use: vertices, texture coordinates, faces."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from odah.clothing.makehuman.text import floats, words_of
from odah.errors import InputError

KIND = "a Wavefront mesh (.obj)"
MAX_FACES = 200_000


@dataclass(frozen=True)
class ObjMesh:
    """num_vertices; faces (F, 3), polygons cut into fans; uv (F, 3, 2) at their corners, or None."""

    num_vertices: int
    faces: np.ndarray
    uv: np.ndarray | None


def read_obj(path: Path) -> ObjMesh:
    """Read and check an `.obj` file; materials, normals and groups in it are left aside.

    Raises:
        InputError: not such a file; no faces or too many; values that are no numbers, or of no vertex.
    """
    num_vertices, uvs = 0, []
    corners: list[tuple[int, int]] = []
    for where, words in words_of(path, KIND):
        if words[0] == "v":
            floats(where, words[1:4], 3)
            num_vertices += 1
        elif words[0] == "vt":
            uvs.append(floats(where, words[1:3], 2))
        elif words[0] == "f":
            polygon = [_corner(where, word, num_vertices, len(uvs)) for word in words[1:]]
            if len(polygon) < 3:
                raise InputError(where, f"a face of {len(polygon)} corners", "at least 3 corners")
            for k in range(1, len(polygon) - 1):
                corners += (polygon[0], polygon[k], polygon[k + 1])
            if len(corners) > 3 * MAX_FACES:
                raise InputError(where, f"more than {MAX_FACES} triangles", f"{KIND} with fewer")
    if not corners:
        raise InputError(path, "no faces", KIND)
    vertex, uv = np.array(corners).T
    has_uv = bool((uv >= 0).all())
    return ObjMesh(num_vertices, vertex.reshape(-1, 3), np.array(uvs)[uv.reshape(-1, 3)] if has_uv else None)


def _corner(where: str, word: str, num_vertices: int, num_uvs: int) -> tuple[int, int]:
    """Vertex and texture coordinate (-1: none) of `v`, `v/t`, `v//n` or `v/t/n`, both from 0."""
    vertex, uv, *_ = (*word.split("/"), "")
    return (
        _resolved(where, vertex, num_vertices, "vertices"),
        _resolved(where, uv, num_uvs, "texture coordinates") if uv else -1,
    )


def _resolved(where: str, word: str, count: int, of_what: str) -> int:
    """Numbers count from 1, negative ones from the last so far."""
    expected = f"the number of one of the {count} {of_what} so far"
    try:
        number = int(word)
    except ValueError as error:
        raise InputError(where, repr(word[:60]), expected) from error
    resolved = number - 1 if number > 0 else count + number
    if number == 0 or not 0 <= resolved < count:
        raise InputError(where, word[:60], expected)
    return resolved
