"""The multi-step baseline as a method of the benchmark."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from odah.benchmark.methods.multi_step.filtering import fill_gaps, low_pass
from odah.benchmark.methods.multi_step.keypoints import Keypoints, KeypointSource
from odah.benchmark.methods.multi_step.people import one_person
from odah.benchmark.methods.multi_step.settings import MultiStepSettings
from odah.benchmark.methods.multi_step.skeleton import SolvedSkeleton, solve_skeleton
from odah.benchmark.methods.multi_step.triangulation import Triangulated, triangulate
from odah.benchmark.model_motion import motion_of
from odah.benchmark.recording import Motion, Recording
from odah.errors import InputError
from odah.files import atomic_path
from odah.motion.trc import write_trc
from odah.motion.types import CoordinateTrajectory, MarkerTrajectories, Source
from odah.osim.ik.checks import check_cutoff
from odah.osim.storage import write_mot
from odah.osim.write import write_model

MODEL_FILE, MOTION_FILE, POINTS_FILE, REPORT_FILE = (
    "model.osim",
    "kinematics.mot",
    "keypoints.trc",
    "multi_step.json",
)


@dataclass(frozen=True, eq=False)
class MultiStep:
    """2D keypoints -> triangulation -> gaps and filter -> scaling -> inverse kinematics.

    Writes model.osim (the keypoints its markers), kinematics.mot (degrees), keypoints.trc (triangulated and
    filtered, ground) and multi_step.json: which coordinates the keypoints do not determine and by how much,
    how well the views agree, what had to be filled or left out.
    """

    name: str
    source: KeypointSource
    settings: MultiStepSettings = field(default_factory=MultiStepSettings)

    @property
    def facts(self) -> Mapping[str, Any]:
        """See `Method`."""
        return {
            "kind": "multi_step",
            "keypoints": dict(self.source.facts), **self.settings.model_dump(),
        }  # fmt: skip

    def estimate(self, recording: Recording, views: Sequence[str], folder: Path) -> Motion:
        """See `Method`.

        Raises:
            InputError: fewer than two views; a cutoff that frames at this rate do not have.
        """
        if len(views) < 2:
            raise InputError(f"{recording.name}, views", ", ".join(views) or "none", "two at least")
        check_cutoff(self.settings.cutoff, recording.rate, f"{recording.name}, cutoff")
        seen = [self.source.keypoints(recording, view) for view in views]
        found = self._points(recording, views, seen)
        trial = self._trial(recording, found)
        solved = solve_skeleton(
            trial, self.source.keypoint_set, self.source.place_deviation, self.settings, recording.mass
        )
        _write(folder, solved, trial)
        notes = [f"{view}: {note}" for view, each in zip(views, seen, strict=True) for note in each.notes]
        self._report(folder / REPORT_FILE, solved, found, trial, notes)
        times = np.arange(recording.num_frames) / recording.rate
        return motion_of(solved.model, solved.coordinates, times, folder / MODEL_FILE, solved.scale_factors)

    def _points(self, recording: Recording, views: Sequence[str], seen: Sequence[Keypoints]) -> Triangulated:
        """Of one person, world."""
        cameras = [recording.views[view].camera for view in views]
        limits = self.settings
        sure = [np.where(k.confidence < limits.min_confidence, 0.0, k.confidence) for k in seen]
        pixels, confidence = one_person(cameras, [k.pixels for k in seen], sure)
        return triangulate(cameras, pixels, confidence, limits.max_error_px)

    def _trial(self, recording: Recording, found: Triangulated) -> MarkerTrajectories:
        """In ground, gaps filled, filtered."""
        T = recording.T_world_ground
        points = (found.points - T[:3, 3]) @ T[:3, :3]
        points = fill_gaps(points, int(self.settings.max_gap * recording.rate))
        if self.settings.cutoff is not None:
            points = low_pass(points, recording.rate, self.settings.cutoff)
        source = Source(recording.name, "triangulated keypoints")
        names = self.source.keypoint_set.names
        return MarkerTrajectories(names, points, recording.rate, "ground", source)

    def _report(
        self,
        path: Path,
        solved: SolvedSkeleton,
        found: Triangulated,
        trial: MarkerTrajectories,
        notes: Sequence[str],
    ) -> None:
        is_found, is_used = np.isfinite(found.points[..., 0]), np.isfinite(trial.positions[..., 0])
        undetermined = solved.undetermined(self.settings.determined_within_deg)
        report = {
            "undetermined": {
                name: round(value, 3) if np.isfinite(value) else None for name, value in undetermined.items()
            },
            "reprojection_error_px": round(float(np.sqrt(np.mean(found.errors_px[is_found] ** 2))), 3),
            "triangulated_share": round(float(is_found.mean()), 4),
            "filled_share": round(float((is_used & ~is_found).mean()), 4),
            "interpolated_frames": np.flatnonzero(~solved.solution.is_solved).tolist(),
            "keypoint_error_mm": round(float(1e3 * np.sqrt(np.nanmean(solved.solution.distances**2))), 2),
            "notes": [*notes, *solved.notes],
        }
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _write(folder: Path, solved: SolvedSkeleton, trial: MarkerTrajectories) -> None:
    model = solved.model
    write_model(model, folder / MODEL_FILE)
    trajectory = CoordinateTrajectory(model.coordinate_names, solved.coordinates, trial.rate, trial.source)
    write_mot(folder / MOTION_FILE, trajectory, model)
    write_trc(folder / POINTS_FILE, trial)
