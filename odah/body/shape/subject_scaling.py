"""The OpenSim model of a person whose body is known: scaled so that it moves as the body's surface does."""

from __future__ import annotations

import numpy as np

from odah.body.fitting.body_fitter import BodyFitter
from odah.body.registration.calibration import fit_skeletons, marker_weights, sample_people
from odah.body.shape.measures import body_mass
from odah.osim.full_body import full_body_model
from odah.osim.model import Model
from odah.osim.scale import scale_model

_NUM_POSES = 14
_SEED = 0
"""Every subject is scaled in the same poses, so that only the body decides."""


def scale_to_body(fitter: BodyFitter, betas: np.ndarray, name: str) -> tuple[Model, np.ndarray]:
    """The full-body model scaled to the body of shape `betas`, and its scale factors (K, 3).

    The body strikes a few poses; scale factors and coordinates that bring the registered markers onto
    its surface are found together, because one static pose does not tell them apart.
    """
    registration = fitter.registration
    generic = registration.calibrated(full_body_model())
    weights = marker_weights(registration.layout)
    samples = sample_people(fitter.body, registration.layout, betas[None], _NUM_POSES, _SEED)
    fit = fit_skeletons(generic, weights, samples, registration.alignments)[0]
    mass = body_mass(fitter.body, betas)
    return scale_model(generic, fit.scale_factors, name=name, mass=mass), fit.scale_factors
