"""`odah kinematics` on one recording of any format, or on several of one person: solved and written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
import torch

from odah.body.fitting.body_fitter import BodyFitter
from odah.body.model import load_body
from odah.body.registration import load_registration
from odah.config import Recording, SubjectsConfig
from odah.errors import InputError
from odah.files import existing_file
from odah.motion.types import MarkerTrajectories, Motion
from odah.osim.kinematics import Kinematics, Solver, solve_subject
from odah.osim.plot import can_plot
from odah.osim.ranges import range_flags, range_uses
from odah.osim.report import ERROR_FILE, marker_rms, num_flagged, write_kinematics
from odah.pipeline.kinematics import motion_kinematics, read_recording
from odah.pipeline.labels import marker_rms_mm
from odah.pipeline.subjects import subject_of_motion

MARKER_SUFFIXES = (".trc", ".c3d")
_LIGHTEST, _HEAVIEST = 2.0, 650.0  # kg; newborns to the heaviest person on record: not grams, not tonnes
_ONLY_MARKER_FILES = "marker files (.trc, .c3d), for the model is scaled to all of them"
_ONLY_MARKERS = "a marker file (.trc, .c3d), for only those are scaled"
_ONLY_OURS_SMOOTHS = "the solver torch, for OpenSim's tool does not smooth"
NO_PLOT = "no plot, for matplotlib is not installed: pip install 'odah[kinematics]'"


@dataclass(frozen=True)
class KinematicsOptions:
    """What the command's options say, for every recording alike.

    model, scale_setup, ik_setup, mass (kg): of marker files. osim: of .mot and .sto files. cutoff: Hz, of
    markers and body motion. plot: draw kinematics.png.
    """

    model: Path | None = None
    scale_setup: Path | None = None
    ik_setup: Path | None = None
    osim: Path | None = None
    solver: str = "torch"
    plot: bool = True
    mass: float | None = None
    cutoff: float | None = None

    def check(self) -> None:
        """Before any work.

        Raises:
            InputError: the solver is unknown or does not smooth, a number is not positive, or a file does not
                exist or is empty.
        """
        if self.solver not in get_args(Solver):
            raise InputError("--solver", repr(self.solver), f"one of {', '.join(get_args(Solver))}")
        for name, value, unit in (("--mass", self.mass, "kg"), ("--cutoff", self.cutoff, "Hz")):
            if value is not None and not (value > 0 and math.isfinite(value)):
                raise InputError(name, f"{value:g} {unit}", "a positive number")
        if self.mass is not None and not _LIGHTEST <= self.mass <= _HEAVIEST:
            raise InputError("--mass", f"{self.mass:g} kg", f"a person's, {_LIGHTEST:g} to {_HEAVIEST:g} kg")
        if self.cutoff is not None and self.solver == "opensim":
            raise InputError("--cutoff with --solver opensim", f"{self.cutoff:g} Hz", _ONLY_OURS_SMOOTHS)
        kinds = {
            "an OpenSim model": (self.model, self.osim),
            "an OpenSim set-up": (self.scale_setup, self.ik_setup),
        }
        for kind, paths in kinds.items():
            for path in paths:
                if path is not None:
                    existing_file(path, kind)


@dataclass(frozen=True)
class RecordingSummary:
    """What the command tells of one recording that it solved; marker RMS in mm.

    worst_marker: the one with the largest RMS over the trial. out_of_range: coordinates that leave the
    model's range. flags: sentences about what was decided and what is not as it should be. files: by name.
    """

    frames: int
    rate: float
    marker_rms_mm: float | None
    worst_marker: str | None
    frames_flagged: int
    out_of_range: tuple[str, ...]
    flags: tuple[str, ...]
    files: Mapping[str, str]

    @property
    def sentence(self) -> str:
        told = [f"{self.frames} frames"]
        if self.marker_rms_mm is not None:
            told.append(f"marker RMS {self.marker_rms_mm:.1f} mm")
        if self.frames_flagged:
            told.append(f"{self.frames_flagged} frames flagged")
        return ", ".join(told)

    def to_json(self) -> dict[str, Any]:
        return self.__dict__ | {"files": dict(self.files)}


def solve_recording(path: Path, folder: Path, options: KinematicsOptions) -> RecordingSummary:
    """Solve a recording and write its files into `folder`, whole or not at all.

    Raises:
        InputError: the file cannot be used, or an option does not apply to its kind. OdahError: no solution.
    """
    torch.set_num_threads(1)  # sums in another order would change the files' last digits
    return write_solved(recording_kinematics(path, options), folder, options)


def write_solved(solved: Kinematics, folder: Path, options: KinematicsOptions) -> RecordingSummary:
    """Write the files of a recording into `folder`, whole or not at all, and tell what there is to tell."""
    files = write_kinematics(solved, folder, plot=options.plot)
    flags = [*solved.notes, *range_flags(solved)]
    if num_flagged(solved):
        flags.append(f"{num_flagged(solved)} of {solved.num_frames} frames are flagged in {ERROR_FILE}")
    if options.plot and not can_plot():
        flags.append(NO_PLOT)
    uses = range_uses(solved.model.coordinates, solved.coordinates)
    return RecordingSummary(
        frames=solved.num_frames,
        rate=solved.rate,
        marker_rms_mm=marker_rms_mm(solved),
        worst_marker=next(iter(marker_rms(solved)), None),
        frames_flagged=num_flagged(solved),
        out_of_range=tuple(use.coordinate.name for use in uses if use.num_outside),
        flags=tuple(flags),
        files={name: str(path) for name, path in files.items()},
    )


def recording_kinematics(path: Path, options: KinematicsOptions) -> Kinematics:
    """A motion or marker file to a scaled model and its coordinates.

    Markers go to OpenSim directly; body motion moves the open body, whose virtual markers do.

    Raises:
        InputError: the file cannot be used, or an option does not apply to its kind.
    """
    osim = None if options.osim is None else str(options.osim)
    recorded = read_recording(Recording(path=str(path), osim=osim))
    if isinstance(recorded, MarkerTrajectories):
        return marker_kinematics([recorded], options)[0]
    _refuse(path, options, ("model", "scale_setup", "ik_setup", "mass"), _ONLY_MARKERS)
    if isinstance(recorded, Motion):
        return _body_motion_kinematics(recorded, options.cutoff)
    _refuse(path, options, ("cutoff",), "a recording of markers or of a body, for these coordinates stay")
    ignored = [f"ignored: {constraint}" for constraint in recorded.model.loop_constraints]
    return replace(recorded, notes=(*recorded.notes, *ignored))


def subject_kinematics(paths: Sequence[Path], options: KinematicsOptions) -> list[Kinematics]:
    """Marker trials of one person, in order, on one model that is scaled to all of them.

    Raises:
        InputError: one of the files cannot be used, or holds no markers. OdahError: no solution.
    """
    torch.set_num_threads(1)
    trials = []
    for path in paths:
        check_is_marker_file(path)
        trials.append(read_recording(Recording(path=str(path))))
    return marker_kinematics(trials, options)


def check_is_marker_file(path: Path) -> None:
    """Whether `--one-subject` can use a recording.

    Raises:
        InputError: its type says that it holds no markers.
    """
    if path.suffix.lower() not in MARKER_SUFFIXES:
        raise InputError(f"--one-subject with {path}", "no marker file", _ONLY_MARKER_FILES)


def marker_kinematics(trials: Sequence[MarkerTrajectories], options: KinematicsOptions) -> list[Kinematics]:
    """Marker trials of one person, in order, on one model, solved as the options say.

    Raises:
        InputError: markers, model and set-ups do not fit together. OdahError: no solution.
    """
    solved = solve_subject(
        trials,
        options.model,
        scale_setup=options.scale_setup,
        ik_setup=options.ik_setup,
        mass=options.mass,
        cutoff=options.cutoff,
        solver=cast(Solver, options.solver),
    )
    return [
        replace(each, notes=(*trial.notes, *each.notes)) for trial, each in zip(trials, solved, strict=True)
    ]


def _refuse(path: Path, options: KinematicsOptions, names: Sequence[str], expected: str) -> None:
    """Options that would change nothing for a recording of this kind."""
    for name in names:
        value = getattr(options, name)
        if value is not None:
            raise InputError(f"--{name.replace('_', '-')} with {path}", str(value), expected)


def _body_motion_kinematics(motion: Motion, cutoff: float | None) -> Kinematics:
    fitter = BodyFitter(load_body(), load_registration())
    subject = subject_of_motion("subject", fitter, motion, None, SubjectsConfig(), np.random.default_rng(0))
    return motion_kinematics(motion, fitter, subject, cutoff)
