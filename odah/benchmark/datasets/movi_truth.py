"""The ground truth of BMLmovi: a model scaled to a person's markers, and inverse kinematics.

So did the ODAH paper (section 4.1), with OpenSim's tools; here bones and marker places are fitted to all of a
person's motions at once (`fit_subject`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from odah.benchmark.model_motion import motion_of
from odah.benchmark.recording import Motion
from odah.errors import InputError
from odah.files import DAMAGED_ARRAYS, atomic_folder
from odah.motion.types import MarkerTrajectories
from odah.osim.full_body import full_body_model
from odah.osim.kinematics import Kinematics, solve_subject
from odah.osim.markersets import MarkerSet, read_marker_set
from odah.osim.model import Model
from odah.osim.parse import read_model
from odah.osim.write import write_model

_VERSION = 1
"""Raise it when the way from markers to coordinates changes."""
MARKER_SET = Path(__file__).with_name("bmlmovi_markers.yaml")


@dataclass(frozen=True, eq=False)
class PersonTruth:
    """trials: markers by motion, at the videos' rate. mass: kg, None if not known.

    cache: folder in which the solution is kept, with the model and the markers' errors; None keeps nothing.
    """

    subject: str
    trials: Mapping[str, MarkerTrajectories]
    mass: float | None
    cache: Path | None
    marker_set: MarkerSet = field(default_factory=lambda: read_marker_set(MARKER_SET))

    def motion(self, name: str) -> Motion:
        """The truth of one motion, at all frames of its trial.

        Raises:
            InputError: markers that do not fit the model.
        """
        solution = self._solution
        times = np.arange(len(solution.coordinates[name])) / self.trials[name].rate
        return motion_of(
            solution.model, solution.coordinates[name], times, solution.path, solution.scale_factors
        )

    @cached_property
    def _solution(self) -> _Solution:
        if self.cache is None:
            return _solved(self._solve(), self.trials, None)
        folder = self.cache / self.subject
        if _inputs_in(folder) != self._inputs:
            kept = _solved(self._solve(), self.trials, folder / "model.osim")
            _write(kept, folder, self._inputs)
        return _read(folder, self.trials)

    def _solve(self) -> list[Kinematics]:
        return solve_subject(list(self.trials.values()), marker_set=self.marker_set, mass=self.mass)

    @property
    def _inputs(self) -> str:
        """A digest of all that the solution depends on."""
        digest = hashlib.sha256(f"{_VERSION} {self.mass} {full_body_model().name}".encode())
        digest.update(MARKER_SET.read_bytes())
        for name, trial in self.trials.items():
            digest.update(f"{name} {trial.names} {trial.rate}".encode())
            digest.update(np.ascontiguousarray(trial.positions).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class _Solution:
    """coordinates, errors: (T, C) and (T,) RMS of the markers, m, by motion."""

    model: Model
    scale_factors: np.ndarray
    coordinates: Mapping[str, np.ndarray]
    errors: Mapping[str, np.ndarray]
    path: Path | None


def _solved(
    solved: list[Kinematics], trials: Mapping[str, MarkerTrajectories], path: Path | None
) -> _Solution:
    errors = {
        name: np.full(each.num_frames, np.nan) if each.marker_errors is None else each.marker_errors
        for name, each in zip(trials, solved, strict=True)
    }
    coordinates = {name: each.coordinates for name, each in zip(trials, solved, strict=True)}
    for name, values in coordinates.items():
        if len(values) != trials[name].num_frames:
            where = f"{trials[name].source.path}, {name}"
            raise InputError(where, f"{len(values)} of {trials[name].num_frames} frames with markers", "all")
    return _Solution(solved[0].model, solved[0].scale_factors, coordinates, errors, path)


def _write(solution: _Solution, folder: Path, inputs: str) -> None:
    with atomic_folder(folder) as temporary:
        write_model(solution.model, temporary / "model.osim")
        arrays = {f"coordinates {name}": values for name, values in solution.coordinates.items()}
        arrays |= {f"marker errors {name}": values for name, values in solution.errors.items()}
        np.savez(temporary / "truth.npz", scale_factors=solution.scale_factors, **arrays)  # type: ignore[arg-type]
        rms = {name: float(np.sqrt(np.nanmean(errors**2))) for name, errors in solution.errors.items()}
        about = {
            "inputs": inputs,
            "marker_rms_mm": {name: round(1000 * value, 2) for name, value in rms.items()},
        }
        (temporary / "about.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def _read(folder: Path, trials: Mapping[str, MarkerTrajectories]) -> _Solution:
    path = folder / "truth.npz"
    try:
        with np.load(path, allow_pickle=False) as file:
            coordinates = {name: file[f"coordinates {name}"] for name in trials}
            errors = {name: file[f"marker errors {name}"] for name in trials}
            scale_factors = file["scale_factors"]
    except DAMAGED_ARRAYS:
        raise InputError(path, "no readable arrays", "what was kept there; remove the folder") from None
    model = read_model(folder / "model.osim")
    return _Solution(model, scale_factors, coordinates, errors, folder / "model.osim")


def _inputs_in(folder: Path) -> str | None:
    try:
        return json.loads((folder / "about.json").read_text(encoding="utf-8"))["inputs"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
