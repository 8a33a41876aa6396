"""The static pose, and the markers moved to where they were measured in it, as by OpenSim's MarkerPlacer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from odah.errors import InputError, OdahError
from odah.motion.types import MarkerTrajectories
from odah.osim.fk import ForwardKinematics, SkeletonPose
from odah.osim.model import GROUND, Marker, Model
from odah.osim.scaling.marker_set_file import MarkedModel
from odah.osim.scaling.scale_setup import MarkerPlacer, ScaleSetup
from odah.osim.scaling.static_pose import static_pose
from odah.osim.scaling.static_trial import StaticTrial, read_static_trial
from odah.wording import some_of


@dataclass(frozen=True)
class Placement:
    """The model with its markers in place, and the pose that they were placed in.

    static_pose: coordinates, rad and m, by name. residuals: distance from each tracked marker to the measured
    one in that pose, before it was moved, m.
    """

    marked: MarkedModel
    static_pose: dict[str, float]
    residuals: dict[str, float]
    notes: tuple[str, ...]


def place_markers(marked: MarkedModel, setup: ScaleSetup) -> Placement:
    """Pose the model on the mean of the static trial's frames and move the markers that are not fixed.

    Markers that the trial does not show are dropped. The pose uses the frames inside the time range, the new
    places also those beside it where it begins or ends between two frames, both as OpenSim. The coordinates'
    defaults stay as they are, also as OpenSim. A gap leaves out its frames of that marker alone; OpenSim does
    not track such a marker at all.

    Raises:
        InputError: the time range holds no frame, fewer than three tracked markers are seen in it, or a
            coordinate task cannot be followed.
    """
    placer = setup.placer
    assert placer is not None
    trial = read_static_trial(placer.marker_file)
    time_range = placer.tracking.time_range
    frames = trial.frames(time_range, f"{setup.path}, MarkerPlacer, time_range")
    model, dropped = _measured_markers(marked.model, trial)
    within = trial.is_within(time_range)
    pose_frames = within if within.any() else frames
    time = float(np.clip(time_range[0], trial.time[0], trial.time[-1]))  # of coordinate tasks from a file
    coordinates = _pose(model, setup, placer, _mean_frame(trial, pose_frames), time)
    pose = ForwardKinematics(model)(torch.from_numpy(coordinates))
    mean = _mean_frame(trial, frames)
    placed, unmoved = _moved(model, marked.fixed, pose, mean)
    return Placement(
        marked=MarkedModel(model.with_markers(placed), marked.fixed & set(model.marker_names)),
        static_pose=dict(zip(model.coordinate_names, coordinates.tolist(), strict=True)),
        residuals=_residuals(model, placer, pose, mean),
        notes=(*dropped, *unmoved, *_untracked(model, placer), *_restless(trial, frames, placer)),
    )


def _measured_markers(model: Model, trial: StaticTrial) -> tuple[Model, tuple[str, ...]]:
    """The model without the markers that the trial lacks."""
    kept = tuple(marker for marker in model.markers if marker.name in trial.markers.names)
    dropped = [marker.name for marker in model.markers if marker not in kept]
    notes = (
        (f"markers that {Path(trial.path).name} lacks, dropped: {some_of(dropped, 8)}",) if dropped else ()
    )
    return model.with_markers(kept), notes


def _mean_frame(trial: StaticTrial, frames: np.ndarray | slice) -> MarkerTrajectories:
    """One frame: each marker's mean over the frames that show it; NaN where none does."""
    positions = trial.markers.positions[frames]
    is_seen = np.isfinite(positions).all(axis=-1, keepdims=True)
    sums = np.where(is_seen, positions, 0.0).sum(axis=0)
    with np.errstate(invalid="ignore"):
        mean = sums / is_seen.sum(axis=0)
    return replace(trial.markers, positions=mean[None])


def _pose(
    model: Model, setup: ScaleSetup, placer: MarkerPlacer, mean: MarkerTrajectories, time: float
) -> Float[np.ndarray, " C"]:
    tasks = placer.tracking.tasks(model, np.array([time]))
    try:
        return static_pose(model, mean, placer.tracking.weights, tasks)
    except InputError:
        raise
    except OdahError as error:
        raise InputError(f"{setup.path}, MarkerPlacer, IKTaskSet", str(error), "tracked markers") from None


def _moved(
    model: Model, fixed: frozenset[str], pose: SkeletonPose, mean: MarkerTrajectories
) -> tuple[tuple[Marker, ...], tuple[str, ...]]:
    """Each marker that is not fixed where its body sees the measured one."""
    measured = dict(zip(mean.names, mean.positions[0], strict=True))
    unseen = [name for name in model.marker_names if not np.isfinite(measured[name]).all()]
    markers = []
    for marker in model.markers:
        if marker.name not in fixed and marker.name not in unseen:
            marker = replace(marker, offset=_in_body(model, pose, marker.body, measured[marker.name]))
        markers.append(marker)
    notes = (f"markers unseen in the time range, left in place: {some_of(unseen, 8)}",) if unseen else ()
    return tuple(markers), notes


def _in_body(model: Model, pose: SkeletonPose, body: str, point: np.ndarray) -> Float[np.ndarray, " 3"]:
    if body == GROUND:
        return point
    index = model.body_names.index(body)
    return (point - pose.body_positions[index].numpy()) @ pose.body_rotmats[index].numpy()


def _residuals(
    model: Model, placer: MarkerPlacer, pose: SkeletonPose, mean: MarkerTrajectories
) -> dict[str, float]:
    measured = dict(zip(mean.names, mean.positions[0], strict=True))
    distances = {
        name: float(np.linalg.norm(place - measured[name]))
        for name, place in zip(model.marker_names, pose.markers.numpy(), strict=True)
        if name in placer.tracking.weights
    }
    return {name: distance for name, distance in distances.items() if np.isfinite(distance)}


def _untracked(model: Model, placer: MarkerPlacer) -> tuple[str, ...]:
    absent = [name for name in placer.tracking.weights if name not in model.marker_names]
    return (f"marker tasks of markers that model or trial lacks: {some_of(absent, 8)}",) if absent else ()


def _restless(trial: StaticTrial, frames: slice, placer: MarkerPlacer) -> tuple[str, ...]:
    """What to tell about markers that move more than the set-up allows within the time range."""
    if placer.max_movement is None:
        return ()
    limit = placer.max_movement * trial.metres
    with np.errstate(invalid="ignore"):
        positions = trial.markers.positions[frames]
        extents = np.fmax.reduce(positions) - np.fmin.reduce(positions)
        restless = np.flatnonzero((extents > limit).any(axis=-1))
    if not len(restless):
        return ()
    names = some_of([trial.markers.names[k] for k in restless])
    return (f"markers that move more than {1e3 * limit:g} mm (max_marker_movement) while averaged: {names}",)
