"""`odah animate`: any recording, or kinematics solved from one, to a fitted body in motion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch

from odah.body.animation import OPEN_BODY_SURFACE, BodyAnimation, body_topology, load_animation
from odah.body.checks import Plausibility, check_plausibility
from odah.body.fitting.body_fitter import BodyFitter, FittedSubject
from odah.body.fitting.marker_checks import check_seen, check_sides
from odah.body.fitting.measured_markers import MeasuredMarkers, measured_markers
from odah.body.fitting.residuals import BodyFit
from odah.body.model import BodyModel, load_body
from odah.body.registration import Registration, load_registration
from odah.body.shape.measures import body_height, body_mass
from odah.body.shape.population import TYPICAL_BMI
from odah.body.shape.prior import shape_prior
from odah.body.shape.statistics import ATTRIBUTE_RANGES, GENDERS
from odah.config import Recording
from odah.errors import InputError
from odah.files import existing_file
from odah.motion import resample
from odah.motion.types import Gender, MarkerTrajectories, Motion
from odah.osim.kinematics import Kinematics
from odah.osim.ranges import range_flags
from odah.osim.report import MODEL_FILE, MOTION_FILE
from odah.pipeline.kinematics import motion_kinematics, read_recording
from odah.pipeline.recording import KinematicsOptions, marker_kinematics
from odah.pipeline.standard_model import standard_kinematics
from odah.pipeline.subjects import betas_in_file, stature_for_legs, subject_of_body

Progress = Callable[[int, int], None]
_NUM_STEPS = 4
_FLOOR_MATTERS = 0.005
"""m; a floor that is nearer to 0 is not worth a word."""
_FARTHEST = 100.0
"""m from the origin; where no pelvis is, unless millimetres were taken for metres."""


@dataclass(frozen=True)
class AnimateOptions:
    """What the command's options say.

    gender and height (m) of the person, None where not known; the mass is among the options of kinematics,
    which say how markers are solved. body: an SMPL-X file or folder, with its registration; None for the
    open body. shape: an earlier animation of the same person. rate: Hz, of the result.
    """

    gender: str | None = None
    height: float | None = None
    body: Path | None = None
    registration: Path | None = None
    shape: Path | None = None
    rate: float | None = None
    kinematics: KinematicsOptions = field(default_factory=KinematicsOptions)

    @property
    def known_gender(self) -> Gender | None:
        return cast(Gender, self.gender) if self.gender is not None else None

    def check(self) -> None:
        """Before any work.

        Raises:
            InputError: no such gender, a height that no adult has, or a registration or rate that is none.
        """
        if self.gender is not None and self.gender not in GENDERS:
            raise InputError("--gender", repr(self.gender), f"one of {', '.join(GENDERS)}")
        low, high = ATTRIBUTE_RANGES["height"]
        if self.height is not None and not low <= self.height <= high:
            raise InputError("--height", f"{self.height:g} m", f"an adult's, {low:g} to {high:g} m")
        if self.rate is not None and not 0 < self.rate < 10_000:
            raise InputError("--rate", f"{self.rate:g} Hz", "a positive number")
        if self.shape is not None and (self.gender, self.height) != (None, None):
            given = "--gender" if self.gender is not None else "--height"
            raise InputError(f"--shape with {given}", f"{self.shape}, which tells it", "one of the two")
        if self.body is not None and self.registration is None:
            command = f"odah regressor fit --body {self.body} --out FILE.npz"
            raise InputError("--registration", "nothing", f"the file that `{command}` writes")
        self.kinematics.check()


@dataclass(frozen=True)
class Animated:
    """A clip that was fitted: the animation to keep, how well it follows, and what it follows.

    body: with bone lengths. checks: None of a single frame.
    """

    animation: BodyAnimation
    body: BodyModel
    fit: BodyFit
    kinematics: Kinematics
    checks: Plausibility | None

    @property
    def flags(self) -> tuple[str, ...]:
        """Sentences about what is not as it should be, and what was decided."""
        of_skeleton = (*range_flags(self.kinematics), *self.kinematics.notes)
        of_body = () if self.checks is None else (*self.checks.flags, *self._floor)
        return tuple(dict.fromkeys((*self.fit.flags(), *of_body, *of_skeleton)))

    @property
    def _floor(self) -> tuple[str, ...]:
        floor = 0.0 if self.checks is None else self.checks.floor
        if abs(floor) < _FLOOR_MATTERS:
            return ()
        return (f"the floor under the feet is at {1e3 * floor:.0f} mm, not at 0",)


@dataclass(frozen=True)
class _Followed:
    """What a body is to follow. guide (T, 55, 3) and subject: of the body motion that it came from."""

    kinematics: Kinematics
    markers: MeasuredMarkers | None
    gender: Gender
    guide: np.ndarray | None = None
    subject: FittedSubject | None = None


def animate_recording(
    path: Path, options: AnimateOptions, progress: Progress = lambda done, total: None
) -> Animated:
    """Fit a body to a folder of `odah kinematics`, an OpenSim motion, surface markers or a body motion.

    Raises:
        InputError: the recording or an option cannot be used. OdahError: no solution.
    """
    torch.set_num_threads(1)  # sums in another order would change the files' last digits
    options.check()
    progress(0, _NUM_STEPS)
    shape = options.shape
    known = None if shape is None else load_animation(shape)
    if known is not None:
        options = replace(options, gender=known.gender, shape=None)
    fitter = load_fitter(options)
    if known is not None:
        known.check_body(fitter.body, str(shape))
    betas = None if known is None else known.betas
    followed = _followed(path, options, fitter, betas)
    _check_units(followed.kinematics)
    progress(1, _NUM_STEPS)
    subject = _subject(followed, options, fitter, betas)
    progress(2, _NUM_STEPS)
    fit = fitter.fit_pose(followed.kinematics, subject, followed.guide, followed.markers)
    progress(3, _NUM_STEPS)
    animation = BodyAnimation(
        betas=fit.betas,
        poses=fit.poses,
        transl=fit.transl,
        rate=followed.kinematics.rate,
        gender=followed.gender,
        body_name=fitter.unstretched.name,
        topology=body_topology(fitter.unstretched),
        placement=subject.placement,
    )
    checks = None
    if fit.num_frames > 1:
        checks = check_plausibility(fitter.body, fit.betas, fit.poses, fit.transl, followed.kinematics)
    return Animated(animation, fitter.body, fit, followed.kinematics, checks)


def _subject(
    followed: _Followed, options: AnimateOptions, fitter: BodyFitter, betas: np.ndarray | None
) -> FittedSubject:
    if followed.subject is not None:
        return followed.subject
    return fitter.fit_subject(
        followed.kinematics, followed.gender, options.height, options.kinematics.mass, followed.markers, betas
    )


def load_fitter(options: AnimateOptions) -> BodyFitter:
    """The body that the options name, with its registration.

    Raises:
        InputError: a file that cannot be used, or a registration of another body.
    """
    return BodyFitter(
        load_body(options.body, options.gender or "neutral"), load_registration(options.registration)
    )


def _followed(path: Path, options: AnimateOptions, fitter: BodyFitter, betas: np.ndarray | None) -> _Followed:
    recorded = _read(path, options)
    _refuse_options(path, recorded, options.kinematics)
    recorded = _resampled(recorded, options.rate)
    if isinstance(recorded, Motion):
        return _of_motion(recorded, options, fitter, betas)
    gender = options.known_gender or "neutral"
    if isinstance(recorded, MarkerTrajectories):
        return _Followed(*_of_markers(recorded, options.kinematics, fitter.registration), gender)
    return _Followed(standard_kinematics(recorded, fitter.registration), None, gender)


def _read(path: Path, options: AnimateOptions) -> Motion | MarkerTrajectories | Kinematics:
    """Also a folder that `odah kinematics` wrote."""
    osim = options.kinematics.osim
    if path.is_dir():
        for name in (MODEL_FILE, MOTION_FILE):
            if not (path / name).is_file():
                inner = next((folder for folder in sorted(path.iterdir()) if (folder / name).is_file()), None)
                kind = "a folder that `odah kinematics` wrote"
                expected = kind if inner is None else f"one of its folders, such as {inner}"
                raise InputError(path, f"no {name}", expected)
        path, osim = path / MOTION_FILE, path / MODEL_FILE
    existing_file(path, "a motion or marker file, or a folder that `odah kinematics` wrote")
    return read_recording(Recording(path=str(path), osim=None if osim is None else str(osim)))


def _resampled(
    recorded: Motion | MarkerTrajectories | Kinematics, rate: float | None
) -> Motion | MarkerTrajectories | Kinematics:
    if rate is None:
        return recorded
    if isinstance(recorded, Kinematics):
        moved = resample(recorded.trajectory, rate)
        return replace(recorded, coordinates=moved.values, rate=moved.rate)
    if isinstance(recorded, Motion):
        return resample(recorded, rate)
    return resample(recorded, rate)


def _of_markers(
    recorded: MarkerTrajectories, options: KinematicsOptions, registration: Registration
) -> tuple[Kinematics, MeasuredMarkers]:
    """The skeleton that markers tell, and them beside it, unless they would be fitted to garbage."""

    def solve(markers: MarkerTrajectories) -> Kinematics:
        return marker_kinematics([markers], options)[0]

    solved = solve(recorded)
    check_seen(recorded, solved)
    check_sides(recorded, solved, solve)
    standard = standard_kinematics(solved, registration)
    measured = measured_markers(recorded, solved)
    return replace(standard, notes=(*solved.notes, *measured.notes)), measured


def _of_motion(
    motion: Motion, options: AnimateOptions, fitter: BodyFitter, betas: np.ndarray | None
) -> _Followed:
    """The loop body -> virtual markers -> inverse kinematics, on a person whose body is known or typical."""
    gender = options.known_gender or motion.gender
    notes: tuple[str, ...] = ()
    if betas is None and fitter.body.is_open and motion.surface_model == OPEN_BODY_SURFACE:
        own = load_animation(motion.source.path)
        own.check_body(fitter.body, motion.source.path)
        betas = own.betas
    if betas is None:
        betas = betas_in_file(motion, fitter.body)
    if betas is None:
        betas = _typical_betas(motion, options, fitter.body, gender)
        height, mass = body_height(fitter.body, betas), body_mass(fitter.body, betas)
        notes = (f"shape not known: a typical {gender} body of {height:.2f} m and {mass:.0f} kg",)
    subject = subject_of_body("subject", fitter, gender, betas)
    solved = motion_kinematics(motion, fitter, subject, options.kinematics.cutoff)
    solved = replace(solved, notes=(*solved.notes, *notes))
    return _Followed(solved, None, gender, guide=motion.poses, subject=subject.body)


def _typical_betas(motion: Motion, options: AnimateOptions, body: BodyModel, gender: Gender) -> np.ndarray:
    """Of the height and mass that are given; otherwise as tall as the motion's legs say, of usual mass."""
    height = options.height
    if height is None and body.is_open and motion.leg_length is not None:
        height = stature_for_legs(body, gender, TYPICAL_BMI, motion.leg_length)
    return shape_prior(body, gender, height, options.kinematics.mass).mean.numpy()


