"""Motions that were estimated elsewhere: a folder of `.mot` files and the models they belong to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from odah.benchmark.model_motion import motion_of
from odah.benchmark.recording import Motion, Recording
from odah.errors import InputError
from odah.osim import read_model
from odah.osim.storage import read_coordinates

_NEAR = 0.5
"""Frames by which a row's time may miss a frame's."""


@dataclass(frozen=True)
class FolderMethod:
    """One folder or file a recording:

    FOLDER/<recording>/*.mot and *.osim, or FOLDER/<recording>.mot and FOLDER/<recording>.osim

    Rows are taken at the recording's times, which count from its first frame; between rows they are
    interpolated.
    """

    name: str
    root: Path

    @property
    def facts(self) -> Mapping[str, Any]:
        """See `Method`; the digest of all files' names, sizes and times of change."""
        files = sorted(file for file in self.root.rglob("*") if file.suffix.lower() in (".mot", ".osim"))
        told = [(str(f.relative_to(self.root)), f.stat().st_size, f.stat().st_mtime_ns) for f in files]
        return {"kind": "folder", "files": hashlib.sha256(repr(told).encode()).hexdigest()[:16]}

    def estimate(self, recording: Recording, views: Sequence[str], folder: Path) -> Motion:
        """See `Method`; writes nothing.

        Raises:
            InputError: no files, or several, for the recording; a motion that does not cover it.
        """
        motion, osim = self._file(recording.name, ".mot"), self._file(recording.name, ".osim")
        model = read_model(osim)
        trajectory = read_coordinates(motion, model)
        times = np.arange(recording.num_frames) / recording.rate
        rows = trajectory.start_time + np.arange(len(trajectory.values)) / trajectory.rate
        slack = _NEAR / recording.rate
        if rows[0] > times[0] + slack or rows[-1] < times[-1] - slack:
            raise InputError(
                motion,
                f"times {rows[0]:.3f} to {rows[-1]:.3f} s",
                f"0 to {times[-1]:.3f} s, as the recording",
            )
        turns = [coordinate.motion_type == "rotational" for coordinate in model.coordinates]
        columns = [np.unwrap(c) if turn else c for c, turn in zip(trajectory.values.T, turns, strict=True)]
        coordinates = np.stack([np.interp(times, rows, column) for column in columns], axis=1)
        return motion_of(model, coordinates, times, osim)

    def _file(self, recording: str, suffix: str) -> Path:
        alone = self.root / f"{recording}{suffix}"
        if alone.is_file():
            return alone
        found = sorted((self.root / recording).glob(f"*{suffix}"))
        if len(found) != 1:
            raise InputError(
                self.root / recording, f"{len(found)} {suffix} files", f"one, or {alone.name} beside"
            )
        return found[0]
