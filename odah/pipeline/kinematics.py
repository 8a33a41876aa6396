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
from odah.motion.retarget import REST_PELVIS
from odah.motion.types import CoordinateTrajectory, MarkerTrajectories, Motion
from odah.names import SIDES, SMPLX_INDEX
from odah.osim.grounding import ground_action
from odah.osim.ik import inverse_kinematics
from odah.osim.ik.checks import check_cutoff
from odah.osim.kinematics import Kinematics, kinematics_of, load_opensim_motion
from odah.osim.seat import Seat, seat_of
from odah.pipeline.subjects import Subject, leg_length

OPENSIM_SUFFIXES = (".mot", ".sto")
_FEET = [SMPLX_INDEX[f"{side}_{joint}"] for side in SIDES for joint in ("ankle", "foot")]
_SOLE_THICKNESS = 0.02
"""m; the lowest part of the feet in the T-pose, where posed feet have their lowest points too."""
_SMPLH_REST_PELVIS = np.array([-0.0018, -0.2233, 0.0282])
"""m; pelvis joint of the average SMPL and SMPL-H body at rest (Loper et al. 2015, the neutral model), from
which AMASS tells `trans`; SMPL-X's is `REST_PELVIS`."""

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
        motion = load_opensim_motion(path, recording.osim)
    else:
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


def builtin_kinematics(
    subject: Subject, action: str, seed: int, rate: float, duration: float
) -> tuple[Kinematics, Seat | None]:
    """A built-in action performed by the subject, feet on the floor; and the seat, if it needs one."""
    planned = plan_action(action, seed, duration, rate)
    trajectory = ground_action(subject.model, planned)
    kinematics = Kinematics(
        model=subject.model,
        coordinates=trajectory.values,
        rate=trajectory.rate,
        source=trajectory.source,
        start_time=trajectory.start_time,
        scale_factors=subject.scale_factors,
    )
    return kinematics, seat_of(subject.model, planned, trajectory)


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
        fitter.body, layout, subject.betas, placed.poses, placed.transl, motion.rate, motion.source,
        subject.body.offsets,
    )  # fmt: skip
    weights = dict(zip(layout.names, marker_weights(layout).tolist(), strict=True))
    solved = inverse_kinematics(subject.model, markers, weights, cutoff=cutoff)
    factors = dict(zip(subject.model.body_names, subject.scale_factors, strict=True))
    return kinematics_of(subject.model, None, solved, markers, factors)


def place_on_body(motion: Motion, body: BodyModel, betas: np.ndarray) -> Motion:
    """The motion with its path scaled to another body's legs, so that steps fit and feet reach the floor.

    The recorded person's pelvis joint, relative to its own leg length, goes where the body's does. A motion
    of SMPL-X on a licensed body that has the betas of its file is left as it is.
    """
    if is_made_for(motion, body, betas):
        return motion
    pelvis = motion.transl + (_SMPLH_REST_PELVIS if motion.surface_model == "smplh" else REST_PELVIS)
    if motion.leg_length is None:
        scale = _leg_scale_seen(motion.poses, pelvis[:, 2], body, betas)
    else:
        scale = leg_length(body, betas) / motion.leg_length
    with torch.no_grad():
        rest_pelvis = body.posed_joints(torch.as_tensor(betas, dtype=body.dtype))[0][0].double().numpy()
    return replace(motion, transl=pelvis * scale - rest_pelvis)


def is_made_for(motion: Motion, body: BodyModel, betas: np.ndarray) -> bool:
    """Whether the file's betas are the body's, which mean something on SMPL-X only; bone lengths are zero."""
    if body.is_open or motion.betas is None or not motion.surface_model.startswith("smplx"):
        return False
    known = min(len(betas), len(motion.betas))
    return np.allclose(betas[:known], motion.betas[:known]) and not betas[known:].any()


def _leg_scale_seen(
    poses: np.ndarray, pelvis_height: np.ndarray, body: BodyModel, betas: np.ndarray
) -> float:
    """The scale of the recorded path with which the body's soles would just reach the floor at z = 0.

    For files that do not tell the person's size. A recording whose floor is elsewhere, or that never
    stands, gives no plausible answer; then the path is kept.
    """
    drop = _pelvis_above_soles(poses, body, betas)
    standing = drop > 0.85 * drop.max()
    if not standing.any():
        return 1.0  # lies or hangs, soles never below the pelvis
    own_height = float(np.median(pelvis_height[standing] / drop[standing]))
    return 1 / own_height if 0.75 < own_height < 1.33 else 1.0


def _pelvis_above_soles(poses: np.ndarray, body: BodyModel, betas: np.ndarray) -> np.ndarray:
    """(T,) height of the pelvis joint over the lower sole, m."""
    shape, rotvecs = (torch.as_tensor(a, dtype=body.dtype) for a in (betas, poses))
    with torch.no_grad():
        height = body.shaped(shape)[0][:, 1]
        is_foot = torch.isin(body.lbs_weights.argmax(dim=1), torch.tensor(_FEET))
        soles = body.restricted_to(
            torch.nonzero(is_foot & (height < height[is_foot].min() + _SOLE_THICKNESS))[:, 0]
        )
        posed = soles(shape, rotvecs)
    return (posed.joints[:, 0, 2] - posed.vertices[..., 2].min(dim=1).values).double().numpy()


def cut_kinematics(solved: Kinematics, rate: float, start: float, duration: float) -> Kinematics:
    """Coordinates at `rate`, from `start` s on, at most `duration` s long."""
    part = clip_part(solved.trajectory, rate, start, duration)
    return replace(solved, coordinates=part.values, rate=rate, start_time=0.0)
