"""Body files: the open body's own `.npz`, and SMPL-X's as its authors distribute it.

Nothing is unpickled: arrays are read one key at a time, and keys that hold Python objects (SMPL-X
has some that posing does not need) are never touched.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from odah.errors import InputError
from odah.files import DAMAGED_ARRAYS, atomic_path, existing_file

NUM_JOINTS = 55
NUM_POSE_FEATURES = 9 * (NUM_JOINTS - 1)

Shape = tuple[int | None, ...]
"""Expected array shape; None where any length will do."""


def read_arrays(path: str | Path, wanted: Mapping[str, Shape], kind: str) -> dict[str, np.ndarray]:
    """The arrays named by `wanted` from an `.npz`, checked for shape and finite numbers.

    Raises:
        InputError: missing, truncated or no `.npz` file; a missing key; an array of Python objects;
            a wrong shape; numbers that are not finite.
    """
    path = existing_file(path, kind)
    try:
        archive = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(path, "no readable npz archive", kind) from error
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise InputError(path, "a single array", kind)
    with archive:
        if missing := [name for name in wanted if name not in archive.files]:
            raise InputError(path, f"no array '{missing[0]}'", kind)
        return {name: _read_array(path, archive, name, shape) for name, shape in wanted.items()}


def _read_array(path: Path, archive: np.lib.npyio.NpzFile, name: str, shape: Shape) -> np.ndarray:
    where = f"{path}: {name}"
    try:
        array = archive[name]
    except ValueError as error:
        if "Object arrays" in str(error):
            raise InputError(where, "pickled Python objects", "a plain numeric array") from error
        raise InputError(where, "damaged data", "a whole array") from error
    except DAMAGED_ARRAYS as error:
        raise InputError(where, "damaged data", "a whole array") from error
    if array.ndim != len(shape) or any(n not in (None, m) for n, m in zip(shape, array.shape, strict=True)):
        found = "x".join(map(str, array.shape)) or "a single value"
        raise InputError(where, found, "x".join("N" if n is None else str(n) for n in shape))
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InputError(where, "numbers that are not finite", "finite numbers")
    return array


def write_arrays(path: str | Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a compressed `.npz`, whole or not at all, the same bytes for the same arrays."""
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            # A fixed date keeps the file reproducible.
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, np.ascontiguousarray(array), allow_pickle=False)


def pack_groups(groups: Mapping[str, np.ndarray], num_vertices: int) -> dict[str, np.ndarray]:
    """Named vertex groups as two arrays: their names and one bit a vertex."""
    masks = np.zeros((len(groups), num_vertices), bool)
    for row, indices in enumerate(groups.values()):
        masks[row, indices] = True
    return {"group_names": np.array(list(groups)), "group_masks": np.packbits(masks, axis=1)}


def unpack_groups(names: Sequence[str], masks: np.ndarray, num_vertices: int) -> dict[str, np.ndarray]:
    """Inverse of `pack_groups`: sorted vertex numbers of each group."""
    bits = np.unpackbits(masks, axis=1, count=num_vertices)
    return {str(name): np.flatnonzero(row) for name, row in zip(names, bits, strict=True)}


def pack_posedirs(posedirs: np.ndarray) -> dict[str, np.ndarray]:
    """Pose correctives (N, 3, 486) as (vertex, joint) pairs with a 3x9 half-precision block each."""
    blocks = posedirs.reshape(len(posedirs), 3, NUM_JOINTS - 1, 9).transpose(0, 2, 1, 3)
    pairs = np.argwhere(np.abs(blocks).max((2, 3)) > 0)
    return {
        "posedirs_pairs": pairs.astype(np.uint16),
        "posedirs_blocks": blocks[pairs[:, 0], pairs[:, 1]].astype(np.float16),
    }


def unpack_posedirs(pairs: np.ndarray, blocks: np.ndarray, num_vertices: int) -> np.ndarray:
    """Inverse of `pack_posedirs`: (N, 3, 486) float32."""
    dense = np.zeros((num_vertices, 3, NUM_JOINTS - 1, 9), np.float32)
    dense[pairs[:, 0], :, pairs[:, 1]] = blocks
    return dense.reshape(num_vertices, 3, NUM_POSE_FEATURES)
