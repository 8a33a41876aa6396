"""Labelled surface markers from `.c3d` files.

Format: "The C3D File Format: A Technical User Guide", Motion Lab Systems 2021 (c3d.org). Read here rather
than with a library because damaged files must end in one sentence; the common C++ reader crashes or never
returns on some.
"""

from __future__ import annotations

import logging
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from odah.errors import InputError
from odah.files import existing_file
from odah.motion.skeleton import METRES_PER_UNIT, check_rate, rotate_to_world, up_axis
from odah.motion.types import MarkerTrajectories, Source

_log = logging.getLogger(__name__)
_KIND = "a .c3d file"
_BLOCK = 512
_INTEL, _DEC, _MIPS = 84, 85, 86
_UPPER_MARKERS = ("LFHD", "RFHD", "LBHD", "RBHD", "HEAD", "C7", "CLAV", "STRN", "T10")
_LOWER_MARKERS = (
    "LHEE",
    "RHEE",
    "LTOE",
    "RTOE",
    "LANK",
    "RANK",
    "LCAL",
    "RCAL",
    "LMT5",
    "RMT5",
    "LMT1",
    "RMT1",
)
_UPRIGHT = 0.8  # part of the way from feet to head that is along one axis
# groups of outputs that are stored as points without being places
_NOT_POSITIONS = ("ANGLES", "FORCES", "MOMENTS", "POWERS", "SCALARS", "REACTIONS")

_Parameter = np.ndarray | list[str]


@dataclass(frozen=True)
class _Header:
    num_points: int
    num_analog: int
    first_frame: int
    last_frame: int
    scale: float
    data_block: int
    rate: float


def read_c3d(path: str | Path, up: str | None = None, rate: float | None = None) -> MarkerTrajectories:
    """The labelled markers of a `.c3d` file in world (Z-up), m; NaN where a marker was not seen.

    Unlabelled points (`*0`, ...) and model outputs stored as points (angles, forces, ...) are left out; the
    subject's name in front of a label (`Daniel:LFHD`) is cut off.

    Args:
        up: the file's vertical axis (`x`, `y`, `z`); None: what POINT:Y_SCREEN says, else the axis along
            which markers of head and trunk are above those of the feet, else z.
        rate: Hz; None: the file's.

    Raises:
        InputError: not a whole `.c3d` file with labelled markers.
    """
    path = Path(path)
    data = existing_file(path, _KIND).read_bytes()
    try:
        header, parameters, order = _read_head(data, path)
        points = _read_points(data, header, order, path)
    except (struct.error, IndexError, ValueError, OverflowError, MemoryError) as error:
        raise InputError(path, f"a damaged file ({error})", _KIND) from error
    names, kept = _kept_markers(parameters, header.num_points, path)
    positions = points[:, kept] * _metres(parameters, path)
    if not np.nanmax(np.abs(positions), initial=0.0) < 1e4:
        raise InputError(f"{path}, points", "values beyond 10 km", "markers in a room")
    axis = up_axis(_vertical_axis(names, positions, parameters) if up is None else up, path)
    rate = header.rate if rate is None else rate
    check_rate(rate, path)
    return MarkerTrajectories(
        names=names,
        positions=rotate_to_world(positions, axis),
        rate=float(rate),
        frame="world",
        source=Source(str(path), "c3d"),
        start_time=max(header.first_frame - 1, 0) / rate,
    )


def _read_head(data: bytes, path: Path) -> tuple[_Header, dict[str, _Parameter], int]:
    """Header, parameters by `GROUP:NAME`, and the processor type that wrote the numbers."""
    if len(data) < 2 * _BLOCK or data[1] != 0x50 or data[0] == 0:
        raise InputError(path, f"{len(data)} bytes without the C3D mark", _KIND)
    start = (data[0] - 1) * _BLOCK
    if start + 4 > len(data):
        raise InputError(f"{path}, header", f"parameters at byte {start}", f"inside the {len(data)} bytes")
    order = data[start + 3]
    if order not in (_INTEL, _DEC, _MIPS):
        raise InputError(f"{path}, processor type", str(order), f"{_INTEL}, {_DEC} or {_MIPS}")
    words = np.frombuffer(data[:_BLOCK], dtype=">u2" if order == _MIPS else "<u2")
    header = _Header(
        num_points=int(words[1]),
        num_analog=int(words[2]),
        first_frame=int(words[3]),
        last_frame=int(words[4]),
        scale=float(_floats(data[12:16], order)[0]),
        data_block=int(words[8]),
        rate=float(_floats(data[20:24], order)[0]),
    )
    return header, _read_parameters(data, start, order), order


def _floats(data: bytes, order: int) -> np.ndarray:
    """32-bit floats of any of the three processors; DEC's F format has swapped words and a bias of 129."""
    if order == _DEC:
        words = np.frombuffer(data, dtype="<u2").reshape(-1, 2)[:, ::-1]
        return np.ascontiguousarray(words).view("<f4").ravel() / 4
    return np.frombuffer(data, dtype=">f4" if order == _MIPS else "<f4")