def _refuse_options(
    path: Path, recorded: Motion | MarkerTrajectories | Kinematics, options: KinematicsOptions
) -> None:
    """Options that would change nothing for a recording of this kind.

    Raises:
        InputError: one of them is given.
    """
    is_solved, is_markers = isinstance(recorded, Kinematics), isinstance(recorded, MarkerTrajectories)
    markers, any_recording = "a marker file (.trc, .c3d)", "a recording of markers or of a body"
    uses = {
        "model": (is_markers, markers),
        "scale_setup": (is_markers, markers),
        "ik_setup": (is_markers, markers),
        "osim": (is_solved and not path.is_dir(), "a .mot or .sto"),
        "cutoff": (not is_solved, any_recording),
    }
    for name, (has_use, expected) in uses.items():
        value = getattr(options, name)
        if value is not None and not has_use:
            raise InputError(f"--{name.replace('_', '-')} with {path}", str(value), expected)


def _check_units(solved: Kinematics) -> None:
    names = [
        name for name in ("pelvis_tx", "pelvis_ty", "pelvis_tz") if name in solved.model.coordinate_names
    ]
    for name in names:
        farthest = np.abs(solved.coordinates[:, solved.model.coordinate_names.index(name)]).max()
        if farthest > _FARTHEST:
            raise InputError(
                f"{solved.source.path}, {name}", f"{farthest:.0f} m",
                f"at most {_FARTHEST:g} m (are lengths in metres?)",
            )  # fmt: skip
