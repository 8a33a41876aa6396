"""The shape of the person whom a scaled OpenSim model was made for, when no motion of theirs is at hand.

The other direction is `odah.body.shape.subject_scaling.scale_to_body`.
"""

from __future__ import annotations

import numpy as np
import torch

from odah.body.fitting.body_fitter import BodyFitter, FittedSubject
from odah.motion.types import Source
from odah.osim.fk import ForwardKinematics
from odah.osim.full_body import full_body_model
from odah.osim.kinematics import Kinematics
from odah.osim.model import Model
from odah.osim.scale import recovered_scale_factors

_NUM_POSES = 24
_SEED = 0
"""Every model strikes the same poses, so that only its sizes decide."""
_SHARE_OF_RANGE = 0.5
_LARGEST_BEND = 1.0
"""rad about the default pose: a knee or an elbow may bend further, but everyday poses do not need it."""


def subject_of_model(
    fitter: BodyFitter,
    model: Model,
    gender: str,
    height: float | None = None,
    mass: float | None = None,
    betas: np.ndarray | None = None,
) -> FittedSubject:
    """The body for a scaled full-body model, which strikes poses within its ranges.

    gender, height (m) and mass (kg) say what a skeleton cannot; betas (B,): known, so that only markers are
    placed. See `BodyFitter.fit_subject`.

    Raises:
        InputError: the model is no full-body model, or see `BodyFitter.fit_subject`.
    """
    fitter.registration.check_model(model)
    coordinates = everyday_coordinates(model, _NUM_POSES, np.random.default_rng(_SEED))
    posed = Kinematics(
        model=model,
        coordinates=coordinates,
        rate=1.0,
        source=Source(model.name, "osim"),
        start_time=0.0,
        scale_factors=recovered_scale_factors(model, full_body_model()),
    )
    return fitter.fit_subject(posed, gender, height, mass, betas=betas)


def everyday_coordinates(model: Model, count: int, rng: np.random.Generator) -> np.ndarray:
    """(count, C) coordinates about the default pose, within the ranges, rad and m; the root stays put."""
    low, high = model.coordinate_ranges.T
    middle = np.clip(model.default_coordinates, low, high)
    low, high = np.maximum(low, middle - _LARGEST_BEND), np.minimum(high, middle + _LARGEST_BEND)
    towards = rng.uniform(-_SHARE_OF_RANGE, _SHARE_OF_RANGE, (count, len(low)))
    values = middle + np.where(towards < 0, towards * (middle - low), towards * (high - middle)) * 2
    is_root = np.array([name.startswith("pelvis_") for name in model.coordinate_names])
    values[:, is_root] = model.default_coordinates[is_root]
    return ForwardKinematics(model).couple(torch.from_numpy(values)).numpy()
