"""The scaled model of the person in marker trials: by a ScaleTool set-up, or fitted to the trials."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from odah.files import read_text
from odah.motion.types import MarkerTrajectories
from odah.osim import setup_files
from odah.osim.full_body import full_body_model
from odah.osim.markersets import MarkerSet, choose_marker_set
from odah.osim.model import Model
from odah.osim.parse import read_model
from odah.osim.scale import scale_model
from odah.osim.scaling.scale_by_setup import scale_by_setup, write_scaled
from odah.osim.scaling.subject_fit import SubjectFit, fit_subject
from odah.osim.scaling.subject_frames import trial_paths
from odah.osim.scaling.subject_priors import priors_of_marker_set
from odah.osim.tools import scale_with_opensim, write_scaled_file
from odah.osim.write import write_model


@dataclass(frozen=True)
class ScaledPerson:
    """xml: the whole .osim. scale_factors: (3,) by body, against the generic model. weights: of the markers
    that a marker set knows, None where all markers of the model count alike.
    """

    model: Model
    xml: str
    scale_factors: Mapping[str, np.ndarray]
    weights: dict[str, float] | None
    notes: tuple[str, ...]


def scale_with_setup(
    setup: str | Path, model: Model | str | Path | None, mass: float | None, *, with_opensim: bool
) -> ScaledPerson:
    """model: takes the place of the set-up's own. mass: kg. with_opensim: run ScaleTool itself.

    Raises:
        InputError: the set-up cannot be used. OdahError: OpenSim fails.
    """
    with tempfile.TemporaryDirectory(prefix="odah_scaled_") as scratch:
        out = Path(scratch) / "scaled.osim"
        if with_opensim:
            factors, notes = _run_scale_tool(setup, model, mass, out), ()
        else:
            subject = scale_by_setup(setup, model=model, mass=mass)
            factors, notes = subject.scale_factors, (*subject.notes, *write_scaled(subject, out))
        return _read(out, factors, None, notes)


def scale_to_trials(
    trials: Sequence[MarkerTrajectories],
    model: Model | str | Path | None,
    marker_set: MarkerSet | None,
    mass: float | None,
) -> ScaledPerson:
    """The joint fit (`fit_subject`) to all trials of one person, which may show different markers.

    model: generic model or its file; None takes the full-body model. marker_set: None chooses by names.
    mass: kg; None keeps the model's.

    Raises:
        InputError: no marker set knows enough of the markers, or the person's size is no person's.
    """
    is_file = isinstance(model, str | Path)
    generic = read_model(model) if is_file else model or full_body_model()
    recorded = dict.fromkeys(name for trial in trials for name in trial.names)
    if marker_set is None:
        marker_set = choose_marker_set(recorded, generic, f"{trial_paths(trials)}, markers")
    places = [place for name, place in marker_set.places(generic).items() if name in recorded]
    fit = fit_subject(
        generic.with_markers(tuple(places)), trials, marker_set.weights, priors_of_marker_set(marker_set)
    )
    scaled = _whole_model(generic, fit, mass)
    factors = dict(zip(generic.body_names, fit.scale_factors, strict=True))
    what = "the trial itself" if len(trials) == 1 else f"all {len(trials)} trials"
    placed = f"markers placed by the set {marker_set.name!r}; bones and marker places fitted to {what}"
    notes = [placed, *fit.notes]
    if mass is None:
        notes.append(f"mass not known: the generic model's {generic.mass:.1f} kg is kept")
    with tempfile.TemporaryDirectory(prefix="odah_scaled_") as scratch:
        out = Path(scratch) / "scaled.osim"
        if is_file:
            write_scaled_file(model, out, scaled, factors)
        else:
            write_model(scaled, out)
        return _read(out, factors, marker_set.weights, tuple(notes))


def _whole_model(generic: Model, fit: SubjectFit, mass: float | None) -> Model:
    """Scaled, with the markers fitted and the generic model's others."""
    others = tuple(marker for marker in generic.markers if marker.name not in fit.model.marker_names)
    scaled = scale_model(generic.with_markers(others), fit.scale_factors, mass=mass)
    return scaled.with_markers((*fit.model.markers, *scaled.markers))


def _read(
    path: Path, factors: Mapping[str, np.ndarray], weights: dict[str, float] | None, notes: tuple[str, ...]
) -> ScaledPerson:
    """What is written is what is used."""
    return ScaledPerson(read_model(path), read_text(path, "an OpenSim model"), factors, weights, notes)


def _run_scale_tool(
    setup: str | Path, model: Model | str | Path | None, mass: float | None, out: Path
) -> dict[str, np.ndarray]:
    if isinstance(model, Model):
        generic = out.with_name("generic.osim")
        write_model(model, generic)
        model = generic
    chain = setup_files.scale_setup_chain(setup, model_path=model)
    return scale_with_opensim(chain, out, model_path=model, mass=mass)
