"""Which reader a calibration file needs, and the cameras of one or several files in odah's world."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from odah.errors import InputError
from odah.files import read_text
from odah.scene.calibration.json_file import read_json
from odah.scene.calibration.opencap import read_opencap
from odah.scene.calibration.qualisys import read_qualisys
from odah.scene.calibration.records import Records, camera_of
from odah.scene.calibration.toml_file import read_toml
from odah.scene.calibration.yaml_file import read_yaml
from odah.scene.camera import Camera
from odah.scene.camera_config import UpAxis

_TURNS = {"z": ("x", 0), "-z": ("x", 180), "y": ("x", 90), "-y": ("x", -90), "x": ("y", -90), "-x": ("y", 90)}
_TEXTS: dict[str, Callable[[Path, str], Records]] = {
    ".json": read_json,
    ".toml": read_toml,
    ".yaml": read_yaml,
    ".yml": read_yaml,
    ".qca.txt": read_qualisys,
}
_PICKLES = (".pickle", ".pkl")


def load_cameras(path: str | Path, up: UpAxis = "z") -> tuple[Camera, ...]:
    """The cameras of a calibration file, in its order, in odah's world.

    JSON: `{"cameras": [{"name", "K", "T_world_cam" or "R" and "t", "width", "height", "distortion"}]}`.
    YAML: the same keys or OpenCV's (`camera_matrix`, `distortion_coefficients`, `image_width`,
    `image_height`, `R` or `rotation`, `T` or `translation`), one camera a file or a list `cameras`.
    TOML: Pose2Sim's and Caliscope's; a table a camera with `matrix`, `distortions`, `size`, `rotation`,
    `translation`. A rotation is a 3 x 3 matrix or a rotation vector, rad. Lengths are m.
    `.qca.txt`: Qualisys' XML. `.pickle`: OpenCap's, one camera a file, named after its folder.
    Names become identifiers.

    Args:
        up: the axis of the file's world that points upwards.

    Raises:
        InputError: a file of another kind, damaged, or with a field missing or out of bounds.
    """
    path = Path(path)
    try:
        records = _records(path)
    except RecursionError:
        raise InputError(path, "values nested too deeply", "a calibration file") from None
    cameras = tuple(camera_of(path, name, record, _upright(up)) for name, record in records)
    if not cameras:
        raise InputError(path, "no cameras", "at least one")
    names = [camera.name for camera in cameras]
    if len(set(names)) < len(names):
        raise InputError(f"{path}: camera names", f"{names}", "different ones")
    return cameras


def load_camera_files(paths: Sequence[str | Path], up: UpAxis = "z") -> tuple[Camera, ...]:
    """The cameras of several files of one world, as `load_cameras` reads each, one file after another.

    A name that an earlier file has already gets a number.

    Raises:
        InputError: as `load_cameras`.
    """
    cameras: list[Camera] = []
    for path in paths:
        taken = {camera.name for camera in cameras}
        cameras += [replace(camera, name=_free(camera.name, taken)) for camera in load_cameras(path, up)]
    return tuple(cameras)


def _free(name: str, taken: set[str]) -> str:
    numbered = (f"{name}_{number}" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(other for other in numbered if other not in taken)


def _records(path: Path) -> Records:
    name = path.name.lower()
    if name.endswith(_PICKLES):
        return read_opencap(path)
    for suffix, read in _TEXTS.items():
        if name.endswith(suffix):
            return read(path, read_text(path, "a calibration file"))
    raise InputError(path, f"the suffix {path.suffix!r}", f"one of {', '.join((*_TEXTS, *_PICKLES))}")


def _upright(up: UpAxis) -> np.ndarray:
    """(4, 4) from the file's world to one with Z up, by a turn about X, or about Y where X points up."""
    T = np.eye(4)
    axis, angle_deg = _TURNS[up]
    T[:3, :3] = np.rint(Rotation.from_euler(axis, angle_deg, degrees=True).as_matrix())
    return T
