"""OpenSim's `.mot` and `.sto` files: a table over time under a header, and coordinates kept in one.

In a file with `inDegrees=yes` only rotational coordinates are in degrees. Coordinates whose motion type is
`coupled` (the patella's `knee_angle_r_beta`) stay in radians (opensim-core issue 2470), translations in m.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from scipy.interpolate import PchipInterpolator

from odah.errors import InputError
from odah.files import atomic_path, read_text
from odah.motion.types import CoordinateTrajectory, Source
from odah.osim.fk import ForwardKinematics
from odah.osim.model import Model

_SCALAR_TYPES = ("", "double", "float")
_UNIFORM_TOLERANCE = 1e-2  # of a sampling step: what times written with few digits may deviate


@dataclass(frozen=True)
class Storage:
    """A table over time: values (T, N) in the file's own units, time (T,) in s."""

    columns: tuple[str, ...]
    values: np.ndarray
    time: np.ndarray
    in_degrees: bool
    header: Mapping[str, str] = field(default_factory=dict)


def read_storage(path: str | Path) -> Storage:
    """Read a `.mot` or `.sto` file of scalar columns.

    Raises:
        InputError: no such table, or its header and its rows contradict each other.
    """
    lines = read_text(path, "an OpenSim .mot or .sto file").splitlines()
    end = next((k for k, line in enumerate(lines) if line.strip().lower() == "endheader"), None)
    if end is None:
        raise InputError(path, "no line 'endheader'", "an OpenSim .mot or .sto file")
    header = _read_header(lines[:end])
    if header.get("datatype", "").lower() not in _SCALAR_TYPES:
        raise InputError(path, f"DataType={header['datatype']}", "a table of numbers (DataType=double)")
    body = [(k, line) for k, line in enumerate(lines[end + 1 :], start=end + 2) if line.strip()]
    if len(body) < 2:
        raise InputError(path, "no rows of numbers", "a line of column names and at least one row")
    columns = _read_columns(path, body[0][1])
    table = np.array([_parse_row(f"{path}, line {k}", line, columns) for k, line in body[1:]])
    _check_table(path, header, table)
    in_degrees = header.get("indegrees", "no").lower() in ("yes", "true", "1")
    return Storage(columns[1:], table[:, 1:], table[:, 0], in_degrees, header)


def read_coordinates(path: str | Path, model: Model) -> CoordinateTrajectory:
    """The coordinates of `model` over time, rad and m, in the model's order.

    Columns may be plain names or state paths (`/jointset/hip_r/hip_flexion_r/value`); speeds and other states
    are passed over. A coordinate the file lacks follows its coupler, else takes its default. Times that are
    not evenly spaced are resampled at their mean rate. All of that is said in `notes`.

    Raises:
        InputError: the file holds no coordinate of the model, one of them twice, or a single row.
    """
    return coordinates_in(path, read_storage(path), model)


def coordinates_in(path: str | Path, table: Storage, model: Model) -> CoordinateTrajectory:
    """The coordinates of `model` in a table, as `read_coordinates`; path: whence it is."""
    columns = coordinate_columns(path, table.columns)
    found = [name for name in model.coordinate_names if name in columns]
    if not found:
        raise InputError(
            path,
            f"columns {', '.join(table.columns[:4])}, ...",
            f"coordinates of the model {model.name!r}, such as {', '.join(model.coordinate_names[:4])}",
        )
    values = np.tile([coordinate.default for coordinate in model.coordinates], (len(table.time), 1))
    for index, coordinate in enumerate(model.coordinates):
        if coordinate.name in columns:
            is_angle_deg = table.in_degrees and coordinate.motion_type == "rotational"
            column = table.values[:, columns[coordinate.name]]
            values[:, index] = np.deg2rad(column) if is_angle_deg else column
    _check_finite(path, model.coordinate_names, values)
    notes = _say_mismatches(found, columns, model)
    _follow_couplers(values, found, model)
    time, values, rate, resampled = _evenly_spaced(path, table.time, values)
    return CoordinateTrajectory(
        names=model.coordinate_names,
        values=values,
        rate=rate,
        source=Source(str(path), Path(path).suffix.lstrip(".").lower() or "mot"),
        start_time=float(time[0]),
        notes=(*notes, *resampled),
    )


def write_mot(
    path: str | Path, trajectory: CoordinateTrajectory, model: Model, *, in_degrees: bool = True
) -> None:
    """Write coordinates as OpenSim writes them: rotational ones in degrees if asked, coupled ones in radians.

    Raises:
        InputError: the trajectory has a name that the model lacks, or a value that is not finite.
    """
    motion_types = {coordinate.name: coordinate.motion_type for coordinate in model.coordinates}
    unknown = [name for name in trajectory.names if name not in motion_types]
    if unknown:
        raise InputError(path, f"the coordinate {unknown[0]!r}", f"coordinates of the model {model.name!r}")
    _check_finite(path, trajectory.names, trajectory.values)
    is_angle = np.array([motion_types[name] == "rotational" for name in trajectory.names])
    factors = np.where(is_angle & in_degrees, 180.0 / np.pi, 1.0)
    write_storage(
        path,
        Storage(trajectory.names, trajectory.values * factors, trajectory.time, in_degrees),
        title="Coordinates",
    )


