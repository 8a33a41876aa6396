"""OpenCap's laboratory validation (Uhlrich et al. 2023; SimTK project 2385, LabValidation_withVideos).

Ten people, `subject2` to `subject11`. Of each: `VideoData/Session<k>/Cam<n>/`, with the phone's calibration
and per trial a video cut to the time of the motion capture; and `OpenSimData/Mocap/`, the scaled model and
coordinates solved from markers.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from odah.benchmark.datasets.coordinate_files import (
    note_other_coordinates,
    read_coordinate_file,
    told_coordinates,
)
from odah.benchmark.datasets.findings import Findings
from odah.benchmark.datasets.opencap_session import MAX_DESYNC, Session
from odah.benchmark.datasets.opencap_world import read_yaml_numbers
from odah.benchmark.datasets.trc_span import trc_span
from odah.benchmark.datasets.video_frames import duration
from odah.benchmark.model_motion import motion_at
from odah.benchmark.recording import Motion, Recording
from odah.errors import InputError
from odah.estimator.predict.videos import Video
from odah.motion.collections.mot_header import MotHeader
from odah.motion.collections.opensim_models import ResultModels
from odah.motion.collections.scan import natural_key
from odah.motion.types import CoordinateTrajectory
from odah.osim.model import Model
from odah.osim.parse import read_model

LAYOUT = "folders subject2, subject3, ... with VideoData and OpenSimData, as LabValidation_withVideos holds"
CAMERAS = ("Cam0", "Cam1", "Cam2", "Cam3", "Cam4")
"""From 70 degrees on one side of the person's front to 70 degrees on the other."""
_SUBJECT = re.compile(r"subject\d+")
_NUMBER = re.compile(r"\d+$")
_MIN_FRAMES = 2


def read_opencap(
    folder: str | Path,
    *,
    subjects: Collection[str] | None = None,
    cameras: Collection[str] | None = None,
    strict: bool = False,
) -> tuple[list[Recording], list[str]]:
    """The trials that both cameras and markers recorded; and notes on what is missing or was mended.

    World: z up, the checkerboard's origin. A video's first frame is the first of the trial's `.trc`. The
    truth is that of the coordinates solved from markers, of OpenCap's own model and its joints.
    See `upright_world` for files with a wrong transform.

    Args:
        subjects, cameras: names of those wanted, such as subject2 and Cam1; all if None.
        strict: refuse a folder in which something is missing, damaged or doubtful.

    Raises:
        InputError: no such folder, or no trial in it.
    """
    unknown = [name for name in cameras or () if name not in CAMERAS]
    if unknown:
        raise InputError("cameras", repr(unknown[0]), f"some of {', '.join(CAMERAS)}")
    root, findings = Path(folder), Findings(strict)
    people = _people(root, subjects)
    recordings: list[Recording] = []
    for path in people:
        with findings.going_on():
            recordings += _Person(path, cameras, findings).recordings()
    if not recordings:
        found = "; ".join(findings.notes) or "no trials"
        raise InputError(root, found, LAYOUT)
    return recordings, findings.notes


def _people(root: Path, subjects: Collection[str] | None) -> list[Path]:
    if not root.is_dir():
        raise InputError(root, "a file" if root.exists() else "no such folder", LAYOUT)
    found = {
        path.name: path for path in (root, *root.iterdir()) if path.is_dir() and _SUBJECT.fullmatch(path.name)
    }
    missing = [name for name in subjects or () if name not in found]
    if missing or not found:
        raise InputError(root, f"no {missing[0] if missing else 'subject'}", LAYOUT)
    return [found[name] for name in sorted(found, key=natural_key) if subjects is None or name in subjects]


def _truth(model: Model, coordinates: CoordinateTrajectory, times: np.ndarray, path: Path) -> Motion:
    motion = replace(motion_at(model, coordinates, times, path), times=times - times[0])
    return motion.only(told_coordinates(coordinates.source.path, model))


@dataclass(frozen=True)
class _Trial:
    """name, path of its coordinates, and when its videos start, s of the motion capture."""

    name: str
    path: Path
    start: float
    length: float | None


