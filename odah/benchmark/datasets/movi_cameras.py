"""MoVi's two fixed cameras, from `cameraParams_PG<k>` and `Extrinsics_PG<k>` (`.npz`, `.mat` or `.pkl`).

Written from MATLAB: points are rows, x_camera = X R + t in mm and pixels = x_camera K, so that every matrix
is the transpose of the usual one; and the centre of the top-left pixel is (1, 1) (MathWorks, documentation of
`cameraIntrinsicsToOpenCV`), which is (0, 0) here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from odah.benchmark.datasets.findings import Findings
from odah.benchmark.datasets.mat_file import from_mat_files, load_mat, struct_with
from odah.errors import InputError
from odah.files import DAMAGED_ARRAYS, existing_file
from odah.osim.model import rigid
from odah.scene.calibration.opencap import read_pickled_arrays
from odah.scene.camera import Camera

SIZE = (800, 600)
INTRINSICS, EXTRINSICS = "cameraParams", "Extrinsics"
_KEYS = {
    INTRINSICS: ("IntrinsicMatrix", "RadialDistortion"),
    EXTRINSICS: ("rotationMatrix", "translationVector"),
}
_SUFFIXES = (".npz", ".mat", ".pkl", ".pickle")
_SENSOR_WIDTH_MM = 36.0


def read_camera(name: str, files: Sequence[Path], findings: Findings) -> Camera:
    """A camera in a world of the laboratory's axes (z up), m.

    files: those of the camera, of which the first of each kind that can be read is used.

    Raises:
        InputError: there is none, or numbers that are no camera's.
    """
    intrinsics, extrinsics = (_first(name, kind, files, findings) for kind in (INTRINSICS, EXTRINSICS))
    K = intrinsics["IntrinsicMatrix"].reshape(3, 3).T.copy()
    K[:2, 2] -= 1
    R_cam_world = extrinsics["rotationMatrix"].reshape(3, 3).T
    radial = intrinsics["RadialDistortion"].ravel().tolist()
    k1, k2, k3 = (*radial, *[0.0] * (3 - len(radial)))
    T_cam_world = rigid(extrinsics["translationVector"].ravel() / 1000, R_cam_world)
    width, height = SIZE
    return Camera(
        name=name,
        K=K,
        T_world_cam=rigid(-R_cam_world.T @ T_cam_world[:3, 3], R_cam_world.T),
        width=width,
        height=height,
        focal_length_mm=float(K[0, 0] / width * _SENSOR_WIDTH_MM),
        sensor_width_mm=_SENSOR_WIDTH_MM,
        distortion=(k1, k2, 0.0, 0.0, k3),
    )


def _first(name: str, kind: str, files: Sequence[Path], findings: Findings) -> Mapping[str, np.ndarray]:
    chosen = [path for path in files if path.name.lower().startswith(kind.lower())]
    chosen.sort(key=lambda path: _SUFFIXES.index(path.suffix.lower()))
    for path in chosen:
        try:
            return _checked(path, _arrays(path, _KEYS[kind]))
        except InputError as error:
            if path is chosen[-1]:
                raise
            findings.note(f"{error}; another file of the camera is used")
    raise InputError(name, f"no file {kind}_{name}", f"one of {', '.join(_SUFFIXES)}")


def _arrays(path: Path, keys: Sequence[str]) -> dict[str, np.ndarray]:
    if path.suffix.lower() == ".npz":
        return _in_npz(path, keys)
    if path.suffix.lower() == ".mat":
        kind = f"a MATLAB file up to version 7.2 with {' and '.join(keys)} as plain numbers"
        ((_, arrays),) = from_mat_files(_in_mat, [path], kind)
        if isinstance(arrays, InputError):
            raise arrays
        return arrays
    return read_pickled_arrays(path, keys)


def _in_npz(path: Path, keys: Sequence[str]) -> dict[str, np.ndarray]:
    kind = f"an .npz file with {' and '.join(keys)}"
    existing_file(path, kind)
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: np.asarray(file[key], dtype=float) for key in keys}
    except DAMAGED_ARRAYS:
        raise InputError(path, "no such numbers", kind) from None


def _in_mat(path: Path) -> dict[str, np.ndarray]:
    content = load_mat(path)
    keys = next(keys for kind, keys in _KEYS.items() if path.name.lower().startswith(kind.lower()))
    struct = struct_with(content, keys[0])
    if struct is None:
        raise InputError(path, f"no {keys[0]}", "a struct, or numbers, of that name")
    return {key: np.asarray(struct[key], dtype=float) for key in keys}


def _checked(path: Path, arrays: dict[str, np.ndarray]) -> Mapping[str, np.ndarray]:
    sizes = {
        "IntrinsicMatrix": (9,),
        "RadialDistortion": (2, 3),
        "rotationMatrix": (9,),
        "translationVector": (3,),
    }
    for key, array in arrays.items():
        if array.size not in sizes[key] or not np.isfinite(array).all() or np.abs(array).max() > 1e9:
            raise InputError(f"{path}: {key}", f"{array.size} numbers", f"{sizes[key][0]} finite ones")
    return arrays
