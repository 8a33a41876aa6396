"""Motions that were estimated elsewhere: a folder of `.mot` files and the models they belong to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from odah.benchmark.datasets.coordinate_files import read_coordinate_file, told_coordinates
from odah.benchmark.datasets.findings import Findings
from odah.benchmark.model_motion import motion_of
from odah.benchmark.recording import Motion, Recording
from odah.errors import InputError
from odah.osim import read_model

_NEAR = 0.5
"""Frames by which a row's time may miss a frame's."""


@dataclass(frozen=True)
class FolderMethod:
    """One folder or file a recording:

    FOLDER/<recording>/*.mot and *.osim, or FOLDER/<recording>.mot and FOLDER/<recording>.osim

    Rows are taken at the recording's times, which count from its first frame; between rows they are
    interpolated. Coordinates that a file does not tell are not compared; names and units are read as those
    of datasets are.
    """

    name: str
    root: Path

    @property
    def facts(self) -> Mapping[str, Any]:
        """See `Method`; the digest of all files' names, sizes and times of change."""
        return {"kind": "folder", "files": self._digest}

    @cached_property
    def _digest(self) -> str:
        files = sorted(file for file in self.root.rglob("*") if file.suffix in (".mot", ".osim"))
        told = [(str(f.relative_to(self.root)), f.stat().st_size, f.stat().st_mtime_ns) for f in files]
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]

    def estimate(self, recording: Recording, views: Sequence[str], folder: Path) -> Motion:
        """See `Method`; writes nothing.

        Raises:
            InputError: no files, or several, for the recording; a motion that does not cover it.
        """
        motion, osim = self._file(recording.name, ".mot"), self._file(recording.name, ".osim")
        model, findings = read_model(osim), Findings()
        trajectory = read_coordinate_file(motion, model, findings)
        times = np.arange(recording.num_frames) / recording.rate
        slack = _NEAR / recording.rate
        first, last = trajectory.time[[0, -1]]
        if first > times[0] + slack or last < times[-1] - slack:
            expected = f"0 to {times[-1]:.3f} s, as the recording"
            raise InputError(motion, f"times {first:.3f} to {last:.3f} s", expected)
        columns = [np.interp(times, trajectory.time, column) for column in trajectory.values.T]
        estimate = motion_of(model, np.stack(columns, axis=1), times, osim)
        return replace(estimate.only(told_coordinates(motion, model)), notes=tuple(findings.notes))

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
