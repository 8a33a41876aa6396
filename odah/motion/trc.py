"""TRC, the marker file of Motion Analysis and OpenSim: tab-separated positions under five header lines."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from odah.errors import InputError
from odah.files import atomic_path, read_text
from odah.motion.types import Frame, MarkerTrajectories, Source

METRES_PER_UNIT = {"mm": 1e-3, "cm": 1e-2, "m": 1.0}
_HEADER_LINES = 5
_RATE_TOLERANCE = 0.02


@dataclass(frozen=True)
class _Header:
    rate: float
    num_frames: int
    metres: float
    names: tuple[str, ...]


def read_trc(
    path: str | Path, *, frame: Frame = "ground", allow_truncated: bool = False, licence: str = "unknown"
) -> MarkerTrajectories:
    """Markers of a TRC file in metres; a marker with an empty or NaN coordinate is NaN in that frame.

    frame: the axes the file was written in. OpenSim's are Y-up (`ground`); a file exported straight
        from a capture system may be Z-up (`world`).
    allow_truncated: accept a file that holds another number of frames than its header states.

    Raises:
        InputError: the file is no TRC file, or header and data contradict each other.
    """
    lines = read_text(path, "a TRC marker file").splitlines()
    header = _read_header(path, lines)
    time, positions = _read_rows(path, lines, header)
    if len(time) != header.num_frames and not allow_truncated:
        raise InputError(
            path,
            f"{len(time)} frames",
            f"the {header.num_frames} frames that its header promises (NumFrames)",
        )
    _check_time(path, time, header.rate)
    positions[np.isnan(positions).any(axis=-1)] = np.nan
    return MarkerTrajectories(
        names=header.names,
        positions=positions * header.metres,
        rate=header.rate,
        frame=frame,
        source=Source(str(path), "trc", licence),
        start_time=float(time[0]),
    )


def write_trc(path: str | Path, markers: MarkerTrajectories) -> None:
    """Write markers as OpenSim reads them: ground frame (Y-up), mm, an unseen marker as NaN.

    (OpenSim 4.6 refuses a row whose last fields are empty.)

    Raises:
        InputError: a name is empty, repeated, or holds white space that the format cannot carry.
    """
    for name in markers.names:
        if not name or any(character in name for character in "\t\r\n"):
            raise InputError(path, f"the marker name {name!r}", "a name without tabs or line ends")
    _check_unique(path, markers.names)
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(_format_lines(Path(path).name, markers.in_ground())) + "\n")


def _format_lines(title: str, markers: MarkerTrajectories) -> list[str]:
    rate, frames, count = f"{markers.rate:.10g}", markers.num_frames, len(markers.names)
    axes = "\t".join(f"X{k}\tY{k}\tZ{k}" for k in range(1, count + 1))
    lines = [
        f"PathFileType\t4\t(X/Y/Z)\t{title}",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"{rate}\t{rate}\t{frames}\t{count}\tmm\t{rate}\t1\t{frames}",
        "Frame#\tTime\t" + "\t\t\t".join(markers.names) + "\t\t",
        "\t\t" + axes,
        "",
    ]
    row_format = "%d\t%.9g" + "\t%.6f" * (3 * count)  # one call a row: ten times the speed of one a number
    for index, (time, row) in enumerate(zip(markers.time, markers.positions, strict=True), start=1):
        values = (row / METRES_PER_UNIT["mm"]).ravel().tolist()
        lines.append((row_format % (index, time, *values)).replace("nan", "NaN"))
    return lines


def _read_header(path: str | Path, lines: list[str]) -> _Header:
    if len(lines) < _HEADER_LINES or not lines[0].lower().startswith("pathfiletype"):
        raise InputError(path, "no TRC header", "a first line that starts with PathFileType, and four more")
    fields = dict(zip((key.lower() for key in lines[1].split()), lines[2].split(), strict=False))
    rate = _header_number(path, fields, "DataRate")
    if not rate > 0:
        raise InputError(path, f"DataRate {rate:g}", "a rate above 0 Hz")
    unit = fields.get("units", "")
    if unit.lower() not in METRES_PER_UNIT:
        raise InputError(path, f"Units {unit!r}", "mm, cm or m")
    names = _marker_names(path, lines[3])
    count = int(_header_number(path, fields, "NumMarkers"))
    if count != len(names):
        raise InputError(path, f"{len(names)} marker names", f"the {count} its header promises (NumMarkers)")
    frames = int(_header_number(path, fields, "NumFrames"))
    return _Header(rate, frames, METRES_PER_UNIT[unit.lower()], names)


def _header_number(path: str | Path, fields: dict[str, str], key: str) -> float:
    text = fields.get(key.lower(), "")
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise InputError(path, f"{key} {text!r} in its header", "a number")
    return value


def _marker_names(path: str | Path, line: str) -> tuple[str, ...]:
    tokens = [token.strip() for token in line.split("\t") if token.strip()]
    if [token.lower() for token in tokens[:2]] != ["frame#", "time"]:
        raise InputError(path, f"line 4 {line[:40]!r}", "Frame#, Time and the marker names")
    names = tuple(tokens[2:])
    if not names:
        raise InputError(path, "no marker names in line 4", "at least one marker")
    _check_unique(path, names)
    return names


def _check_unique(path: str | Path, names: tuple[str, ...]) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InputError(path, f"the marker name {repeated[0]!r} more than once", "distinct marker names")


def _read_rows(path: str | Path, lines: list[str], header: _Header) -> tuple[np.ndarray, np.ndarray]:
    """Time (T,) and positions (T, M, 3) in the file's unit."""
    rows = [
        _parse_row(f"{path}, line {number}", line, header.names)
        for number, line in enumerate(lines[_HEADER_LINES:], start=_HEADER_LINES + 1)
        if line.strip()
    ]
    if not rows:
        raise InputError(path, "no frames", "at least one row of marker positions")
    table = np.array(rows)
    return table[:, 0], table[:, 1:].reshape(len(table), len(header.names), 3)


