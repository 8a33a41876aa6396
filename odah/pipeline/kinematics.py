"""From a motion to a model's coordinates: the loop body -> virtual markers -> inverse kinematics."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from odah.body.fitting.body_fitter import BodyFitter, virtual_markers
from odah.body.model import BodyModel
from odah.body.registration.calibration import marker_weights
from odah.config import Recording
from odah.errors import InputError
from odah.motion import load_motion, resample
from odah.motion.actions import plan_action
from odah.motion.types import CoordinateTrajectory, MarkerTrajectories, Motion
from odah.names import SMPLX_INDEX
from odah.osim.grounding import ground_action
from odah.osim.ik import inverse_kinematics
from odah.osim.ik.checks import check_cutoff
from odah.osim.kinematics import Kinematics, kinematics_of, load_opensim_motion
from odah.pipeline.subjects import Subject, leg_length

OPENSIM_SUFFIXES = (".mot", ".sto")
_FEET = [SMPLX_INDEX["left_foot"], SMPLX_INDEX["right_foot"]]
_FOOT_THICKNESS = 0.03
"""m from the floor to the SMPL-X foot joint of someone who stands."""

Cuttable = TypeVar("Cuttable", Motion, MarkerTrajectories, CoordinateTrajectory)


def read_recording(recording: Recording) -> Motion | MarkerTrajectories | Kinematics:
    """Any motion file, with the options its config entry gives.

    Raises:
        InputError: the file cannot be used, or an OpenSim motion comes without its model.
    """
    path = Path(recording.path)
    if path.suffix.lower() in OPENSIM_SUFFIXES:
        if recording.osim is None:
            raise InputError(f"{path}: osim", "no model", "the .osim that the coordinates belong to")
        return load_opensim_motion(path, recording.osim)
    options = {name: getattr(recording, name) for name in ("up", "unit", "rate")}
    motion = load_motion(path, **{name: value for name, value in options.items() if value is not None})
    if recording.licence is not None:
        motion = replace(motion, source=replace(motion.source, licence=recording.licence))
    return motion


def clip_part(motion: Cuttable, rate: float, start: float, duration: float) -> Cuttable:
    """`motion` at `rate`, from `start` s on, at most `duration` s long.

    Raises:
        InputError: fewer than two frames are left.
    """
    motion = resample(motion, rate)
    part = slice(round(start * rate), round((start + duration) * rate))
    fields = {
        Motion: ("poses", "transl"),
        MarkerTrajectories: ("positions",),
        CoordinateTrajectory: ("values",),
    }
    changed = {name: getattr(motion, name)[part] for name in fields[type(motion)]}
    if len(next(iter(changed.values()))) < 2:
        found = f"a recording of {motion.num_frames / rate:.2f} s"
        raise InputError(f"{motion.source.path}: start", found, f"one that goes on after {start} s")
    if not isinstance(motion, Motion):
        changed["start_time"] = 0.0
    return replace(motion, **changed)


def builtin_kinematics(subject: Subject, action: str, seed: int, rate: float, duration: float) -> Kinematics:
    """A built-in action performed by the subject, feet on the floor."""
    trajectory = ground_action(subject.model, plan_action(action, seed, duration, rate))
    return Kinematics(
        model=subject.model,
        coordinates=trajectory.values,
        rate=trajectory.rate,
        source=trajectory.source,
        start_time=trajectory.start_time,
        scale_factors=subject.scale_factors,
    )


def motion_kinematics(
    motion: Motion, fitter: BodyFitter, subject: Subject, cutoff: float | None = None
) -> Kinematics:
    """The subject's model moved so that its markers follow those of the subject's body in `motion`.

    cutoff: Hz; smooths the motion, see `inverse_kinematics`.

    Raises:
        InputError: the motion's rate has no such frequency.
    """
    check_cutoff(cutoff, motion.rate, f"{motion.source.path}, cutoff")
    placed = place_on_body(motion, fitter.body, subject.betas)
    layout = fitter.registration.layout
    markers = virtual_markers(
        fitter.body, layout, subject.betas, placed.poses, placed.transl, motion.rate, motion.source
    )
    weights = dict(zip(layout.names, marker_weights(layout).tolist(), strict=True))
    solved = inverse_kinematics(subject.model, markers, weights, cutoff=cutoff)
    factors = dict(zip(subject.model.body_names, subject.scale_factors, strict=True))
    return kinematics_of(subject.model, None, solved, markers, factors)


def place_on_body(motion: Motion, body: BodyModel, betas: np.ndarray) -> Motion:
    """The motion with its path scaled to another body's legs, so that steps fit and feet reach the floor.

    The recorded person's pelvis, relative to its own leg length, goes where the body's does.
    """
    ratio = leg_length(body, betas) / (motion.leg_length or _leg_length_seen(motion, body, betas))
    rest_pelvis = body.posed_joints(torch.as_tensor(betas, dtype=body.dtype))[0][0].double().numpy()
    return replace(motion, transl=(motion.transl + rest_pelvis) * ratio - rest_pelvis)


def _leg_length_seen(motion: Motion, body: BodyModel, betas: np.ndarray) -> float:
    """The leg length with which this motion would just reach the floor at z = 0, m.

    For files that do not tell the person's size. A recording whose floor is elsewhere, or that never
    stands, gives no plausible answer; then the body's own length is taken.
    """
    own = leg_length(body, betas)
    with torch.no_grad():
        joints = (
            body.posed_joints(
                torch.as_tensor(betas, dtype=body.dtype), torch.as_tensor(motion.poses, dtype=body.dtype)
            )[0]
            .double()
            .numpy()
        )
    drop = joints[:, 0, 2] - joints[:, _FEET, 2].min(axis=1) + _FOOT_THICKNESS
    height = motion.transl[:, 2] + joints[:, 0, 2]
    standing = drop > 0.85 * drop.max()
    seen = own * float(np.median(height[standing] / drop[standing]))
    return seen if 0.75 * own < seen < 1.33 * own else own


def cut_kinematics(solved: Kinematics, rate: float, start: float, duration: float) -> Kinematics:
    """Coordinates at `rate`, from `start` s on, at most `duration` s long."""
    part = clip_part(solved.trajectory, rate, start, duration)
    return replace(solved, coordinates=part.values, rate=rate, start_time=0.0)
