"""Markers to a scaled model and its coordinates: the one result that the later stages take."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
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
from odah.osim.ik.checks import check_cutoff
from odah.osim.ik.problem import IkProblem
from odah.osim.ik.setup import read_ik_setup
from odah.osim.markersets import MarkerSet, choose_marker_set
from odah.osim.model import Marker, Model
from odah.osim.parse import read_model
from odah.osim.scaling.person import ScaledPerson, scale_to_trials, scale_with_setup
from odah.osim.scaling.subject_size import check_size, size_by_distances
from odah.osim.storage import read_coordinates
from odah.osim.tools import CONVERGED_ACCURACY, inverse_kinematics_with_opensim
from odah.osim.trial_markers import shared_weights, trimmed_ends, usable_markers

Solver = Literal["torch", "opensim"]
_DOUBTFUL = 2.0
"""Times the marker RMS of a person's best trial."""
_FRAMES_AT_ONCE = 4096
_FRAMES_FOR_SIZE = 20


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
    cutoff: float | None = None,
    solver: Solver = "torch",
    accuracy: float = CONVERGED_ACCURACY,
) -> Kinematics:
    """Scale a model to a marker trial and solve its coordinates: `solve_subject` of that trial alone."""
    return solve_subject(
        [markers],
        model,
        scale_setup=scale_setup,
        ik_setup=ik_setup,
        marker_set=marker_set,
        mass=mass,
        cutoff=cutoff,
        solver=solver,
        accuracy=accuracy,
    )[0]


def solve_subject(
    trials: Sequence[MarkerTrajectories],
    model: Model | str | Path | None = None,
    *,
    scale_setup: str | Path | None = None,
    ik_setup: str | Path | None = None,
    marker_set: MarkerSet | None = None,
    mass: float | None = None,
    cutoff: float | None = None,
    solver: Solver = "torch",
    accuracy: float = CONVERGED_ACCURACY,
) -> list[Kinematics]:
    """Scale one model to all marker trials of a person and solve the coordinates of each.

    model: generic model or its .osim file; None takes the scale set-up's own, else the full-body model.
    scale_setup: a ScaleTool set-up; None fits the model to the trials themselves, all at once. ik_setup: an
    InverseKinematicsTool set-up, whose tasks, weights and time range are used. marker_set: where the
    markers sit and what they weigh; None chooses by their names. mass: kg; None keeps the model's.
    cutoff: Hz; smooths the motion, see `inverse_kinematics`. solver: ours, or OpenSim's tools for scaling by
    set-up and at `accuracy` for inverse kinematics.

    Raises:
        InputError: markers and model do not fit together, or the cutoff is none. OdahError: OpenSim fails.
    """
    if cutoff is not None and solver == "opensim":
        raise InputError("cutoff", f"{cutoff:g} Hz with the solver opensim", "torch, the one that smooths")
    ik = None if ik_setup is None else read_ik_setup(ik_setup)
    for trial in trials:
        check_cutoff(cutoff, trial.rate, f"{trial.source.path}, cutoff")
    usable = [usable_markers(trial.in_ground(), ik) for trial in trials]
    if scale_setup is None:
        person = scale_to_trials([trial for trial, _ in usable], model, marker_set, mass)
    else:
        person = scale_with_setup(scale_setup, model, mass, with_opensim=solver == "opensim")
    weights = person.weights if marker_set is None else marker_set.weights
    weights = weights if ik is None else ik.weights
    solved = []
    for trial, dropped in usable:
        shared = shared_weights(trial, person.model, weights)
        trial, trimmed = trimmed_ends(trial, shared)
        _check_unit(trial, person.model, shared)
        if solver == "opensim":
            solution = _solve_with_opensim(person, trial, shared, ik_setup, accuracy)
        else:
            tasks = () if ik is None else ik.tasks(person.model, trial.time)
            solution = inverse_kinematics(person.model, trial, shared, tasks=tasks, cutoff=cutoff)
        notes = (*dropped, *trimmed, *person.notes)
        solved.append(kinematics_of(person.model, person.xml, solution, trial, person.scale_factors, notes))
    return _with_doubts(solved)


def _check_unit(trial: MarkerTrajectories, model: Model, names: Iterable[str]) -> None:
    """Refuse a trial whose markers are not as far apart as the scaled model's: mm were taken as m, say."""
    followed = tuple(marker for marker in model.markers if marker.name in set(names))
    columns = [trial.names.index(marker.name) for marker in followed]
    frames = np.linspace(0, trial.num_frames - 1, min(trial.num_frames, _FRAMES_FOR_SIZE)).astype(int)
    size = size_by_distances(replace(model, markers=followed), trial.positions[frames][:, columns])
    check_size(str(trial.source.path), size)


def _with_doubts(solved: list[Kinematics]) -> list[Kinematics]:
    """Trials that the common model fits much worse than it fits another are noted."""
    rms = [float(np.sqrt(np.nanmean(np.asarray(trial.marker_distances) ** 2))) for trial in solved]
    doubt = "times the marker RMS of the person's best trial: is it the same person, with the same markers?"
    return [
        replace(trial, notes=(*trial.notes, f"{own / min(rms):.1f} {doubt}"))
        if own > _DOUBTFUL * min(rms)
        else trial
        for trial, own in zip(solved, rms, strict=True)
    ]


def _solve_with_opensim(
    person: ScaledPerson,
    trial: MarkerTrajectories,
    weights: Mapping[str, float],
    ik_setup: str | Path | None,
    accuracy: float,
) -> InverseKinematics:
    with tempfile.TemporaryDirectory(prefix="odah_kinematics_") as scratch:
        file = Path(scratch) / "model.osim"
        file.write_text(person.xml, encoding="utf-8")
        return inverse_kinematics_with_opensim(
            file, trial, weights=weights, setup=ik_setup, accuracy=accuracy
        )


def track_kinematics(markers: MarkerTrajectories, scaled: Kinematics) -> Kinematics:
    """Solve another trial of a person whose model `scaled` holds, with its markers where they were found.

    Raises:
        InputError: the trial's markers are not the model's.
    """
    markers, dropped = usable_markers(markers.in_ground())
    known = choose_marker_set(markers.names, full_body_model()).weights
    known = {name: weight for name, weight in known.items() if name in scaled.tracked_markers}
    weights = shared_weights(markers, scaled.model, known)
    markers, trimmed = trimmed_ends(markers, weights)
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


def _one_on_each_body(model: Model) -> tuple[Marker, ...]:
    return tuple(Marker(body, body, np.zeros(3)) for body in model.body_names)


def _notes(model: Model, solution: InverseKinematics) -> tuple[str, ...]:
    notes = [f"ignored: {constraint}" for constraint in model.loop_constraints]
    tracked = tuple(marker for marker in model.markers if marker.name in solution.marker_names)
    free = IkProblem.of(model.with_markers(tracked)).free_names
    everywhere = IkProblem.of(model.with_markers(_one_on_each_body(model))).free_names
    untold = [name for name in everywhere if name not in free]
    if untold:
        notes.append(f"told by no marker, so kept at their defaults: {', '.join(untold)}")
    stuck = int((solution.is_solved & ~solution.is_converged).sum())
    if stuck:
        notes.append(f"{stuck} frames did not converge")
    loose = int((solution.is_solved & ~solution.is_determined).sum())
    if loose:
        notes.append(f"{loose} frames measure fewer numbers than they leave coordinates free")
    return tuple(notes)
