"""`odah kinematics`: one recording of any format, solved on a scaled model."""

from __future__ import annotations

from pathlib import Path
from typing import cast, get_args

import numpy as np

from odah.body.fit import BodyFitter
from odah.body.model import load_body
from odah.body.registration import load_registration
from odah.config import Recording, SubjectsConfig
from odah.errors import InputError
from odah.motion.types import MarkerTrajectories, Motion
from odah.osim.kinematics import Kinematics, Solver, solve_kinematics
from odah.pipeline.kinematics import motion_kinematics, read_recording
from odah.pipeline.subjects import subject_of_motion


def recording_kinematics(
    path: Path,
    *,
    model: Path | None = None,
    scale_setup: Path | None = None,
    ik_setup: Path | None = None,
    osim: Path | None = None,
    solver: str = "torch",
) -> Kinematics:
    """A motion or marker file to a scaled model and its coordinates.

    Markers go to OpenSim directly; body motion moves the open body, whose virtual markers do.

    Raises:
        InputError: the file cannot be used, or an option does not apply to its kind.
    """
    if solver not in get_args(Solver):
        raise InputError("--solver", repr(solver), f"one of {', '.join(get_args(Solver))}")
    recorded = read_recording(Recording(path=str(path), osim=None if osim is None else str(osim)))
    if isinstance(recorded, MarkerTrajectories):
        return solve_kinematics(
            recorded, model=model, scale_setup=scale_setup, ik_setup=ik_setup, solver=cast(Solver, solver)
        )
    for name, value in (("--model", model), ("--scale-setup", scale_setup), ("--ik-setup", ik_setup)):
        if value is not None:
            raise InputError(
                f"{name} with {path}", str(value), "a marker file (.trc, .c3d), for only those are scaled"
            )
    if isinstance(recorded, Motion):
        return _body_motion_kinematics(recorded)
    return recorded


def _body_motion_kinematics(motion: Motion) -> Kinematics:
    fitter = BodyFitter(load_body(), load_registration())
    subject = subject_of_motion("subject", fitter, motion, None, SubjectsConfig(), np.random.default_rng(0))
    return motion_kinematics(motion, fitter, subject)
