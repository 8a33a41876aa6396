"""Scaling without a set-up: the model's bones and its soft-tissue markers fitted to a trial of any movement.

A few rounds over some twenty frames that differ most: pose the model (inverse kinematics), compare distances
between markers in that pose, rescale; then move each movable marker by its mean residual in its body's frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from odah.errors import InputError
from odah.motion.types import MarkerTrajectories
from odah.osim import measure
from odah.osim.fk import ForwardKinematics, SkeletonPose
from odah.osim.ik import inverse_kinematics
from odah.osim.markersets import MarkerSet
from odah.osim.model import GROUND, Marker, Model
from odah.osim.scale import scale_model

NUM_FRAMES, NUM_ROUNDS = 20, 3
_TOLERANCE = 1e-4  # rad: enough for means over frames
_PLAUSIBLE_SIZE = (0.3, 3.0)


@dataclass(frozen=True)
class ScaleFit:
    """Scale factors (3,) by body, and markers placed on the unscaled model."""

    scale_factors: Mapping[str, np.ndarray]
    markers: tuple[Marker, ...]
    notes: tuple[str, ...]


def fit_scale(model: Model, marker_set: MarkerSet, markers: MarkerTrajectories) -> ScaleFit:
    """Fit `model` to markers in ground.

    Raises:
        InputError: too few of the measurements can be made, or the person's size is no person's.
    """
    places = {n: place for n, place in marker_set.places(model).items() if n in markers.names}
    model = model.with_markers(tuple(places.values()))
    columns = [markers.names.index(name) for name in places]
    trial = replace(markers, names=tuple(places), positions=markers.positions[:, columns])
    trial = _key_frames(trial, model)
    measured = {name: trial.positions[:, k] for k, name in enumerate(trial.names)}
    rest = ForwardKinematics(model)(torch.from_numpy(model.default_coordinates)).markers.numpy()
    ratios = measure.measurement_ratios(
        marker_set, measured, dict(zip(trial.names, rest[:, None], strict=True))
    )
    _check_size(markers, ratios)
    for _ in range(NUM_ROUNDS):
        factors = measure.body_factors(marker_set, ratios, model.body_names)
        pose = _solve(model, factors, trial, marker_set)
        model = _move_markers(model, factors, pose, trial, marker_set)
        modelled = {name: pose.markers[:, k].numpy() for k, name in enumerate(trial.names)}
        ratios = _updated(marker_set, ratios, measure.measurement_ratios(marker_set, measured, modelled))
    factors = measure.body_factors(marker_set, ratios, model.body_names)
    return ScaleFit(factors, model.markers, _notes(marker_set, ratios, factors))


def _key_frames(trial: MarkerTrajectories, model: Model) -> MarkerTrajectories:
    """The frames to fit, each with the root where the first has it: only limbs move from one to the next."""
    frames = measure.varied_frames(trial.positions, NUM_FRAMES)
    root = next(joint.child for joint in model.joints if joint.parent == GROUND)
    on_root = [k for k, marker in enumerate(model.markers) if marker.body == root]
    return replace(trial, positions=measure.hold_root(trial.positions[frames], on_root))


def _check_size(markers: MarkerTrajectories, ratios: Mapping[str, float]) -> None:
    if not ratios:
        raise InputError(
            markers.source.path, "no pair of markers to measure a bone by", "more of the markers"
        )
    size = float(np.median(list(ratios.values())))
    if not _PLAUSIBLE_SIZE[0] <= size <= _PLAUSIBLE_SIZE[1]:
        raise InputError(
            markers.source.path,
            f"a person {size:.3g} times the model's size",
            f"{_PLAUSIBLE_SIZE[0]:g} to {_PLAUSIBLE_SIZE[1]:g} times (are lengths in the unit stated?)",
        )


def _solve(
    model: Model, factors: Mapping[str, np.ndarray], trial: MarkerTrajectories, marker_set: MarkerSet
) -> SkeletonPose:
    """The scaled model's pose in every frame of the trial."""
    scaled = scale_model(model, np.array([factors[body] for body in model.body_names]))
    solution = inverse_kinematics(
        scaled, trial, marker_set.weights, is_continuous=False, tolerance=_TOLERANCE
    )
    return ForwardKinematics(scaled)(torch.from_numpy(solution.coordinates))


def _move_markers(
    model: Model,
    factors: Mapping[str, np.ndarray],
    pose: SkeletonPose,
    trial: MarkerTrajectories,
    marker_set: MarkerSet,
) -> Model:
    """The unscaled model with its movable markers where the scaled one's would have no mean residual."""
    residuals = trial.positions - pose.markers.numpy()
    moved = []
    for index, marker in enumerate(model.markers):
        movable = marker_set.rules[marker.name].movable
        if movable.any():
            rotmats = pose.body_rotmats[:, model.body_names.index(marker.body)].numpy()
            shift = measure.mean_body_residual(rotmats, residuals[:, index])
            marker = replace(marker, offset=marker.offset + movable * shift / factors[marker.body])
        moved.append(marker)
    return model.with_markers(tuple(moved))


def _updated(
    marker_set: MarkerSet, applied: Mapping[str, float], ratios: Mapping[str, float]
) -> dict[str, float]:
    """Measured factors of the next round: what the scaled model had, times what was left over."""
    whole_body = measure.whole_body_factor(marker_set, applied)
    return {
        m.name: measure.trusted_factor(m, applied, whole_body) * ratios[m.name]
        for m in marker_set.measurements
        if m.name in ratios
    }


def _notes(
    marker_set: MarkerSet, ratios: Mapping[str, float], factors: Mapping[str, np.ndarray]
) -> tuple[str, ...]:
    notes = measure.extreme_factors(factors)
    unmeasured = [m.name for m in marker_set.measurements if m.name not in ratios]
    if unmeasured:
        notes.append(
            f"not measurable with these markers, so scaled as the whole body: {', '.join(unmeasured)}"
        )
    return tuple(notes)
