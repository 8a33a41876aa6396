"""OpenCap's `cameraIntrinsicsExtrinsics.pickle`, read without running anything that is in it.

A pickle is a small program that may call whatever it names. Here it may name nothing but what numpy's arrays
are made of, and gets stand-ins even for those: the numbers are taken from the bytes afterwards.
"""

from __future__ import annotations

import io
import pickle
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from odah.errors import InputError
from odah.files import existing_file
from odah.scene.calibration.records import Records

_MAX_BYTES = 16_384  # real ones have a tenth; nested values of this depth still fit on the stack
_KEYS = ("intrinsicMat", "distortion", "imageSize", "rotation", "translation")
_DAMAGE = (
    pickle.UnpicklingError,
    EOFError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    MemoryError,
    RecursionError,
    ImportError,
    NotImplementedError,
    AssertionError,
    struct.error,
)
"""What Python's reader raises on bytes that make no sense."""


def read_opencap(path: Path) -> Records:
    """The one camera of an OpenCap pickle, named after its folder.

    Its world is the checkerboard's, lengths in mm, `imageSize` height before width.

    Raises:
        InputError: damaged, too large, without those arrays, or with anything but arrays and plain values.
    """
    values = read_pickled_arrays(path, _KEYS)
    if values["imageSize"].size != 2:
        raise InputError(f"{path}: imageSize", f"{values['imageSize'].size} numbers", "height and width")
    height, width = values["imageSize"].ravel().tolist()
    record = {
        "width": width,
        "height": height,
        "K": values["intrinsicMat"].tolist(),
        "distortion": values["distortion"].tolist(),
        "R": values["rotation"].tolist(),
        "t": (values["translation"] / 1000).tolist(),
    }
    return [(path.absolute().parent.name or path.stem, record)]


def read_pickled_arrays(path: Path, keys: Sequence[str]) -> dict[str, np.ndarray]:
    """Arrays of finite numbers in a pickled dictionary, by key.

    Raises:
        InputError: damaged, too large, without those arrays, or with anything but arrays and plain values.
    """
    data = existing_file(path, "a calibration file").read_bytes()
    if len(data) > _MAX_BYTES:
        raise InputError(path, f"{len(data)} bytes", f"a camera's arrays, at most {_MAX_BYTES}")
    try:
        content = _ArraysOnly(data, path).load()
    except _DAMAGE:
        raise InputError(path, "a damaged pickle", "a camera's arrays") from None
    if not isinstance(content, dict):
        raise InputError(path, f"a {type(content).__name__}", "a dictionary of arrays")
    return {key: _values(path, key, content) for key in keys}


class _ArraysOnly(pickle._Unpickler):
    """Python's own reader, which grows with what it reads only, with stand-ins for all that may be named."""

    def __init__(self, data: bytes, path: Path) -> None:
        super().__init__(io.BytesIO(data))
        self._path = path
        self._standins = _standins()

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in of a part of numpy's arrays.

        Raises:
            InputError: anything else.
        """
        known = module.replace("numpy.core", "numpy._core", 1), name
        if known not in self._standins:
            found = f"{f'{module}.{name}'!r:.80}"
            raise InputError(self._path, f"a pickle that wants {found}", "one with numpy arrays alone")
        return self._standins[known]

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError


class _DType:
    def __init__(self, kind: str, *_: Any) -> None:
        self.kind, self.order = kind, "<"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = state[1]

    def resolved(self) -> np.dtype:
        if not re.fullmatch("[fiu][1248]", str(self.kind)):
            raise ValueError("no kind of number")
        return np.dtype(f"{'>' if self.order == '>' else '<'}{self.kind}")


class _Array:
    state: tuple[Any, Any, Any, Any]
    """Shape, dtype, whether columns come first, bytes."""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, *self_state = state
        self.state = tuple(self_state)  # pyright: ignore[reportAttributeAccessIssue]

    def resolved(self) -> np.ndarray:
        shape, dtype, is_fortran, data = self.state
        if not isinstance(dtype, _DType) or not isinstance(data, bytes | bytearray):
            raise TypeError
        flat = np.frombuffer(bytes(data), dtype.resolved())
        return flat.reshape([int(length) for length in shape], order="F" if is_fortran else "C").astype(float)


def _standins() -> dict[tuple[str, str], Callable[..., Any]]:
    """New ones for each file, so that what it does to them ends with it."""

    class DType(_DType):
        pass

    class Array(_Array):
        pass

    def from_buffer(data: Any, dtype: Any, shape: Any, order: Any) -> Array:
        array = Array()
        array.state = (shape, dtype, order == "F", data)
        return array

    def scalar(dtype: Any, data: Any) -> Array:
        return from_buffer(data, dtype, (), "C")

    def encode(text: str, encoding: str) -> bytes:
        return text.encode("latin1" if encoding == "latin1" else "ascii")

    return {
        ("numpy", "ndarray"): Array,
        ("numpy", "dtype"): DType,
        ("numpy._core.multiarray", "_reconstruct"): lambda *_: Array(),
        ("numpy._core.multiarray", "scalar"): scalar,
        ("numpy._core.numeric", "_frombuffer"): from_buffer,
        ("_codecs", "encode"): encode,  # bytes in pickles of protocol 2
    }


def _values(path: Path, key: str, content: Mapping[Any, Any]) -> np.ndarray:
    """The finite numbers of an entry."""
    value = content.get(key)
    if value is None:
        raise InputError(f"{path}: {key}", "nothing", "an array")
    try:
        values = value.resolved() if isinstance(value, _Array) else np.array(value, dtype=float)
        if not np.isfinite(values).all():
            raise ValueError
    except _DAMAGE:
        raise InputError(
            f"{path}: {key}", f"a {type(value).__name__}", "an array of finite numbers"
        ) from None
    return values
