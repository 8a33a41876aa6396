"""Markers to a scaled model and its coordinates: the one result that the later stages take."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from odah.errors import InputError
from odah.files import read_text
from odah.motion.types import CoordinateTrajectory, MarkerTrajectories, Source
from odah.osim.fk import ForwardKinematics
from odah.osim.full_body import full_body_model
from odah.osim.ik import InverseKinematics, inverse_kinematics
from odah.osim.ik.setup import IkSetup, read_ik_setup
from odah.osim.markersets import MarkerSet, choose_marker_set
from odah.osim.model import Model
from odah.osim.parse import read_model
from odah.osim.scaling.person import scale_to_trial, scale_with_setup
from odah.osim.storage import read_coordinates
from odah.osim.tools import CONVERGED_ACCURACY, inverse_kinematics_with_opensim

Solver = Literal["torch", "opensim"]
MIN_MARKERS = 8
_FRAMES_AT_ONCE = 4096
_MIN_VISIBLE = 0.5  # of the tracked markers, for a frame to be solved at either end of a trial


@dataclass(frozen=True)
class Kinematics:
    """A scaled model and its coordinates over time.

    coordinates: (T, C) rad and m, in the model's order. scale_factors: (K, 3) against the generic model.
    marker_errors: (T,) RMS distance of measured to model markers, m, unweighted; NaN where too few were seen
    and the coordinates are interpolated. marker_distances: (T, M) m, of `tracked_markers`, NaN where unseen.
    frame_flags: (T,), what is not as it should be in each frame, empty where all is.
    model_xml: the whole .osim where it holds more than `model`.
    """

    model: Model
    coordinates: np.ndarray
    rate: float
    source: Source
    start_time: float
    scale_factors: np.ndarray
    marker_errors: np.ndarray | None = None
    tracked_markers: tuple[str, ...] = ()
    marker_distances: np.ndarray | None = None
    frame_flags: tuple[str, ...] | None = None
    notes: tuple[str, ...] = field(default=())
    model_xml: str | None = None

    @property
    def num_frames(self) -> int:
        return len(self.coordinates)

    @property
    def time(self) -> np.ndarray:
        return self.trajectory.time

    @property
    def trajectory(self) -> CoordinateTrajectory:
        return CoordinateTrajectory(
            self.model.coordinate_names, self.coordinates, self.rate, self.source, self.start_time, self.notes
        )


def solve_kinematics(
    markers: MarkerTrajectories,
    model: Model | str | Path | None = None,
    *,
    scale_setup: str | Path | None = None,
    ik_setup: str | Path | None = None,
    marker_set: MarkerSet | None = None,
    mass: float | None = None,
    solver: Solver = "torch",
    accuracy: float = CONVERGED_ACCURACY,
) -> Kinematics:
    """Scale a model to a marker trial and solve its coordinates.

    model: generic model or its .osim file; None takes the scale set-up's own, else the full-body model.
    scale_setup: a ScaleTool set-up; None fits the model to the trial itself. ik_setup: an
    InverseKinematicsTool set-up, whose tasks, weights and time range are used. marker_set: where the
    markers sit and what they weigh; None chooses by their names. mass: kg; None keeps the model's.
    solver: ours, or OpenSim's tools for scaling by set-up and at `accuracy` for inverse kinematics.

    Raises:
        InputError: markers and model do not fit together. OdahError: OpenSim fails.
    """
    ik = None if ik_setup is None else read_ik_setup(ik_setup)
    markers, dropped = _usable(markers.in_ground(), ik)
    if scale_setup is None:
        person = scale_to_trial(markers, model, marker_set, mass)
    else:
        person = scale_with_setup(scale_setup, model, mass, with_opensim=solver == "opensim")
    weights = person.weights if marker_set is None else marker_set.weights
    weights = _shared_weights(markers, person.model, weights if ik is None else ik.weights)
    markers, trimmed = _trimmed(markers, weights)
    if solver == "opensim":
        with tempfile.TemporaryDirectory(prefix="odah_kinematics_") as scratch:
            file = Path(scratch) / "model.osim"
            file.write_text(person.xml, encoding="utf-8")
            solution = inverse_kinematics_with_opensim(
                file, markers, weights=weights, setup=ik_setup, accuracy=accuracy
            )
    else:
        tasks = () if ik is None else ik.tasks(person.model, markers.time)
        solution = inverse_kinematics(person.model, markers, weights, tasks=tasks)
    notes = (*dropped, *trimmed, *person.notes)
    factors = person.scale_factors
    return kinematics_of(person.model, person.xml, solution, markers, factors, notes)


def track_kinematics(markers: MarkerTrajectories, scaled: Kinematics) -> Kinematics:
    """Solve another trial of a person whose model `scaled` holds, with its markers where they were found.

    Raises:
        InputError: the trial's markers are not the model's.
    """
    markers, dropped = _usable(markers.in_ground(), None)
    known = choose_marker_set(markers.names, full_body_model()).weights
    known = {name: weight for name, weight in known.items() if name in scaled.tracked_markers}
    weights = _shared_weights(markers, scaled.model, known)
    markers, trimmed = _trimmed(markers, weights)
    solution = inverse_kinematics(scaled.model, markers, weights)
    factors = dict(zip(scaled.model.body_names, scaled.scale_factors, strict=True))
    notes = (*dropped, *trimmed)
    return kinematics_of(scaled.model, scaled.model_xml, solution, markers, factors, notes)


def load_opensim_motion(mot_path: str | Path, osim_path: str | Path) -> Kinematics:
    """Coordinates solved elsewhere, with the (scaled) model they belong to; scale factors are all 1."""
    model = read_model(osim_path)
    trajectory = read_coordinates(mot_path, model)
    return Kinematics(
        model=model,
        coordinates=trajectory.values,
        rate=trajectory.rate,
        source=trajectory.source,
        start_time=trajectory.start_time,
        scale_factors=np.ones((len(model.bodies), 3)),
        notes=trajectory.notes,
        model_xml=read_text(osim_path, "an OpenSim model"),
    )


def _usable(markers: MarkerTrajectories, ik: IkSetup | None) -> tuple[MarkerTrajectories, tuple[str, ...]]:
    """Markers seen at least once, in the time range of the set-up; and what was left out."""
    if ik is not None:
        first, last = ik.time_range
        half_step = 0.5 / markers.rate
        inside = (markers.time >= first - half_step) & (markers.time <= last + half_step)
        if not inside.any():
            raise InputError(
                f"{ik.path}, time_range", f"{first:g} to {last:g} s", f"times of {markers.source.path}"
            )
        markers = _frames(markers, np.flatnonzero(inside))
    seen = np.flatnonzero(np.isfinite(markers.positions).all(axis=-1).any(axis=0))
    names = tuple(markers.names[index] for index in seen)
    unseen = [name for name in markers.names if name not in names]
    if len(names) < MIN_MARKERS:
        raise InputError(
            markers.source.path, f"{len(names)} markers with positions", f"at least {MIN_MARKERS}"
        )
    notes = [f"markers without any position, left out: {', '.join(unseen)}"] if unseen else []
    if ik is not None and (missing := [name for name in ik.weights if name not in markers.names]):
        notes.append(f"markers of {ik.path.name} that the recording lacks: {', '.join(missing)}")
    return replace(markers, names=names, positions=markers.positions[:, seen]), tuple(notes)


def _shared_weights(
    markers: MarkerTrajectories, model: Model, weights: dict[str, float] | None
) -> dict[str, float]:
    """Weights of the markers that are measured, on the model, and wanted.

    Raises:
        InputError: fewer than MIN_MARKERS are.
    """
    if weights is None:
        weights = dict.fromkeys(model.marker_names, 1.0)
    on_model = set(model.marker_names)
    shared = {n: weights[n] for n in markers.names if n in on_model and weights.get(n, 0.0) > 0.0}
    if len(shared) < MIN_MARKERS:
        raise InputError(
            f"{markers.source.path}, marker names",
            f"{_few(markers.names)}, of which {len(shared)} are tracked markers of the model",
            f"at least {MIN_MARKERS} of the model's, such as {_few(weights)}",
        )
    return shared


def _few(names: Iterable[str]) -> str:
    return ", ".join(list(names)[:5])


def _trimmed(
    markers: MarkerTrajectories, weights: dict[str, float]
) -> tuple[MarkerTrajectories, tuple[str, ...]]:
    """The trial without the frames at either end in which most tracked markers are unseen."""
    columns = [markers.names.index(name) for name in weights]
    visible = np.isfinite(markers.positions[:, columns]).all(axis=-1).mean(axis=1)
    enough = np.flatnonzero(visible >= _MIN_VISIBLE)
    if len(enough) < 2:
        raise InputError(markers.source.path, "hardly any frame with half of its markers", "markers in view")
    kept = np.arange(enough[0], enough[-1] + 1)
    notes = []
    if len(kept) < markers.num_frames:
        notes.append(f"left out {markers.num_frames - len(kept)} frames at the ends: most markers unseen")
    sparse = int((visible[kept] < _MIN_VISIBLE).sum())
    if sparse:
        notes.append(f"{sparse} frames have less than half of their markers")
    return _frames(markers, kept), tuple(notes)


def _frames(markers: MarkerTrajectories, frames: np.ndarray) -> MarkerTrajectories:
    """Consecutive frames of a trial."""
    start = markers.start_time + frames[0] / markers.rate
    return replace(markers, positions=markers.positions[frames], start_time=start)


def kinematics_of(
    model: Model,
    xml: str | None,
    solution: InverseKinematics,
    markers: MarkerTrajectories,
    factors: Mapping[str, np.ndarray],
    notes: tuple[str, ...] = (),
) -> Kinematics:
    """A trial's solution as kinematics of its model; factors: (3,) by body, 1 where left out."""
    return Kinematics(
        model=model,
        coordinates=solution.coordinates,
        rate=markers.rate,
        source=markers.source,
        start_time=markers.start_time,
        scale_factors=np.array([factors.get(body, np.ones(3)) for body in model.body_names]),
        marker_errors=solution.rms_errors,
        tracked_markers=solution.marker_names,
        marker_distances=solution.distances,
        frame_flags=_frame_flags(solution),
        notes=(*notes, *_notes(model, solution)),
        model_xml=xml,
    )


