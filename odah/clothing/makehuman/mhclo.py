"""`.mhclo`: which vertices of MakeHuman's base mesh each vertex of a garment hangs on.

The format is described at http://www.makehumancommunity.org/wiki/Documentation:MHCLO_file_format.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from odah.clothing.makehuman.base_mesh import NUM_BASE_VERTICES
from odah.clothing.makehuman.text import floats, index, words_of
from odah.errors import InputError

KIND = "a MakeHuman garment (.mhclo)"
MAX_VERTICES = 60_000
_AXES = {"x_scale": 0, "y_scale": 1, "z_scale": 2}


@dataclass(frozen=True)
class Binding:
    """Vertex i of G is where the base vertices index[i] weighted by share[i] are, and offset[i] from there.

    index: (G, 3). share: (G, 3). offset: (G, 3) along the axes of MakeHuman's A-pose, in units of which
    `reference` (3,) make the distance along each axis between two base vertices, scale_ends (3, 2); where a
    reference is not a number, the unit is MakeHuman's own, the decimetre.
    """

    index: np.ndarray
    share: np.ndarray
    offset: np.ndarray
    scale_ends: np.ndarray
    reference: np.ndarray


@dataclass(frozen=True)
class Mhclo:
    """What a `.mhclo` file says. deleted: base vertices that the garment hides; z_depth: greater is further
    out; material is None where no `.mhmat` is named; obj_where, material_where: the lines that name them."""

    name: str
    binding: Binding
    deleted: np.ndarray
    z_depth: int
    tags: tuple[str, ...]
    obj_file: str
    obj_where: str
    material: str | None
    material_where: str


@dataclass
class _Reading:
    """Values so far, one a keyword."""

    texts: dict[str, tuple[str, str]] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    rows: list[tuple[int, int, int, float, float, float, float, float, float]] = field(default_factory=list)
    deleted: list[tuple[str, str]] = field(default_factory=list)
    scale_ends: np.ndarray = field(default_factory=lambda: np.zeros((3, 2), int))
    reference: np.ndarray = field(default_factory=lambda: np.full(3, np.nan))


def read_mhclo(path: Path) -> Mhclo:
    """Read and check a `.mhclo` file.

    Raises:
        InputError: not such a file; another base mesh; no vertices or too many; values that are no numbers,
            or numbers of no base vertex.
    """
    reading, section = _Reading(), ""
    for where, words in words_of(path, KIND):
        if _starts_with_number(words[0]):
            _add_row(reading, section, where, words)
        elif words[0] in ("verts", "weights", "delete_verts"):
            section = words[0]
        else:
            _add_keyword(reading, where, words)
    return _checked(path, reading)


def _starts_with_number(word: str) -> bool:
    return word[0].isdigit() or word[0] in "-+."


def _add_row(reading: _Reading, section: str, where: str, words: list[str]) -> None:
    if section == "delete_verts":
        reading.deleted += [(where, word) for word in words]
    elif section == "verts":
        if len(reading.rows) == MAX_VERTICES:
            raise InputError(where, f"more than {MAX_VERTICES} vertices", f"{KIND} with fewer")
        reading.rows.append(_vertex(where, words))
    elif section != "weights":  # weights of bones are left to the body underneath
        raise InputError(where, repr(" ".join(words)[:60]), "a keyword of a .mhclo file before any numbers")


def _vertex(where: str, words: list[str]) -> tuple[int, int, int, float, float, float, float, float, float]:
    if len(words) not in (1, 6, 9):
        found = f"{len(words)} values"
        raise InputError(where, found, "1 vertex number, or 3 with 3 weights (and 3 offsets)")
    a, *others = (index(where, word, NUM_BASE_VERTICES, "base mesh vertices") for word in words[:3])
    if not others:
        return a, a, a, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0
    x, y, z, *offset = floats(where, words[3:], len(words) - 3)
    return (a, others[0], others[1], x, y, z, *(offset or (0.0, 0.0, 0.0)))  # pyright: ignore[reportReturnType]


def _add_keyword(reading: _Reading, where: str, words: list[str]) -> None:
    key, values = words[0], words[1:]
    if key in _AXES:
        if len(values) != 3:
            raise InputError(
                f"{where}: {key}", f"{len(values)} values", "2 vertex numbers and their distance"
            )
        axis = _AXES[key]
        reading.scale_ends[axis] = [
            index(f"{where}: {key}", v, NUM_BASE_VERTICES, "base mesh vertices") for v in values[:2]
        ]
        reading.reference[axis] = floats(f"{where}: {key}", values[2:], 1)[0]
        if reading.reference[axis] <= 0:
            raise InputError(f"{where}: {key}", values[2], "a positive distance")
    elif key == "tag":
        reading.tags.append(" ".join(values))
    else:
        reading.texts[key] = (where, " ".join(values))


def _checked(path: Path, reading: _Reading) -> Mhclo:
    texts = reading.texts
    base_where, base = texts.get("basemesh", (str(path), "hm08"))
    if base.lower() != "hm08":
        raise InputError(f"{base_where}: basemesh", repr(base[:60]), "hm08, MakeHuman's base mesh")
    if not texts.get("obj_file", ("", ""))[1]:
        raise InputError(f"{path}: obj_file", "nothing", "the name of the garment's .obj file")
    if not reading.rows:
        raise InputError(f"{path}: verts", "no vertices", "a line for each vertex of the garment")
    depth_where, depth = texts.get("z_depth", (str(path), "50"))
    rows = np.array(reading.rows)
    binding = Binding(
        rows[:, :3].astype(int), rows[:, 3:6], rows[:, 6:], reading.scale_ends, reading.reference
    )
    obj_where, obj_file = texts["obj_file"]
    material_where, material = texts.get("material", ("", ""))
    return Mhclo(
        name=texts.get("name", ("", ""))[1] or path.stem,
        binding=binding,
        deleted=_deleted(reading.deleted),
        z_depth=int(floats(f"{depth_where}: z_depth", depth.split(), 1)[0]),
        tags=tuple(reading.tags),
        obj_file=obj_file,
        obj_where=f"{obj_where}: obj_file",
        material=material or None,
        material_where=f"{material_where}: material",
    )


def _deleted(words: list[tuple[str, str]]) -> np.ndarray:
    """Sorted base vertices of numbers and ranges `a - b`."""
    is_deleted = np.zeros(NUM_BASE_VERTICES, bool)
    start, in_range = -1, False
    for where, word in words:
        if word == "-":
            if start < 0:
                raise InputError(where, "a range without a start", "vertex numbers, or ranges a - b")
            in_range = True
            continue
        number = index(where, word, NUM_BASE_VERTICES, "base mesh vertices")
        first = start if in_range else number
        is_deleted[first : number + 1] = True
        start, in_range = number, False
    return np.flatnonzero(is_deleted)
