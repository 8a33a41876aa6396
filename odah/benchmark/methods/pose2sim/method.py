"""Pose2Sim as a method of the benchmark."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from odah import __version__
from odah.benchmark.datasets.coordinate_files import read_coordinate_file
from odah.benchmark.datasets.findings import Findings
from odah.benchmark.methods.multi_step.keypoints import Keypoints, KeypointSource
from odah.benchmark.methods.pose2sim.environment import Environment
from odah.benchmark.methods.pose2sim.project import CONFIG_FILE, write_project
from odah.benchmark.methods.pose2sim.settings import chosen_settings, pose_model, trial_config
from odah.benchmark.methods.pose2sim.toml_text import toml_text
from odah.benchmark.model_motion import motion_of
from odah.benchmark.recording import Motion, Recording
from odah.errors import InputError, OdahError
from odah.files import atomic_path
from odah.osim import read_model

MODEL_FILE, MOTION_FILE, POINTS_FILE = "model.osim", "kinematics.mot", "keypoints.trc"
LOG_FILE, REPORT_FILE = "pose2sim.log", "pose2sim.json"
_TRIAL = "trial"
_TIME_LIMIT = 1800.0


@dataclass(frozen=True, eq=False)
class Pose2Sim:
    """2D keypoints -> Pose2Sim's triangulation, filtering, perhaps marker augmentation, kinematics.

    augment: OpenCap's networks make anatomical markers of the keypoints, with the person's height and mass.
    settings: values of its Config.toml that are not to be the shipped ones. time_limit: s, of a recording.

    Writes model.osim, kinematics.mot, keypoints.trc (what the kinematics follow), Config.toml, pose2sim.log
    (all that it said) and pose2sim.json: frames that it left out, and notes.
    """

    name: str
    source: KeypointSource
    environment: Environment
    augment: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    time_limit: float = _TIME_LIMIT

    def __post_init__(self) -> None:
        """Mistakes in the settings are told before anything is computed.

        Raises:
            InputError: settings or a keypoint set that Pose2Sim does not have.
        """
        pose_model(self.source.keypoint_set.name)
        toml_text(self._config)

    @property
    def facts(self) -> Mapping[str, Any]:
        """See `Method`."""
        config = json.dumps(self._config, sort_keys=True)
        return {
            "kind": "pose2sim", "pose2sim": self.environment.version, "odah": __version__,
            "keypoints": dict(self.source.facts), "augment": self.augment,
            "config": hashlib.sha256(config.encode()).hexdigest()[:16], "settings": dict(self.settings),
        }  # fmt: skip

    def estimate(self, recording: Recording, views: Sequence[str], folder: Path) -> Motion:
        """See `Method`; NaN in frames that Pose2Sim leaves out.

        Raises:
            InputError: fewer than two views.
            OdahError: Pose2Sim fails, takes too long, or writes other frames.
        """
        if len(views) < 2:
            raise InputError(f"{recording.name}, views", ", ".join(views) or "none", "two at least")
        seen = [self.source.keypoints(recording, view) for view in views]
        points = self.source.keypoint_set
        config = trial_config(self._config, recording, pose_model(points.name))
        with tempfile.TemporaryDirectory(prefix="odah_pose2sim_") as scratch:
            project = Path(scratch) / _TRIAL
            write_project(project, recording, views, seen, points, config)
            shutil.copyfile(project / CONFIG_FILE, folder / CONFIG_FILE)
            self.environment.run(project, self._steps(seen), folder / LOG_FILE, self.time_limit)
            shutil.copyfile(_last(project / "pose-3d", ".trc"), folder / POINTS_FILE)
            shutil.copyfile(_last(project / "kinematics", ".osim"), folder / MODEL_FILE)
            shutil.copyfile(_last(project / "kinematics", ".mot"), folder / MOTION_FILE)
        told = [f"{view}: {note}" for view, each in zip(views, seen, strict=True) for note in each.notes]
        return _motion(recording, folder, told)

    @cached_property
    def _config(self) -> dict[str, Any]:
        return chosen_settings(self.environment.shipped, self.settings, self.augment)

    def _steps(self, seen: Sequence[Keypoints]) -> list[str]:
        is_crowd = any((keypoints.confidence > 0).any(-1).sum(-1).max(initial=0) > 1 for keypoints in seen)
        return [
            *(["personAssociation"] if is_crowd else []),
            "triangulation",
            "filtering",
            *(["markerAugmentation"] if self.augment else []),
            "kinematics",
        ]


def _last(folder: Path, suffix: str) -> Path:
    """What the last step wrote: each adds to the name of the file that it read."""
    found = sorted(folder.glob(f"*{suffix}"), key=lambda path: len(path.name))
    if not found:
        raise OdahError(f"Pose2Sim wrote no {suffix} file")
    return found[-1]


def _motion(recording: Recording, folder: Path, told: Sequence[str]) -> Motion:
    """In all of the recording's frames."""
    findings = Findings()
    model = read_model(folder / MODEL_FILE)
    trajectory = read_coordinate_file(folder / MOTION_FILE, model, findings)
    rows = np.rint(trajectory.time * recording.rate).astype(int)
    if rows[0] < 0 or rows[-1] >= recording.num_frames or (np.diff(rows) != 1).any():
        span = f"{trajectory.time[0]:.3f} to {trajectory.time[-1]:.3f} s"
        raise OdahError(
            f"Pose2Sim wrote {len(rows)} frames of {span} for {recording.num_frames} at {recording.rate:g} Hz"
        )
    times = np.arange(recording.num_frames) / recording.rate
    known = motion_of(model, trajectory.values, times[rows], folder / MODEL_FILE)
    lacking = np.setdiff1d(np.arange(recording.num_frames), rows)
    report = {
        "frames_left_out": lacking.tolist(),
        "notes": [*told, *(note.replace(f"{folder}/", "") for note in findings.notes)],
    }
    with atomic_path(folder / REPORT_FILE) as temporary:
        temporary.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    coordinates = np.full((len(times), known.coordinates.shape[1]), np.nan)
    joints = np.full((len(times), *known.joints.shape[1:]), np.nan)
    coordinates[rows], joints[rows] = known.coordinates, known.joints
    return replace(known, times=times, coordinates=coordinates, joints=joints)