def _parse_row(where: str, line: str, names: tuple[str, ...]) -> list[float]:
    """[time, x1, y1, z1, ...] of one line."""
    expected = 2 + 3 * len(names)
    fields = line.rstrip().split("\t") if "\t" in line else line.split()
    if len(fields) > expected:  # then repeated tabs are one separator, not empty fields
        fields = line.split()
    if len(fields) > expected or len(fields) < 2:
        raise InputError(
            where, f"{len(fields)} fields", f"{expected}: frame, time and 3 for each of {len(names)} markers"
        )
    if len(fields) == expected and (numbers := _finite_numbers(fields[1:])) is not None:
        return numbers
    fields += [""] * (expected - len(fields))
    return [
        _parse_number(where, field, "Time" if k == 0 else f"marker {names[(k - 1) // 3]}", required=k == 0)
        for k, field in enumerate(fields[1:])
    ]


def _finite_numbers(fields: list[str]) -> list[float] | None:
    """The numbers of the usual row, in which nothing is missing; None for any other."""
    try:
        numbers = [float(field) for field in fields]
    except ValueError:
        return None
    return numbers if math.isfinite(sum(numbers)) else None


def _parse_number(where: str, text: str, column: str, *, required: bool) -> float:
    text = text.strip()
    if not text and not required:
        return np.nan
    try:
        value = float(text)
    except ValueError:
        raise InputError(f"{where}, {column}", repr(text), "a number") from None
    if np.isinf(value) or (required and np.isnan(value)):
        raise InputError(f"{where}, {column}", repr(text), "a finite number")
    return value


def _check_time(path: str | Path, time: np.ndarray, rate: float) -> None:
    steps = np.diff(time)
    if not np.all(steps > 0):
        frame = int(np.argmin(steps > 0)) + 2
        raise InputError(
            f"{path}, frame {frame}, Time", f"{time[frame - 1]:g} s", "a later time than before it"
        )
    if len(steps) and abs(steps.mean() * rate - 1.0) > _RATE_TOLERANCE:
        raise InputError(
            path, f"DataRate {rate:g} but a Time column at {1 / steps.mean():.6g} Hz", "one sampling rate"
        )
