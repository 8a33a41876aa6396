"""Cameras from the calibration files of other tools, and odah's own: JSON, OpenCV's YAML, Pose2Sim's TOML.

All of them speak OpenCV: a matrix in pixels whose centres are integers, world-to-camera `R` and `t` in m, or
`T_world_cam` instead, and the coefficients k1, k2, p1, p2, k3. What the world's axes are no file tells; odah
takes Z to point upwards, which is what Pose2Sim and Caliscope ask for, unless `up` says otherwise.
"""

from __future__ import annotations

import json
import re
import reprlib
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from scipy.spatial.transform import Rotation

from odah.errors import InputError
from odah.files import atomic_path, read_text
from odah.scene.camera import Camera
from odah.scene.camera_config import UpAxis

_SENSOR_WIDTH_MM = 36.0  # files tell pixels only; the lens is stated for a full-frame sensor
_MAX_SIZE = 20_000
_TURNS = {"z": ("x", 0), "-z": ("x", 180), "y": ("x", 90), "-y": ("x", -90), "x": ("y", -90), "-x": ("y", 90)}
_FIELDS = {
    "K": ("K", "matrix", "camera_matrix"),
    "distortion": ("distortion", "distortions", "distortion_coefficients"),
    "width": ("width", "image_width"),
    "height": ("height", "image_height"),
    "size": ("size", "image_size"),
    "R": ("R", "rotation", "rotation_matrix"),
    "t": ("t", "T", "translation", "translation_vector"),
    "T_world_cam": ("T_world_cam",),
}
"""Our name of a field, and the names it goes by in files."""


def load_cameras(path: str | Path, up: UpAxis = "z") -> tuple[Camera, ...]:
    """The cameras of a calibration file, in its order, in odah's world.

    JSON: `{"cameras": [{"name", "K", "T_world_cam" or "R" and "t", "width", "height", "distortion"}]}`.
    YAML: the same keys or OpenCV's (`camera_matrix`, `distortion_coefficients`, `image_width`,
    `image_height`, `R` or `rotation`, `T` or `translation`), one camera a file or a list `cameras`.
    TOML: a table a camera with `matrix`, `distortions`, `size`, `rotation`, `translation`. A rotation is a
    3 x 3 matrix or a rotation vector, rad. Lengths are m. Names become identifiers.

    Args:
        up: the axis of the file's world that points upwards.

    Raises:
        InputError: a file of another kind, damaged, or with a field missing or out of bounds.
    """
    path = Path(path)
    readers = {".json": _read_json, ".toml": _read_toml, ".yaml": _read_yaml, ".yml": _read_yaml}
    if path.suffix.lower() not in readers:
        raise InputError(path, f"the suffix {path.suffix!r}", f"one of {', '.join(readers)}")
    text = read_text(path, "a calibration file")
    try:
        records = readers[path.suffix.lower()](path, text)
    except RecursionError:
        raise InputError(path, "values nested too deeply", "a calibration file") from None
    cameras = tuple(_camera(path, name, record, _upright(up)) for name, record in records)
    if not cameras:
        raise InputError(path, "no cameras", "at least one")
    names = [camera.name for camera in cameras]
    if len(set(names)) < len(names):
        raise InputError(f"{path}: camera names", f"{names}", "different ones")
    return cameras


def save_cameras(path: str | Path, cameras: Sequence[Camera]) -> None:
    """Write what a calibration knows of the cameras as JSON that `load_cameras` reads, Z up."""
    records = [
        {
            "name": camera.name,
            "width": camera.width,
            "height": camera.height,
            "K": camera.K.tolist(),
            "distortion": list(camera.distortion),
            "T_world_cam": camera.T_world_cam.tolist(),
        }
        for camera in cameras
    ]
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps({"cameras": records}, indent=1) + "\n", encoding="utf-8")


_Records = list[tuple[str, Mapping[str, Any]]]


def _read_json(path: Path, text: str) -> _Records:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise InputError(path, f"{error}", "valid JSON") from None
    return _listed(path, document)