@dataclass(frozen=True)
class _Person:
    """A subject's folder. cameras: names of those wanted."""

    folder: Path
    cameras: Collection[str] | None
    findings: Findings

    def recordings(self) -> list[Recording]:
        """In the order of the trials' names.

        Raises:
            InputError: the folders of coordinates or videos are missing.
        """
        ik = self._mocap / "IK"
        if not ik.is_dir():
            raise InputError(ik, "no such folder", LAYOUT)
        paths = {path.stem: path for path in ik.glob("*.mot")}
        filmed = {trial for session in self._sessions for trial in session.trials}
        for name in sorted(filmed - paths.keys(), key=natural_key):
            if not name.lower().startswith("extrinsics"):
                self.findings.left_out(f"{self.folder.name}, {name}", f"no {name}.mot in {ik}", "coordinates")
        recordings = []
        for name in sorted(paths, key=natural_key):
            with self.findings.going_on():
                recordings.append(self._recording(name, paths[name]))
        return recordings

    @property
    def _mocap(self) -> Path:
        return self.folder / "OpenSimData" / "Mocap"

    @cached_property
    def _sessions(self) -> list[Session]:
        wanted = [name for name in CAMERAS if self.cameras is None or name in self.cameras]
        folders = sorted(path for path in (self.folder / "VideoData").glob("Session*") if path.is_dir())
        if not folders:
            raise InputError(self.folder / "VideoData", "no sessions", LAYOUT)
        return [Session(folder, wanted, self.findings) for folder in folders]

    @cached_property
    def _size(self) -> tuple[float | None, ...]:
        """Height, m, and mass, kg."""
        path = self.folder / "sessionMetadata.yaml"
        with self.findings.going_on():
            return read_yaml_numbers(path, "height_m", "mass_kg")
        return None, None

    @cached_property
    def _models(self) -> ResultModels:
        return ResultModels(self._mocap, sorted(self._mocap.rglob("*.osim")), {self._mocap / "IK"})

    @cached_property
    def _parsed(self) -> dict[Path, Model]:
        return {}

    def _recording(self, name: str, path: Path) -> Recording:
        session = self._session(name)
        model_path, coordinates = self._coordinates(path)
        trial = self._trial(name, path, coordinates)
        videos = session.videos(name)
        self._compare_lengths(trial, videos)
        rate = next(iter(videos.values())).rate
        clock = self._clock(trial, coordinates, videos, rate)
        times = trial.start + clock
        height, mass = self._size
        return Recording(
            dataset="OpenCap",
            name=f"{self.folder.name}_{name}",
            subject=self.folder.name,
            action=_NUMBER.sub("", name) or name,
            rate=rate,
            num_frames=len(times),
            views=session.views(videos, clock),
            T_world_ground=session.world.T_world_ground,
            read_truth=partial(_truth, self._parsed[model_path], coordinates, times, model_path),
            height=height,
            mass=mass,
        )

    def _session(self, trial: str) -> Session:
        session = next((session for session in self._sessions if session.has(trial)), None)
        if session is None:
            raise InputError(f"{self.folder.name}, {trial}", "no video in any session", "one at least")
        return session

    def _coordinates(self, path: Path) -> tuple[Path, CoordinateTrajectory]:
        header = MotHeader.read(path)
        found = None if header is None else self._models.of(path, header.coordinates)
        if found is None:
            models = sorted(self._mocap.rglob("*scaled*.osim"))
            if not models:
                raise InputError(
                    path, "no model with its coordinates", f"a scaled model in {self._mocap / 'Model'}"
                )
            model_path = models[0]
        else:
            model_path = found.model
        if model_path not in self._parsed:
            self._parsed[model_path] = read_model(model_path)
            note_other_coordinates(model_path, self._parsed[model_path].coordinate_names, self.findings)
        return model_path, read_coordinate_file(path, self._parsed[model_path], self.findings)

    def _trial(self, name: str, path: Path, coordinates: CoordinateTrajectory) -> _Trial:
        markers = self.folder / "MarkerData" / "Mocap" / f"{name}.trc"
        with self.findings.going_on():
            first, last, rate = trc_span(markers)
            return _Trial(name, path, first, last - first + 1 / rate)
        self.findings.note(f"{path}: its first row is taken to be at the start of the videos")
        return _Trial(name, path, coordinates.start_time, None)

    def _compare_lengths(self, trial: _Trial, videos: Mapping[str, Video]) -> None:
        filmed = float(np.median([duration(video) for video in videos.values()]))
        if trial.length is not None and abs(filmed - trial.length) > MAX_DESYNC:
            told = f"videos of {filmed:.2f} s, markers of {trial.length:.2f} s"
            self.findings.note(
                f"{self.folder.name}, {trial.name}: {told}; their first frames are taken as one time"
            )

    def _clock(
        self, trial: _Trial, coordinates: CoordinateTrajectory, videos: Mapping[str, Video], rate: float
    ) -> np.ndarray:
        """(T,) s since the videos' start, at their rate, while there are coordinates and pictures."""
        begin = max(coordinates.start_time - trial.start, 0.0)
        last = min(float(video.times[-1]) for video in videos.values())
        end = min(float(coordinates.time[-1]) - trial.start, last)
        frames = np.arange(np.ceil(begin * rate - 1e-6), np.floor(end * rate + 1e-6) + 1)
        if len(frames) < _MIN_FRAMES:
            found = f"coordinates from {begin:.2f} s to {end:.2f} s of the videos"
            raise InputError(f"{self.folder.name}, {trial.name}", found, "a time that both show")
        return frames / rate
