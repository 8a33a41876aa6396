"""`odah kinematics` on one recording of any format: solved on a scaled model, written with its reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
import torch

from odah.body.fit import BodyFitter
from odah.body.model import load_body
from odah.body.registration import load_registration
from odah.config import Recording, SubjectsConfig
from odah.errors import InputError
from odah.files import existing_file
from odah.motion.types import MarkerTrajectories, Motion
from odah.osim.kinematics import Kinematics, Solver, solve_kinematics
from odah.osim.plot import can_plot
from odah.osim.ranges import range_flags, range_uses
from odah.osim.report import ERROR_FILE, marker_rms, num_flagged, write_kinematics
from odah.pipeline.kinematics import motion_kinematics, read_recording
from odah.pipeline.labels import marker_rms_mm
from odah.pipeline.subjects import subject_of_motion

_NO_PLOT = "no plot, for matplotlib is not installed: pip install 'odah[kinematics]'"


@dataclass(frozen=True)
class KinematicsOptions:
    """What the command's options say, for every recording alike.

    model, scale_setup, ik_setup: of marker files. osim: of .mot and .sto files. plot: draw kinematics.png.
    """

    model: Path | None = None
    scale_setup: Path | None = None
    ik_setup: Path | None = None
    osim: Path | None = None
    solver: str = "torch"
    plot: bool = True

    def check(self) -> None:
        """Before any work.

        Raises:
            InputError: the solver is unknown, or a file does not exist or is empty.
        """
        if self.solver not in get_args(Solver):
            raise InputError("--solver", repr(self.solver), f"one of {', '.join(get_args(Solver))}")
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
    solved = recording_kinematics(path, options)
    files = write_kinematics(solved, folder, plot=options.plot)
    flags = [*solved.notes, *range_flags(solved)]
    if num_flagged(solved):
        flags.append(f"{num_flagged(solved)} of {solved.num_frames} frames are flagged in {ERROR_FILE}")
    if options.plot and not can_plot():
        flags.append(_NO_PLOT)
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
        solved = solve_kinematics(
            recorded,
            model=options.model,
            scale_setup=options.scale_setup,
            ik_setup=options.ik_setup,
            solver=cast(Solver, options.solver),
        )
        return replace(solved, notes=(*recorded.notes, *solved.notes))
    for name in ("model", "scale_setup", "ik_setup"):
        value = getattr(options, name)
        if value is not None:
            where = f"--{name.replace('_', '-')} with {path}"
            raise InputError(where, str(value), "a marker file (.trc, .c3d), for only those are scaled")
    if isinstance(recorded, Motion):
        return _body_motion_kinematics(recorded)
    ignored = [f"ignored: {constraint}" for constraint in recorded.model.loop_constraints]
    return replace(recorded, notes=(*recorded.notes, *ignored))


def _body_motion_kinematics(motion: Motion) -> Kinematics:
    fitter = BodyFitter(load_body(), load_registration())
    subject = subject_of_motion("subject", fitter, motion, None, SubjectsConfig(), np.random.default_rng(0))
    return motion_kinematics(motion, fitter, subject)