class _OpenCVLoader(yaml.SafeLoader):
    """Plain YAML, and OpenCV's matrices as the mappings they are."""


_OpenCVLoader.add_constructor("tag:yaml.org,2002:opencv-matrix", _OpenCVLoader.construct_yaml_map)


def _read_yaml(path: Path, text: str) -> _Records:
    # OpenCV opens its files with "%YAML:1.0", which no reader of YAML but its own understands.
    body = re.sub(r"\A%YAML[^\n]*\n", "", text)
    try:
        document = yaml.load(body, _OpenCVLoader)
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(path, " ".join(str(error).split())[:200], "valid YAML") from None
    except (TypeError, AttributeError):  # PyYAML on keys that cannot be keys, tags on the wrong kind of node
        raise InputError(path, "keys or tags that make no sense", "valid YAML") from None
    if isinstance(document, dict) and "cameras" not in document:
        document = [{"name": document.get("camera_name", path.stem), **document}]
    return _listed(path, document)


def _read_toml(path: Path, text: str) -> _Records:
    try:
        document = tomllib.loads(text)
    except ValueError as error:
        raise InputError(path, f"{error}", "valid TOML") from None
    tables = {key: table for key, table in document.items() if isinstance(table, dict)}
    for key, table in list(tables.items()):  # [cameras.0] as well as [cam_0]
        tables |= {f"{key}_{inner}": value for inner, value in table.items() if isinstance(value, dict)}
    keys = {name for names in _FIELDS.values() for name in names if len(name) > 1}
    return [
        (_name(table, key), table)
        for key, table in tables.items()
        if keys & table.keys() and table.get("ignore") is not True
    ]


def _listed(path: Path, document: Any) -> _Records:
    cameras = document.get("cameras") if isinstance(document, dict) else document
    if not isinstance(cameras, list):
        raise InputError(f"{path}: cameras", _shown(cameras), "a list of cameras")
    records = []
    for index, camera in enumerate(cameras):
        if not isinstance(camera, dict):
            raise InputError(f"{path}: camera {index}", _shown(camera), "a mapping of fields")
        records.append((_name(camera, f"view{index}"), camera))
    return records


def _name(record: Mapping[str, Any], otherwise: str) -> str:
    name = record.get("name", otherwise)
    return name if isinstance(name, str) else _shown(name)


def _shown(value: Any) -> str:
    """A value of any size in a few words."""
    try:
        return reprlib.repr(value)[:80]
    except ValueError:  # Python writes out no numbers of thousands of digits
        return "a huge number"


def _camera(path: Path, name: str, record: Mapping[str, Any], upright: np.ndarray) -> Camera:
    fields = _Fields(f"{path}: camera {name:.40}", record)
    if record.get("fisheye") is True:
        raise InputError(f"{fields.where}, fisheye", "true", "a lens with OpenCV's k1, k2, p1, p2, k3")
    width, height = fields.size()
    K = fields.numbers("K", (3, 3))
    identifier = re.sub(r"\W", "_", name, flags=re.ASCII)[:60]
    try:
        return Camera(
            name=identifier if identifier.isidentifier() else f"view_{identifier}",
            K=K,
            T_world_cam=upright @ fields.pose(),
            width=width,
            height=height,
            focal_length_mm=float(K[0, 0] / width * _SENSOR_WIDTH_MM),
            sensor_width_mm=_SENSOR_WIDTH_MM,
            distortion=fields.distortion(),
        )
    except InputError as error:
        raise InputError(f"{path}: {error.where}", error.found, error.expected) from None


