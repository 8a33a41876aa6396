"""BMLmovi: the F round of MoVi (Ghorbani et al. 2021), its markers and the videos of two fixed cameras."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Int

from odah.benchmark.datasets.findings import Findings
from odah.benchmark.datasets.mat_file import from_mat_files
from odah.benchmark.datasets.movi_cameras import SIZE, read_camera
from odah.benchmark.datasets.movi_round import (
    FRAMES_PER_PICTURE,
    KIND,
    MARKER_RATE,
    VIDEO_RATE,
    MoviRound,
    our_names,
    read_round,
)
from odah.benchmark.datasets.movi_truth import PersonTruth
from odah.benchmark.datasets.video_frames import frames_at
from odah.benchmark.recording import Recording, View
from odah.errors import InputError
from odah.estimator.predict.videos import Video, examine
from odah.motion.collections.bmlmovi import action_name
from odah.motion.collections.scan import folder_files, natural_key
from odah.motion.types import R_WORLD_GROUND, MarkerTrajectories, Source
from odah.osim.model import rigid
from odah.osim.trial_markers import MIN_MARKERS, trimmed_ends
from odah.scene.camera import Camera

LAYOUT = (
    "F_v3d_Subject_N.mat, F_PG1_Subject_N_L.avi, F_PG2_..., cameraParams_PG1.npz and Extrinsics_PG1.npz, ..."
)
CAMERAS = ("PG1", "PG2")
EXCLUDED = ("crawling", "crossing_legs_while_sitting")
"""Actions that the ODAH paper leaves out (section 4.1): the model cannot bend as people then do."""
_VIDEO = re.compile(r"F_(PG[12])_Subject_(\d+)(?:_L)?\.(?:avi|mp4)", re.IGNORECASE)
_ROUND = re.compile(r"F_v3d_Subject_(\d+)\.mat", re.IGNORECASE)
_CALIBRATION = re.compile(r"(?:cameraParams|Extrinsics)_(PG[12])\.(?:npz|mat|pkl|pickle)", re.IGNORECASE)
_RANDOM = "_rm"
"""At the end of the name of the one motion that each person chose."""
_SAME_TIME = 8
"""Frames of the markers by which the two tables of a motion's frames may disagree."""


def read_bmlmovi(
    folder: str | Path,
    *,
    cache: str | Path | None = None,
    subjects: Collection[int] | None = None,
    excluded: Collection[str] = EXCLUDED,
    strict: bool = False,
) -> tuple[list[Recording], list[str]]:
    """The motions of a folder, by person and in the order of their files; and notes on what is missing.

    World: the laboratory's, z up, m (x is minus AMASS' y, and y AMASS' x). Picture k goes with frame 4 k of
    the markers. The truth is solved from the markers when it is first asked for, for all motions of a
    person.

    Args:
        cache: folder in which truths are kept, not inside the dataset's; None solves them anew each time.
        subjects: numbers of the people wanted; all if None.
        excluded: actions, of `BMLMOVI_ACTIONS`, that are left out.
        strict: refuse a folder in which something is missing, damaged or doubtful.

    Raises:
        InputError: no such folder, nothing in it, or a cache inside it.
    """
    root, findings = Path(folder), Findings(strict)
    kept = None if cache is None else Path(cache)
    if kept is not None and kept.resolve().is_relative_to(root.resolve()):
        raise InputError(
            kept, f"a folder inside of {root}", "one outside of the dataset, which is left as it is"
        )
    files = _find(root)
    wanted = sorted(files.rounds if subjects is None else subjects)
    missing = [subject for subject in wanted if subject not in files.rounds]
    for subject in missing:
        findings.left_out(f"{root}: subject {subject}", f"no F_v3d_Subject_{subject}.mat", KIND)
    for subject in sorted({each for _, each in files.videos} - files.rounds.keys()):
        if subjects is None:
            findings.left_out(
                f"{root}: subject {subject}", f"a video without F_v3d_Subject_{subject}.mat", KIND
            )
    cameras = _cameras(files, findings)
    paths = {files.rounds[subject]: subject for subject in wanted if subject in files.rounds}
    recordings: list[Recording] = []
    for path, read in from_mat_files(read_round, list(paths), KIND):
        with findings.going_on():
            if isinstance(read, InputError):
                raise read
            person = _Person(paths[path], path, read, cameras, files, kept, findings)
            recordings += person.recordings(excluded)
    if not recordings:
        raise InputError(root, "; ".join(findings.notes) or "no motions", LAYOUT)
    return sorted(recordings, key=lambda recording: natural_key(recording.name)), findings.notes


@dataclass(frozen=True)
class _Files:
    """By camera and subject, by subject, and by camera."""

    videos: dict[tuple[str, int], Path] = field(default_factory=dict)
    rounds: dict[int, Path] = field(default_factory=dict)
    calibrations: dict[str, list[Path]] = field(default_factory=dict)


def _find(root: Path) -> _Files:
    files = _Files()
    for folder, names in folder_files(root, LAYOUT):
        for name in names:
            path = Path(folder, name)
            if match := _VIDEO.fullmatch(name):
                files.videos.setdefault((match[1].upper(), int(match[2])), path)
            elif match := _ROUND.fullmatch(name):
                files.rounds.setdefault(int(match[1]), path)
            elif match := _CALIBRATION.fullmatch(name):
                files.calibrations.setdefault(match[1].upper(), []).append(path)
    if not files.rounds:
        raise InputError(root, "no F_v3d_Subject_N.mat", LAYOUT)
    return files


def _cameras(files: _Files, findings: Findings) -> dict[str, Camera]:
    cameras = {}
    for name in CAMERAS:
        with findings.going_on():
            cameras[name] = read_camera(name, files.calibrations.get(name, ()), findings)
    if not cameras:
        raise InputError("BMLmovi", "no camera with a calibration", LAYOUT)
    return cameras


