"""Scale factors as in OpenSim's ScaleTool: measured over modelled distances, and factors by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import torch

from odah.errors import InputError
from odah.osim.fk import ForwardKinematics
from odah.osim.model import GROUND, Model
from odah.osim.scale import scale_model
from odah.osim.scaling.scale_setup import MEASUREMENTS, Measurement, ModelScaler, ScaleSetup
from odah.osim.scaling.static_trial import StaticTrial, read_static_trial

_COINCIDENT = 1e-6  # m


def measured_scale_factors(model: Model, setup: ScaleSetup) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Factors (3,) of every body, 1 where nothing scales it; and what to tell about them.

    A measurement's factor is the mean over its pairs of the mean measured distance over the model's, in the
    model's default pose. Later steps of the set-up's order, and later measurements, overwrite earlier ones.
    Unlike OpenSim, which then leaves the bodies unscaled, a measurement that cannot be made is an error, and
    a gap in a marker leaves out its frames alone.

    Raises:
        InputError: a measurement's marker is not in the trial or on the model, no frame shows a pair, or the
            model's coincides; a measurement, or a factor by hand, is of no body of the model.
    """
    factors = {body: np.ones(3) for body in model.body_names}
    if setup.scaler is None:
        return factors, ()
    notes: list[str] = []
    for step in setup.scaler.order:
        if step == MEASUREMENTS:
            for bodies, factor in _measure(model, setup, setup.scaler, notes):
                for body, axes in bodies.items():
                    factors[body][axes] = factor
        else:
            factors |= _manual(model, setup, setup.scaler)
    return factors, tuple(notes)


def scale_by_factors(model: Model, factors: Mapping[str, np.ndarray], setup: ScaleSetup) -> Model:
    """The model stretched by the factors, with the set-up's name, mass and mass distribution."""
    if setup.scaler is None:
        return replace(model, name=setup.name)
    in_order = np.array([factors[body] for body in model.body_names])
    if not setup.scaler.preserves_mass_distribution:
        volumes = in_order.prod(axis=1)
        heavier = zip(model.bodies, volumes, strict=True)
        bodies = (replace(b, mass=b.mass * float(v), inertia=b.inertia * v) for b, v in heavier)
        model = replace(model, bodies=tuple(bodies))
    mass = setup.mass if model.mass > 0 else None  # there is nothing to distribute it by
    return scale_model(model, in_order, name=setup.name, mass=mass)


def _measure(
    model: Model, setup: ScaleSetup, scaler: ModelScaler, notes: list[str]
) -> Iterator[tuple[Mapping[str, np.ndarray], float]]:
    """Each measurement's bodies, with their axes, and its factor."""
    if not scaler.measurements:
        return
    assert scaler.marker_file is not None  # the reader has looked
    trial = read_static_trial(scaler.marker_file)
    frames = trial.frames(scaler.time_range, f"{setup.path}, ModelScaler, time_range")
    pose = ForwardKinematics(model)(torch.from_numpy(model.default_coordinates))
    places = dict(zip(model.marker_names, pose.markers.numpy(), strict=True))
    for measurement in scaler.measurements:
        where = f"{setup.path}, Measurement {measurement.name!r}"
        bodies = _known_bodies(model, measurement, where, notes)
        if not measurement.pairs:
            notes.append(f"the measurement {measurement.name!r} has no markers, so it scales nothing")
        elif bodies:
            ratios = [_ratio(places, trial, frames, pair, where) for pair in measurement.pairs]
            yield bodies, float(np.mean(ratios))


def _known_bodies(
    model: Model, measurement: Measurement, where: str, notes: list[str]
) -> dict[str, np.ndarray]:
    known = {body: axes for body, axes in measurement.scales.items() if body in model.body_names}
    strangers = [body for body in measurement.scales if body not in known]
    if strangers and not known:
        raise InputError(f"{where}, BodyScale", repr(strangers[0]), f"a body of the model {model.name!r}")
    if strangers:
        notes.append(
            f"the measurement {measurement.name!r} also scales what the model lacks: {', '.join(strangers)}"
        )
    return known


def _ratio(
    places: Mapping[str, np.ndarray], trial: StaticTrial, frames: slice, pair: tuple[str, str], where: str
) -> float:
    """Mean measured over modelled distance of a pair of markers."""
    for name in pair:
        if name not in places:
            raise InputError(f"{where}, markers", repr(name), "a marker of the model or its marker set")
        if name not in trial.markers.names:
            raise InputError(f"{where}, markers", repr(name), f"a marker of {trial.path}")
    first, second = pair
    modelled = float(np.linalg.norm(places[first] - places[second]))
    if modelled < _COINCIDENT:
        raise InputError(
            f"{where}, markers", f"{first!r} and {second!r} in one place on the model", "a distance"
        )
    distances = np.linalg.norm(trial.position(first)[frames] - trial.position(second)[frames], axis=-1)
    if not np.isfinite(distances).any():
        raise InputError(
            f"{where}, markers",
            f"no frame of {trial.path} in the time range that shows both {first!r} and {second!r}",
            "at least one",
        )
    measured = float(np.nanmean(distances))
    if measured < _COINCIDENT:
        raise InputError(f"{where}, markers", f"{first!r} and {second!r} in one place", "a distance")
    return measured / modelled


def _manual(model: Model, setup: ScaleSetup, scaler: ModelScaler) -> dict[str, np.ndarray]:
    """The factors by hand; those of 1 may be of anything, as in the scale sets that OpenSim writes."""
    scales = {name: values for name, values in scaler.manual_scales.items() if not (values == 1).all()}
    strangers = [name for name in scales if name not in model.body_names]
    if strangers:
        found = repr(strangers[0]) + (", which cannot be scaled" if strangers[0] == GROUND else "")
        raise InputError(f"{setup.path}, Scale, segment", found, f"a body of the model {model.name!r}")
    return {name: values.copy() for name, values in scaler.manual_scales.items() if name in model.body_names}
