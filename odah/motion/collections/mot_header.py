"""The head of an OpenSim table: which columns it has, without reading its rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_MAX_LINES = 200
_MAX_LINE = 1 << 20


@dataclass(frozen=True)
class MotHeader:
    """title: its first line. coordinates: names of the columns that can be coordinates, without their paths.

    num_rows: as stated, None if it is not.
    """

    title: str
    coordinates: frozenset[str]
    num_rows: int | None

    @classmethod
    def read(cls, path: Path) -> MotHeader | None:
        """None if the file cannot be read or is no such table."""
        try:
            with path.open("rb") as file:
                lines = [file.readline(_MAX_LINE).decode("utf-8", "replace").strip()]
                while lines[-1].lower() != "endheader":
                    line = file.readline(_MAX_LINE)
                    if not line or len(lines) > _MAX_LINES:
                        return None
                    lines.append(line.decode("utf-8", "replace").strip())
                names = _first_words(file.readline(_MAX_LINE) for _ in range(_MAX_LINES))
        except OSError:
            return None
        if not names or names[0].lower() != "time":
            return None
        coordinates = (_coordinate(name) for name in names[1:])
        return cls(lines[0], frozenset(name for name in coordinates if name), _num_rows(lines))


def _first_words(lines: Iterable[bytes]) -> list[str]:
    for line in lines:
        if line.strip():
            return line.decode("utf-8", "replace").split()
    return []


def _coordinate(column: str) -> str | None:
    """`hip_flexion_r` of itself and of `/jointset/hip_r/hip_flexion_r/value`; None of other paths."""
    parts = column.strip("/").split("/")
    if len(parts) == 1:
        return parts[0]
    return parts[-2] if parts[-1] == "value" else None


def _num_rows(lines: list[str]) -> int | None:
    for line in lines:
        key, _, value = line.replace("=", " ").partition(" ")
        if key.lower() in ("nrows", "datarows") and value.strip().isdecimal():
            return int(value)
    return None
