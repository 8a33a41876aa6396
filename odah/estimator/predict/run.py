"""Two videos, or one, to an OpenSim model and its motion: all of `odah predict` but its command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from odah import __version__
from odah.dataset.schema import file_hash
from odah.errors import InputError
from odah.estimator.checkpoint import Checkpoint, load_checkpoint
from odah.estimator.devices import device_named
from odah.estimator.predict.infer import Frame, infer
from odah.estimator.predict.motion import EstimatedMotion
from odah.estimator.predict.opening import open_views
from odah.estimator.predict.options import PredictOptions
from odah.estimator.predict.outputs import Estimate, estimate_of, joint_places, write_estimate
from odah.estimator.predict.overlay import Panel, write_overlay
from odah.estimator.predict.person_view import PersonView
from odah.estimator.predict.timeline import Timeline, timeline
from odah.estimator.predict.trust import trust
from odah.files import check_output_folder, staged_files
from odah.motion.types import R_WORLD_GROUND, Source

RECORD_FILE, OVERLAY_FILE = "prediction.json", "overlay.mp4"
_FAR_FROM_FLOOR = 0.3
"""m; feet whose lowest joint stays further from the floor than this are worth a word."""
_RARELY = 0.9
"""Share of the frames; a person seen in fewer is worth a word."""
_ONE_VIEW = (
    "one view: how far away the person is and what points towards the camera are guessed from size and "
    "habit; expect larger errors than with two views"
)

Progress = Callable[[int, int], None]
"""How far, of how much."""


@dataclass(frozen=True, eq=False)
class Predicted:
    """What came out. inside: by view, the share of projected joints inside the person. notes: what has to be
    said, a sentence each."""

    out: Path
    estimate: Estimate
    inside: dict[str, float]
    record: dict[str, Any]
    notes: tuple[str, ...]

    @property
    def mean_inside(self) -> float:
        return float(np.mean(list(self.inside.values())))


def predict(
    checkpoint: str | Path | Checkpoint,
    videos: Sequence[str | Path],
    calibrations: Sequence[str | Path],
    out: str | Path,
    options: PredictOptions | None = None,
    progress: Progress | None = None,
) -> Predicted:
    """Write model.osim, kinematics.mot, markers.trc, angles.csv, prediction.json and overlay.mp4 to `out`.

    The world is the calibration's with Z up; the floor is its z = 0. All files are put in place at the end;
    what else is in the folder stays.

    Args:
        checkpoint: a network that `odah train` wrote, or the name of a shipped one.
        videos: the front one first, then the side one if there is one.
        calibrations: files that `odah.scene.calibration` reads.

    Raises:
        InputError: what is given does not fit together, or nobody is in a video.
    """
    options = options or PredictOptions()
    out = Path(out)
    check_output_folder(out)
    trained = checkpoint if isinstance(checkpoint, Checkpoint) else load_checkpoint(checkpoint)
    views, notes = open_views([Path(video) for video in videos], calibrations, options)
    clock = timeline([view.video for view in views], trained.config.data.rate, options.rate, options.offset)
    motion = _motion(trained, views, clock, options, progress)
    estimate, told = estimate_of(motion, clock.out_times, clock.out_rate, options.mass)
    coordinates = motion.coordinates_at(clock.times)
    joints = joint_places(estimate, coordinates)
    keypoints = [view.camera.project(joints @ R_WORLD_GROUND.T) for view in views]
    inside = {view.name: view.inside(points) for view, points in zip(views, keypoints, strict=True)}
    doubts = _doubts(trained, views, joints)
    notes = (*notes, *clock.notes, *told, *doubts, trust(trained.facts, estimate.errors))
    record = _record(checkpoint, trained, views, calibrations, clock, options, inside, notes)
    with staged_files(out) as folder:
        write_estimate(folder, estimate, Source(str(videos[0]), "odah predict"), tuple(v.name for v in views))
        (folder / RECORD_FILE).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        if options.has_overlay:
            frames = _panels(views, clock, keypoints)
            write_overlay(folder / OVERLAY_FILE, frames, coordinates, clock.times, clock.rate)
        else:
            (out / OVERLAY_FILE).unlink(missing_ok=True)  # of an earlier run
    return Predicted(out, estimate, inside, record, notes)


def _motion(
    trained: Checkpoint,
    views: Sequence[PersonView],
    clock: Timeline,
    options: PredictOptions,
    progress: Progress | None,
) -> EstimatedMotion:
    data = trained.config.data
    network = trained.network.to(device_named(options.device))
    crops = [
        view.crops(numbers.tolist(), data.size) for view, numbers in zip(views, clock.frames, strict=True)
    ]
    frames: Iterator[Frame] = zip(*crops, strict=True)
    T_world_ground = np.eye(4)
    T_world_ground[:3, :3] = R_WORLD_GROUND
    prediction = infer(
        network,
        data,
        frames,
        len(clock.times),
        [view.camera for view in views],
        T_world_ground,
        draws=options.draws,
        progress=progress,
    )
    is_seen = np.array([view.is_seen for view in views])
    for view, seen in zip(views, is_seen, strict=True):
        if not seen.any():
            raise InputError(view.path, f"nobody in any of {len(seen)} frames", "a person")
    return EstimatedMotion.of(prediction, clock.times, is_seen)


def _doubts(trained: Checkpoint, views: Sequence[PersonView], joints: np.ndarray) -> tuple[str, ...]:
    notes = [
        f"{view.path.name}: the person was found in {np.mean(view.is_seen):.0%} of the frames only"
        for view in views
        if np.mean(view.is_seen) < _RARELY
    ]
    if len(views) == 1:
        notes.append(_ONE_VIEW)
    if not trained.config.network.tells_pelvis:
        notes.append(
            "this network does not tell where the pelvis is: the skeleton's middle is put where the masks "
            "say that the person's is"
        )
    height = float(np.median(joints[..., 1].min(axis=1)))
    if abs(height) > _FAR_FROM_FLOOR:
        notes.append(
            f"the lowest joint is {height:+.2f} m from the floor, z = 0 of the calibration's world, most of "
            "the time: is --up right, and is the origin on the floor?"
        )
    return tuple(notes)


def _panels(
    views: Sequence[PersonView],
    clock: Timeline,
    keypoints: Sequence[np.ndarray],
) -> Iterator[list[Panel]]:
    pictures = [view.pictures(numbers.tolist()) for view, numbers in zip(views, clock.frames, strict=True)]
    for t, images in enumerate(zip(*pictures, strict=True)):
        yield [
            Panel(image, points[t], view.outlines[t])
            for image, points, view in zip(images, keypoints, views, strict=True)
        ]


def _record(
    checkpoint: str | Path | Checkpoint,
    trained: Checkpoint,
    views: Sequence[PersonView],
    calibrations: Sequence[str | Path],
    clock: Timeline,
    options: PredictOptions,
    inside: dict[str, float],
    notes: tuple[str, ...],
) -> dict[str, Any]:
    """What `prediction.json` holds."""
    name = "given" if isinstance(checkpoint, Checkpoint) else str(checkpoint)
    return {
        "odah_version": __version__,
        "network": {"name": name, "config": trained.config.name, "facts": trained.facts},
        "videos": [
            {
                "view": view.name,
                "file": str(view.path),
                "sha256": file_hash(view.path),
                "rate": view.video.rate,
                "num_frames": view.video.num_frames,
                "share_with_person": float(np.mean(view.is_seen)),
                "joints_inside_person": _number(inside[view.name]),
            }
            for view in views
        ],
        "calibration": [{"file": str(path), "sha256": file_hash(Path(path))} for path in calibrations],
        "options": {key: _plain(value) for key, value in asdict(options).items()},
        "rate": clock.out_rate,
        "num_frames": len(clock.out_times),
        "start_time": float(clock.out_times[0]),
        "joints_inside_person": _number(float(np.mean(list(inside.values())))),
        "notes": list(notes),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value
