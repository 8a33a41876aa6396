"""The marker trial that a ScaleTool set-up measures a person in, at the times written in its file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from odah.errors import InputError
from odah.files import read_text
from odah.motion.trc import METRES_PER_UNIT, read_trc
from odah.motion.types import MarkerTrajectories

_HEADER_LINES = 5


@dataclass(frozen=True)
class StaticTrial:
    """Markers in ground, m, NaN where unseen, with the file's own times (T,), s, and metres per its unit.

    The times decide which frames a range holds, and many files round them: 60 Hz as 0.017, 0.033, 0.05.
    """

    markers: MarkerTrajectories
    time: Float[np.ndarray, " T"]
    metres: float

    @property
    def path(self) -> str:
        return self.markers.source.path

    def frames(self, time_range: tuple[float, float], where: str) -> slice:
        """From the last frame at or before the range's start to the first at or after its end, as OpenSim.

        where: the field that an error names.

        Raises:
            InputError: the range ends before it starts, or lies outside the trial.
        """
        first, last = time_range
        if not (first <= last and first <= self.time[-1] and last >= self.time[0]):
            own = f"{self.time[0]:g} to {self.time[-1]:g} s"
            raise InputError(where, f"{first:g} to {last:g} s", f"times of {self.path}, {own}")
        start = max(int(np.searchsorted(self.time, first, side="right")) - 1, 0)
        end = min(int(np.searchsorted(self.time, last, side="left")), len(self.time) - 1)
        return slice(start, max(start, end) + 1)

    def is_within(self, time_range: tuple[float, float]) -> Bool[np.ndarray, " T"]:
        """Frames at or after the range's start and at or before its end."""
        return (self.time >= time_range[0]) & (self.time <= time_range[1])

    def position(self, name: str) -> Float[np.ndarray, "T 3"]:
        return self.markers.positions[:, self.markers.names.index(name)]


def read_static_trial(path: str | Path) -> StaticTrial:
    """Read a TRC file.

    Raises:
        InputError: it is none.
    """
    markers = read_trc(path)
    lines = read_text(path, "a TRC marker file").splitlines()
    times = [_time(line) for line in lines[_HEADER_LINES:] if line.strip()]
    unit = dict(zip(lines[1].lower().split(), lines[2].lower().split(), strict=False))["units"]
    return StaticTrial(markers, np.array(times), METRES_PER_UNIT[unit])


def _time(line: str) -> float:
    """The second field of a row, whether tabs, repeated tabs or blanks separate them."""
    fields = line.split("\t")
    return float(fields[1] if len(fields) > 1 and fields[1].strip() else line.split()[1])