def model_markers(model: Model, coordinates: np.ndarray) -> np.ndarray:
    """(T, M, 3): where the model's markers are in ground, m; coordinates (T, C)."""
    fk = ForwardKinematics(model)
    with torch.no_grad():
        parts = [fk(part).markers for part in torch.from_numpy(coordinates).split(_FRAMES_AT_ONCE)]
    return torch.cat(parts).numpy()


def _frame_flags(solution: InverseKinematics) -> tuple[str, ...]:
    flags = np.full(len(solution.coordinates), "", dtype=object)
    for k in np.flatnonzero(~solution.is_told.all(axis=1)):
        untold = [n for n, told in zip(solution.names, solution.is_told[k], strict=True) if not told]
        flags[k] = f"interpolated, told by no marker: {' '.join(untold)}"
    flags[~solution.is_determined] = "fewer measurements than coordinates"
    flags[~solution.is_converged] = "not converged"
    flags[~solution.is_solved] = "interpolated, too few markers"
    return tuple(flags)


def _notes(model: Model, solution: InverseKinematics) -> tuple[str, ...]:
    notes = [f"ignored: {constraint}" for constraint in model.loop_constraints]
    stuck = int((solution.is_solved & ~solution.is_converged).sum())
    if stuck:
        notes.append(f"{stuck} frames did not converge")
    loose = int((solution.is_solved & ~solution.is_determined).sum())
    if loose:
        notes.append(f"{loose} frames measure fewer numbers than they leave coordinates free")
    return tuple(notes)