def _read_parameters(data: bytes, start: int, order: int) -> dict[str, _Parameter]:
    integer = ">u2" if order == _MIPS else "<u2"
    groups: dict[int, str] = {}
    found: list[tuple[int, str, _Parameter]] = []
    position = start + 4
    while position + 2 <= len(data):
        name_length, group = (
            abs(struct.unpack_from("b", data, position)[0]),
            struct.unpack_from("b", data, position + 1)[0],
        )
        if name_length == 0:
            break
        after_name = position + 2 + name_length
        name = data[position + 2 : after_name].decode("latin-1").strip().upper()
        step = int(np.frombuffer(data, integer, 1, after_name)[0])
        if group < 0:
            groups[-group] = name
        else:
            found.append((group, name, _parameter_value(data, after_name + 2, order)))
        if step == 0:
            break
        position = after_name + step
    return {f"{groups.get(group, '')}:{name}": value for group, name, value in found}


def _parameter_value(data: bytes, position: int, order: int) -> _Parameter:
    kind, num_dimensions = struct.unpack_from("bB", data, position)
    shape = list(data[position + 2 : position + 2 + num_dimensions])
    count = int(np.prod(shape, dtype=np.int64)) if shape else 1
    first = position + 2 + num_dimensions
    raw = data[first : first + count * abs(kind)]
    if len(raw) < count * abs(kind):
        raise ValueError("a parameter runs beyond the end")
    if kind == -1:
        width = shape[0] if shape else 1
        return [raw[i : i + width].decode("latin-1").strip(" \0") for i in range(0, count, max(width, 1))]
    if kind == 4:
        return _floats(raw, order).astype(np.float64)
    if kind == 2:
        return np.frombuffer(raw, dtype=">u2" if order == _MIPS else "<u2").astype(np.float64)
    return np.frombuffer(raw, dtype=np.uint8).astype(np.float64)


def _read_points(data: bytes, header: _Header, order: int, path: Path) -> np.ndarray:
    """Positions (T, M, 3) in file units, NaN where a residual is negative or the place is exactly zero."""
    num_frames = header.last_frame - header.first_frame + 1
    is_float = header.scale < 0
    width = 4 * header.num_points + header.num_analog
    word_size = 4 if is_float else 2
    start = (header.data_block - 1) * _BLOCK
    if header.num_points == 0 or num_frames <= 0 or header.data_block == 0:
        raise InputError(
            f"{path}, header", f"{num_frames} frames of {header.num_points} points", "some markers"
        )
    available = max(len(data) - start, 0) // (width * word_size)
    if available < num_frames:
        raise InputError(
            f"{path}, header", f"data of {available} frames", f"the {num_frames} that the header states"
        )
    raw = data[start : start + num_frames * width * word_size]
    if is_float:
        values = _floats(raw, order).astype(np.float64)
    else:
        values = np.frombuffer(raw, dtype=">i2" if order == _MIPS else "<i2").astype(np.float64)
    points = values.reshape(num_frames, width)[:, : 4 * header.num_points].reshape(num_frames, -1, 4)
    positions = points[..., :3] * (1.0 if is_float else header.scale)
    is_seen = (points[..., 3] >= 0) & (positions != 0).any(axis=-1) & np.isfinite(positions).all(axis=-1)
    return np.where(is_seen[..., None], positions, np.nan)


def _words(parameters: dict[str, _Parameter], name: str) -> list[str]:
    """A text parameter with its continuations (`LABELS`, `LABELS2`, ...: a C3D array holds 255)."""
    words: list[str] = []
    for key in (name, *(f"{name}{k}" for k in range(2, 100))):
        value = parameters.get(key)
        if not isinstance(value, list):
            break
        words += value
    return words


def _kept_markers(
    parameters: dict[str, _Parameter], num_points: int, path: Path
) -> tuple[tuple[str, ...], list[int]]:
    labels = _words(parameters, "POINT:LABELS")[:num_points]
    outputs = {word for group in _NOT_POSITIONS for word in _words(parameters, f"POINT:{group}")}
    kept = {
        label.rsplit(":", 1)[-1].strip(): index
        for index, label in reversed(list(enumerate(labels)))
        if label and not label.startswith("*") and label not in outputs
    }
    if not kept:
        raise InputError(f"{path}, POINT:LABELS", f"{num_points} points without a label", "labelled markers")
    if len(kept) < num_points:
        _log.info(
            "%s: %d of %d points are no labelled markers and were left out",
            path,
            num_points - len(kept),
            num_points,
        )
    indices = sorted(kept.values())
    names = {index: name for name, index in kept.items()}
    return tuple(names[index] for index in indices), indices


def _metres(parameters: dict[str, _Parameter], path: Path) -> float:
    unit = next(iter(_words(parameters, "POINT:UNITS")), "mm").lower() or "mm"
    if unit not in METRES_PER_UNIT:
        raise InputError(f"{path}, POINT:UNITS", repr(unit[:20]), "mm, cm or m")
    return METRES_PER_UNIT[unit]


def _vertical_axis(names: tuple[str, ...], positions: np.ndarray, parameters: dict[str, _Parameter]) -> str:
    stated = next(iter(_words(parameters, "POINT:Y_SCREEN")), "").strip("+-").lower()
    if stated in ("x", "y", "z"):
        return stated
    is_upper, is_lower = (
        [name.upper() in group for name in names] for group in (_UPPER_MARKERS, _LOWER_MARKERS)
    )
    rise = np.array([_mean(positions[:, is_upper, k]) - _mean(positions[:, is_lower, k]) for k in range(3)])
    largest = int(np.abs(rise).argmax())
    return "xyz"[largest] if abs(rise[largest]) > _UPRIGHT * np.linalg.norm(rise) else "z"


def _mean(values: np.ndarray) -> float:
    """Mean of what is not NaN; 0 of nothing."""
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else 0.0
