"""Heavier and lighter variants of a subject, who all move the same skeleton."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from odah.body.fitting.body_fitter import BodyFitter
from odah.body.shape.bmi_change import with_bmi_changed
from odah.body.shape.measures import body_mass
from odah.osim import scale_model
from odah.pipeline.subjects import Subject


def bmi_variant(subject: Subject, fitter: BodyFitter, change: float) -> Subject:
    """The subject with a body mass index changed by `change` kg/m^2.

    Bones, joints and markers of the model stay, its mass follows the body's. The body wears the markers where
    they were, which is no longer on its skin: some 5 mm off it for 4 kg/m^2, 15 mm where people put on most.

    Raises:
        InputError: see `with_bmi_changed`.
    """
    body, old = fitter.body, subject.betas
    new = with_bmi_changed(body, old, subject.gender, change, fitter.registration.regressor.weights)
    before, after = (
        body.shaped(torch.as_tensor(betas, dtype=body.dtype))[0].double().numpy() for betas in (old, new)
    )
    offsets = -(fitter.registration.layout.weights @ (after - before))
    if subject.body.offsets is not None:
        offsets += subject.body.offsets
    mass = subject.model.mass * body_mass(body, new) / body_mass(body, old)
    model = scale_model(subject.model, np.ones((len(subject.model.bodies), 3)), mass=mass)
    return replace(subject, body=replace(subject.body, betas=new, offsets=offsets), model=model)
