"""The files of an estimate: model, motion, markers and a table, as OpenSim and spreadsheets read them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float

from odah.estimator.predict.motion import EstimatedMotion
from odah.estimator.skeleton import ANGLES
from odah.motion.trc import write_trc
from odah.motion.types import CoordinateTrajectory, MarkerTrajectories, Source
from odah.names import OPENSIM_COORDINATES, ROOT_TRANSLATIONS
from odah.osim import ForwardKinematics, Model, full_body_model, scale_model, write_model
from odah.osim.storage import write_mot

MODEL_FILE, MOTION_FILE, MARKER_FILE = "model.osim", "kinematics.mot", "markers.trc"
TABLE_FILE = "angles.csv"
_SCALE_LIMITS = (0.5, 2.0)


@dataclass(frozen=True, eq=False)
class Estimate:
    """A scaled model and its motion, evenly sampled.

    scale_factors: of the model's bodies, against the generic one.
    coordinates: rad and m, coupled ones as the model's couplers have them. errors: expected, rad; NaN where
    nobody was seen. is_seen: by view.
    """

    model: Model
    scale_factors: Float[np.ndarray, "K 3"]
    coordinates: Float[np.ndarray, "T C"]
    times: Float[np.ndarray, " T"]
    rate: float
    errors: Float[np.ndarray, "T A"] | None
    is_seen: Bool[np.ndarray, "V T"]


def estimate_of(
    motion: EstimatedMotion, times: np.ndarray, rate: float, mass: float | None
) -> tuple[Estimate, tuple[str, ...]]:
    """The model of the estimated size and its motion at `times`, and what has to be said of them.

    mass: kg; that of the generic model at the estimated size if None.
    """
    notes = []
    generic = full_body_model()
    scales = np.clip(motion.scale_factors, *_SCALE_LIMITS)
    if (scales != motion.scale_factors).any():
        notes.append("scale factors beyond 0.5 to 2 were cut off: no person has them")
    if mass is None:
        shares = np.array([body.mass for body in generic.bodies])
        mass = float((shares * scales.prod(axis=1)).sum())
        notes.append(f"mass {mass:.0f} kg, a typical one at the estimated size; --mass tells the true one")
    model = scale_model(generic, scales, name="estimated", mass=mass)
    coordinates = torch.from_numpy(motion.coordinates_at(times))
    coupled = ForwardKinematics(model).couple(coordinates).numpy()
    return Estimate(
        model, scales, coupled, times, rate, motion.errors_at(times), motion.seen_at(times)
    ), tuple(notes)


def write_estimate(folder: Path, estimate: Estimate, source: Source, views: tuple[str, ...]) -> None:
    """model.osim, kinematics.mot (degrees), markers.trc (the model's own markers, mm) and angles.csv."""
    model, start = estimate.model, float(estimate.times[0])
    write_model(model, folder / MODEL_FILE)
    trajectory = CoordinateTrajectory(
        model.coordinate_names, estimate.coordinates, estimate.rate, source, start
    )
    write_mot(folder / MOTION_FILE, trajectory, model)
    with torch.no_grad():
        markers = ForwardKinematics(model)(torch.from_numpy(estimate.coordinates)).markers.numpy()
    placed = MarkerTrajectories(model.marker_names, markers, estimate.rate, "ground", source, start)
    write_trc(folder / MARKER_FILE, placed)
    _write_table(folder / TABLE_FILE, estimate, views)


def joint_places(estimate: Estimate, coordinates: Float[np.ndarray, "F C"]) -> Float[np.ndarray, "F J 3"]:
    """Joint centres of the model, m, ground."""
    with torch.no_grad():
        return ForwardKinematics(estimate.model)(torch.from_numpy(coordinates)).joints.numpy()


def _write_table(path: Path, estimate: Estimate, views: tuple[str, ...]) -> None:
    """A row a time: s, degrees, m, expected errors in degrees where known, and where the person was found."""
    is_angle = [name not in ROOT_TRANSLATIONS for name in OPENSIM_COORDINATES]
    names = [f"{n}_deg" if a else f"{n}_m" for n, a in zip(OPENSIM_COORDINATES, is_angle, strict=True)]
    columns = [np.where(is_angle, np.rad2deg(estimate.coordinates), estimate.coordinates)]
    if estimate.errors is not None:
        names += [f"{name}_error_deg" for name in ANGLES]
        columns.append(np.rad2deg(estimate.errors))
    table = np.concatenate(columns, axis=1)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["time_s", *names, *(f"seen_{view}" for view in views)])
        for time, row, seen in zip(estimate.times, table, estimate.is_seen.T, strict=True):
            told = ["" if np.isnan(value) else f"{value:.6g}" for value in row]
            writer.writerow([f"{time:.6f}", *told, *(int(is_there) for is_there in seen)])