class _Fields:
    """One camera of a file, read field by field."""

    def __init__(self, where: str, record: Mapping[str, Any]) -> None:
        self.where, self.record = where, record

    def get(self, field: str) -> Any:
        return next((self.record[name] for name in _FIELDS[field] if name in self.record), None)

    def numbers(self, field: str, *shapes: tuple[int, ...]) -> np.ndarray:
        """A field's finite numbers in the first of the shapes that fits."""
        value = self.get(field)
        for shape in shapes:
            numbers = _matrix(value, shape)
            if numbers is not None:
                return numbers
        expected = " or ".join(" x ".join(map(str, shape)) for shape in shapes)
        found = "nothing" if value is None else _shown(value)
        raise InputError(f"{self.where}, {field}", found, f"finite numbers, {expected}")

    def size(self) -> tuple[int, int]:
        """Width and height, px."""
        if self.get("size") is not None:
            values = self.numbers("size", (2,), (1, 2), (2, 1)).ravel()
        else:
            values = np.array([self.numbers(field, ())[()] for field in ("width", "height")])
        if not ((values >= 1) & (values <= _MAX_SIZE) & (values == np.rint(values))).all():
            found, expected = f"{values.tolist()}", f"two whole numbers of pixels up to {_MAX_SIZE}"
            raise InputError(f"{self.where}, size", found, expected)
        return int(values[0]), int(values[1])

    def distortion(self) -> tuple[float, ...]:
        """OpenCV's coefficients, at most five of which may be other than 0."""
        if self.get("distortion") in (None, []):
            return ()
        counts = (4, 5, 8, 12, 14)
        shapes = [shape for count in counts for shape in ((count,), (1, count), (count, 1))]
        values = self.numbers("distortion", *shapes).ravel()
        if values[5:].any():
            raise InputError(f"{self.where}, distortion", f"{values.tolist()}", "k1, k2, p1, p2 and k3 only")
        return tuple(values[:5].tolist())

    def pose(self) -> np.ndarray:
        """(4, 4) camera to the file's world, m."""
        T = np.eye(4)
        if self.get("T_world_cam") is not None:
            matrix = self.numbers("T_world_cam", (4, 4))
            T[:3, :3], T[:3, 3] = self._rotation("T_world_cam", matrix[:3, :3]), matrix[:3, 3]
            if not np.allclose(matrix[3], [0, 0, 0, 1]):
                raise InputError(f"{self.where}, T_world_cam", f"a last row {matrix[3].tolist()}", "0 0 0 1")
            return T
        rotation = self.numbers("R", (3, 3), (3,), (3, 1), (1, 3))
        if rotation.size == 3:
            rotation = Rotation.from_rotvec(rotation.ravel()).as_matrix()
        T[:3, :3] = self._rotation("R", rotation).T
        T[:3, 3] = -T[:3, :3] @ self.numbers("t", (3,), (3, 1), (1, 3)).ravel()
        return T

    def _rotation(self, field: str, matrix: np.ndarray) -> np.ndarray:
        """The nearest rotation to a rounded one."""
        if not np.allclose(matrix @ matrix.T, np.eye(3), atol=1e-3) or np.linalg.det(matrix) < 0:
            raise InputError(f"{self.where}, {field}", f"{matrix.tolist()}", "a rotation")
        u, _, vt = np.linalg.svd(matrix)
        return u @ vt


def _matrix(value: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    """`value` as finite floats of this shape: nested lists, or rows, cols and data as OpenCV writes them."""
    if isinstance(value, Mapping) and {"rows", "cols", "data"} <= value.keys():
        if (value["rows"], value["cols"]) != (*shape, *(1,) * (2 - len(shape))):
            return None
        flat = _nested(value["data"], (int(np.prod(shape)),))
        return None if flat is None else flat.reshape(shape)
    return _nested(value, shape)


def _nested(value: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    if not shape:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return np.array(float(value)) if is_number and abs(value) < 1e12 else None
    if not isinstance(value, list) or len(value) != shape[0]:
        return None
    parts = [_nested(item, shape[1:]) for item in value]
    return None if any(part is None for part in parts) else np.array(parts)


def _upright(up: UpAxis) -> np.ndarray:
    """(4, 4) from the file's world to one with Z up, by a turn about X, or about Y where X points up."""
    T = np.eye(4)
    axis, angle_deg = _TURNS[up]
    T[:3, :3] = np.rint(Rotation.from_euler(axis, angle_deg, degrees=True).as_matrix())
    return T
