"""Bodies of given height and mass that still differ from one another."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from odah.body.body_model import BodyModel
from odah.body.shape.population import TYPICAL_AGE, Person
from odah.body.shape.prior import ShapePrior, shape_prior
from odah.body.shape.statistics import ATTRIBUTE_RANGES

_MAX_STANDARD = 2.5
"""Standard deviations of each independent part of a person's own shape; beyond, it is drawn again."""
_LENGTH_SHARE = 0.6
"""Of the prior's spread of bone lengths: people of one stature differ by some 3 % in a segment, which is what
correlations with stature of about 0.8 leave of the 5 % (Gordon et al. 2014). A fit's prior is wider because
a skeleton's joint centres are not quite the mesh's."""
_PROJECTION_STEPS = 6
_DECIMALS = 9
"""The last bits of a linear solution depend on where its arrays lie in memory; a drawn person must not."""


def betas_of_person(body: BodyModel, person: Person, rng: np.random.Generator | None = None) -> np.ndarray:
    """Betas (B,) whose T-pose mesh has the person's height and mass; typical ones where `rng` is None.

    Otherwise what people of that sex, height and mass differ in is drawn, too, bone lengths included.

    Raises:
        InputError: see `shape_prior`.
    """
    prior = shape_prior(body, person.gender, person.height, person.mass)
    spread = torch.linalg.inv(prior.whitening)
    spread[body.num_shape_betas :] *= _LENGTH_SHARE
    betas = prior.mean + torch.from_numpy(_ageing(body, person))
    if rng is not None:
        betas = betas + spread @ torch.from_numpy(_standard(rng, len(betas)))
    betas = onto_height_and_mass(prior, betas, spread @ spread.T)
    return betas.numpy().round(_DECIMALS)


def _ageing(body: BodyModel, person: Person) -> np.ndarray:
    """(B,) how the person's age changes a typical body; nothing where betas' meaning is not known."""
    if body.statistics is None:
        return np.zeros(body.num_betas)
    low, high = ATTRIBUTE_RANGES["age"]
    old, typical = (
        body.betas_from_attributes(person.height, person.bmi, person.gender, age=age)
        for age in (float(np.clip(person.age, low, high)), TYPICAL_AGE)
    )
    return old - typical


def _standard(rng: np.random.Generator, size: int) -> np.ndarray:
    """Normal numbers without the far tails."""
    drawn = rng.standard_normal(size)
    while (far := np.abs(drawn) > _MAX_STANDARD).any():
        drawn[far] = rng.standard_normal(int(far.sum()))
    return drawn


def onto_height_and_mass(prior: ShapePrior, betas: Tensor, covariance: Tensor) -> Tensor:
    """The nearest betas (B,), in units of `covariance` (B, B), that have the prior's height and mass."""
    for _ in range(_PROJECTION_STEPS):
        residuals, jacobian = (part[len(betas) :] for part in prior.linearize(betas))
        moved = covariance @ jacobian.T
        betas = betas - moved @ torch.linalg.solve(jacobian @ moved, residuals)
        betas = betas.clamp(prior.lower, prior.upper)
    return betas