@dataclass(frozen=True, eq=False)
class _Person:
    """number: of the subject. path: of its F round."""

    number: int
    path: Path
    round: MoviRound
    cameras: Mapping[str, Camera]
    files: _Files
    cache: Path | None
    findings: Findings

    def recordings(self, excluded: Collection[str]) -> list[Recording]:
        """Of all motions but those of excluded actions."""
        videos = self._videos()
        trials: dict[str, MarkerTrajectories] = {}
        frames: dict[str, np.ndarray] = {}
        for index, motion in enumerate(self.round.motions):
            if _action(motion) not in excluded:
                name = f"subject{self.number}_{index + 1:02d}_{re.sub(r'[^A-Za-z0-9]+', '_', motion)}"
                with self.findings.going_on():
                    frames[name], trials[name] = self._trial(index, videos)
        subject = f"subject{self.number}"
        truth = PersonTruth(subject, trials, self.round.mass, self.cache)
        return [self._recording(name, frames[name], truth, videos) for name in trials]

    def _recording(
        self, name: str, frames: np.ndarray, truth: PersonTruth, videos: Mapping[str, Video]
    ) -> Recording:
        index = int(name.split("_")[1]) - 1
        return Recording(
            dataset="BMLmovi",
            name=name,
            subject=truth.subject,
            action=_action(self.round.motions[index]),
            rate=VIDEO_RATE,
            num_frames=len(frames),
            views=dict(self._views(frames, videos)),
            T_world_ground=rigid(np.zeros(3), R_WORLD_GROUND),
            read_truth=partial(truth.motion, name),
            height=self.round.height,
            mass=self.round.mass,
        )

    def _videos(self) -> dict[str, Video]:
        videos = {}
        for name in self.cameras:
            with self.findings.going_on():
                path = self.files.videos.get((name, self.number))
                if path is None:
                    raise InputError(f"subject {self.number}", f"no video of {name}", LAYOUT)
                video = examine(path)
                if (video.width, video.height) != SIZE or abs(video.rate - VIDEO_RATE) > 0.1:
                    found = f"{video.width} x {video.height} px at {video.rate:.4g} Hz"
                    raise InputError(path, found, f"{SIZE[0]} x {SIZE[1]} px at {VIDEO_RATE:g} Hz")
                videos[name] = video
        if not videos:
            raise InputError(self.path, "no videos beside it", LAYOUT)
        return videos

    def _trial(
        self, index: int, videos: Mapping[str, Video]
    ) -> tuple[Int[np.ndarray, " T"], MarkerTrajectories]:
        """Numbers of the pictures, from 0, that show a motion and have markers; and the markers then."""
        where = f"{self.path}: {self.round.motions[index]}"
        first, last = self.round.flags30[index] - 1
        first_marker, last_marker = self.round.flags120[index] - 1
        apart = max(
            abs(FRAMES_PER_PICTURE * first - first_marker), abs(FRAMES_PER_PICTURE * last - last_marker)
        )
        if apart > _SAME_TIME:
            found = f"pictures {first} to {last} for markers {first_marker} to {last_marker}, from 0"
            self.findings.doubt(
                where, found, "four times the former: not synchronised?", "the pictures' count"
            )
        filmed = min(video.num_frames for video in videos.values())
        measured = (len(self.round.markers) - 1) // FRAMES_PER_PICTURE + 1
        if last >= min(filmed, measured):
            lacking = "pictures" if filmed <= measured else "markers"
            self.findings.left_out(
                where, f"{min(filmed, measured)} {lacking}", f"{last + 1} as its frames say"
            )
            last = min(filmed, measured) - 1
        frames = np.arange(first, last + 1)
        if len(frames) < 2:
            raise InputError(where, f"{max(len(frames), 0)} frames", "at least 2")
        return self._with_markers(where, frames)

    def _with_markers(
        self, where: str, frames: np.ndarray
    ) -> tuple[Int[np.ndarray, " T"], MarkerTrajectories]:
        ours = our_names(self.round.names)
        if len(ours) < MIN_MARKERS:
            found = f"{', '.join(self.round.names[:5])}, ..., of which {len(ours)} are known"
            raise InputError(f"{self.path}: marker names", found, f"at least {MIN_MARKERS} of MoVi's")
        columns = [self.round.names.index(name) for name in ours]
        markers = MarkerTrajectories(
            names=tuple(ours.values()),
            positions=self.round.markers[FRAMES_PER_PICTURE * frames][:, columns],
            rate=MARKER_RATE / FRAMES_PER_PICTURE,
            frame="world",
            source=Source(str(self.path), "movi", "MoVi, non-commercial research only"),
        )
        trimmed, notes = trimmed_ends(markers, dict.fromkeys(markers.names, 1.0))
        for note in notes:
            self.findings.note(f"{where}: {note}")
        skipped = round(trimmed.start_time * markers.rate)
        return frames[skipped : skipped + trimmed.num_frames], trimmed

    def _views(self, frames: np.ndarray, videos: Mapping[str, Video]) -> Iterator[tuple[str, View]]:
        for name, video in videos.items():
            numbers, is_stored = frames_at(video, frames / video.rate)
            if not is_stored.all():
                missing = f"{int((~is_stored).sum())} of {len(frames)} frames are missing"
                self.findings.note(f"{video.path}: {missing}: the nearest ones stand in")
            yield name, View(camera=self.cameras[name], video=video.path, frames=numbers)


def _action(motion: str) -> str:
    """Of `BMLMOVI_ACTIONS`, or MoVi's own word."""
    return "freestyle" if motion.endswith(_RANDOM) else action_name(motion)
