"""The seat that a sitting action needs: where to put a stool of which height."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from odah.motion.actions.action import Action
from odah.motion.types import CoordinateTrajectory
from odah.osim.fk import ForwardKinematics
from odah.osim.model import Model

_HIP_OVER_SEAT = 0.09
"""m; hip joint centres above a hard seat, in an adult of ordinary build."""


@dataclass(frozen=True, eq=False)
class Seat:
    """Top of a seat: centre (3,) in ground (Y-up), m, under the hips while they rest on it."""

    centre: np.ndarray

    @property
    def height(self) -> float:
        """m above the floor"""
        return float(self.centre[1])


@torch.no_grad()
def seat_of(model: Model, action: Action, grounded: CoordinateTrajectory) -> Seat | None:
    """The seat under `grounded` (what `ground_action` made of `action` for `model`); None if nobody sits."""
    if not action.is_seated.any():
        return None
    sitting = torch.as_tensor(grounded.values[action.is_seated])
    joints = ForwardKinematics(model, torch.float64)(sitting).joints
    hips = joints[:, [model.joint_names.index("hip_r"), model.joint_names.index("hip_l")]].mean(dim=1)
    # The way down counts as seated from level thighs on; the rest itself is the lowest and the longest part.
    centre = hips.median(dim=0).values.numpy()
    return Seat(centre - [0.0, _HIP_OVER_SEAT, 0.0])
