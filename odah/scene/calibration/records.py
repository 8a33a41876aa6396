"""What all calibration files tell of a camera, field by field, whatever the file's format.

All of them speak OpenCV: a matrix in pixels whose centres are integers, world-to-camera `R` and `t` in m, or
`T_world_cam` instead, and the coefficients k1, k2, p1, p2, k3.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from odah.errors import InputError
from odah.scene.camera import Camera

Records = list[tuple[str, Mapping[str, Any]]]
"""A name and the fields, for each camera."""

_SENSOR_WIDTH_MM = 36.0  # files tell pixels only; the lens is stated for a full-frame sensor
_MAX_SIZE = 20_000
FIELDS = {
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


def listed(path: Path, document: Any) -> Records:
    """The cameras of a list, or of what a document has under `cameras`.

    Raises:
        InputError: it is no list of mappings.
    """
    cameras = document.get("cameras") if isinstance(document, dict) else document
    if not isinstance(cameras, list):
        raise InputError(f"{path}: cameras", shown(cameras), "a list of cameras")
    records = []
    for index, camera in enumerate(cameras):
        if not isinstance(camera, dict):
            raise InputError(f"{path}: camera {index}", shown(camera), "a mapping of fields")
        records.append((name_of(camera, f"view{index}"), camera))
    return records


def name_of(record: Mapping[str, Any], otherwise: str) -> str:
    """The name a record gives itself."""
    name = record.get("name", otherwise)
    return name if isinstance(name, str) else shown(name)


def shown(value: Any) -> str:
    """A value of any size in a few words."""
    try:
        return reprlib.repr(value)[:80]
    except ValueError:  # Python writes out no numbers of thousands of digits
        return "a huge number"


def camera_of(path: Path, name: str, record: Mapping[str, Any], upright: np.ndarray) -> Camera:
    """The camera that a record tells of, in odah's world.

    upright: (4, 4) from the file's world to odah's.

    Raises:
        InputError: a field missing or out of bounds.
    """
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
        return next((self.record[name] for name in FIELDS[field] if name in self.record), None)

    def numbers(self, field: str, *shapes: tuple[int, ...]) -> np.ndarray:
        """A field's finite numbers in the first of the shapes that fits."""
        value = self.get(field)
        for shape in shapes:
            numbers = _matrix(value, shape)
            if numbers is not None:
                return numbers
        expected = " or ".join(" x ".join(map(str, shape)) for shape in shapes)
        found = "nothing" if value is None else shown(value)
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