def write_storage(path: str | Path, table: Storage, *, title: str) -> None:
    """Write a table with the header of OpenSim's storage files, version 1."""
    header = [
        title,
        "version=1",
        f"nRows={len(table.time)}",
        f"nColumns={len(table.columns) + 1}",
        f"inDegrees={'yes' if table.in_degrees else 'no'}",
        "",
        "Units are S.I. units (second, meters, Newtons, ...)",
        "",
        "endheader",
        "\t".join(("time", *table.columns)),
    ]
    row_format = "\t".join(["%.12g"] * (1 + len(table.columns)))
    rows = zip(table.time, table.values, strict=True)
    body = [row_format % (time, *row.tolist()) for time, row in rows]
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join([*header, *body]) + "\n")


def _read_header(lines: list[str]) -> dict[str, str]:
    """`key=value` lines, and the `key value` lines of SIMM's older dialect, with lower-case keys."""
    header: dict[str, str] = {}
    for line in lines:
        match = re.match(r"\s*(\w+)\s*=\s*(.*)", line) or re.match(
            r"\s*(datacolumns|datarows)\s+(\S+)\s*$", line
        )
        if match:
            header[match[1].lower()] = match[2].strip()
    return header


def _read_columns(path: str | Path, line: str) -> tuple[str, ...]:
    columns = tuple(line.split("\t") if "\t" in line.strip() else line.split())
    columns = tuple(column.strip() for column in columns if column.strip())
    if columns[0].lower() != "time":
        raise InputError(path, f"{columns[0]!r} as its first column", "time")
    repeated = [column for column in columns if columns.count(column) > 1]
    if repeated:
        raise InputError(path, f"the column {repeated[0]!r} more than once", "distinct columns")
    return columns


def _parse_row(where: str, line: str, columns: tuple[str, ...]) -> list[float]:
    fields = line.split()
    if len(fields) != len(columns):
        raise InputError(where, f"{len(fields)} numbers", f"{len(columns)}, one for each column")
    try:
        return [float(text) for text in fields]
    except ValueError:
        name, text = next(pair for pair in zip(columns, fields, strict=True) if not _is_number(pair[1]))
        raise InputError(f"{where}, column {name}", repr(text), "a number") from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _check_table(path: str | Path, header: Mapping[str, str], table: np.ndarray) -> None:
    # The stated number of columns is not checked: OpenSim ignores it, and real files have it wrong.
    stated = next((header[key] for key in ("nrows", "datarows") if key in header), str(len(table)))
    if stated != str(len(table)):
        raise InputError(path, f"{len(table)} rows", f"the {stated} rows that its header states")
    time = table[:, 0]
    if not np.all(np.isfinite(time)) or not np.all(np.diff(time) > 0):
        raise InputError(f"{path}, time", "values that do not increase", "increasing times")


def coordinate_columns(path: str | Path, columns: tuple[str, ...]) -> dict[str, int]:
    """Coordinate name of each column that can hold a coordinate's value -> its index."""
    indices: dict[str, int] = {}
    for index, column in enumerate(columns):
        parts = column.strip("/").split("/")
        if len(parts) > 1 and parts[-1] != "value":
            continue
        name = parts[-2] if len(parts) > 1 else parts[0]
        if name in indices:
            raise InputError(path, f"the coordinate {name!r} in two columns", "one column a coordinate")
        indices[name] = index
    return indices


def _check_finite(path: str | Path, names: tuple[str, ...], values: np.ndarray) -> None:
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        row, column = bad[0]
        raise InputError(
            f"{path}, {names[column]}, frame {row + 1}", str(values[row, column]), "a finite number"
        )


def _say_mismatches(found: list[str], columns: Mapping[str, int], model: Model) -> tuple[str, ...]:
    notes = []
    absent = [name for name in model.coordinate_names if name not in found]
    if absent:
        notes.append(f"not in the file, so at their defaults or couplers: {', '.join(absent)}")
    foreign = [name for name in columns if name not in model.coordinate_names]
    if foreign:
        notes.append(f"columns that are no coordinate of the model: {', '.join(foreign)}")
    return tuple(notes)


def _follow_couplers(values: np.ndarray, found: list[str], model: Model) -> None:
    """Set coupled coordinates that the file lacks from those they depend on, in place."""
    missing = [c for c in model.couplers if c.is_enforced and c.dependent not in found]
    if missing:
        followed = ForwardKinematics(model, torch.float64).couple(torch.from_numpy(values)).numpy()
        columns = [model.coordinate_names.index(coupler.dependent) for coupler in missing]
        values[:, columns] = followed[:, columns]


def _evenly_spaced(
    path: str | Path, time: np.ndarray, values: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float, tuple[str, ...]]:
    """(time, values, rate, notes) at one sampling rate."""
    if len(time) < 2:
        raise InputError(path, "one row", "a motion of at least two rows")
    step = (time[-1] - time[0]) / (len(time) - 1)
    even = time[0] + step * np.arange(len(time))
    if np.abs(even - time).max() <= _UNIFORM_TOLERANCE * step:
        return time, values, 1.0 / step, ()
    even[-1] = time[-1]
    note = f"times are not evenly spaced: resampled at their mean rate of {1.0 / step:.6g} Hz"
    return even, PchipInterpolator(time, values)(even), 1.0 / step, (note,)
