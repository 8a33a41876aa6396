"""What an OpenSim model and its coordinates say about a recording's motion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from scipy.interpolate import CubicSpline

from odah.benchmark.recording import Motion
from odah.motion.types import CoordinateTrajectory
from odah.osim.fk import ForwardKinematics
from odah.osim.model import Model

_FRAMES_AT_ONCE = 4096


def motion_at(
    model: Model, trajectory: CoordinateTrajectory, times: Float[np.ndarray, " T"], path: Path | None
) -> Motion:
    """The motion at some times, s, within the trajectory's span, by cubic splines.

    path: of the model's file.
    """
    if len(times) == trajectory.num_frames and np.allclose(times, trajectory.time, atol=1e-9):
        values = trajectory.values
    else:
        values = CubicSpline(trajectory.time, trajectory.values)(times)
    return motion_of(model, values, times, path)


def motion_of(
    model: Model,
    coordinates: Float[np.ndarray, "T C"],
    times: Float[np.ndarray, " T"],
    path: Path | None,
    scale_factors: Float[np.ndarray, "K 3"] | None = None,
) -> Motion:
    """Coordinates, rad and m, of all frames in the model's order, as a motion with its joints."""
    fk = ForwardKinematics(model)
    with torch.no_grad():
        values = fk.couple(torch.from_numpy(coordinates))
        joints = torch.cat([fk(part).joints for part in values.split(_FRAMES_AT_ONCE)])
    return Motion(
        times=times,
        coordinates=values.numpy(),
        coordinate_names=model.coordinate_names,
        joints=joints.numpy(),
        joint_names=model.joint_names,
        scale_factors=scale_factors,
        body_names=() if scale_factors is None else model.body_names,
        model=path,
    )
