"""The same person heavier or lighter: other soft tissue on the same bones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from scipy import sparse
from torch import Tensor

from odah.body.body_model import BodyModel
from odah.body.shape.measures import body_measures
from odah.body.shape.people import onto_height_and_mass
from odah.body.shape.prior import shape_prior

BMI_RANGE = (16.0, 40.0)
"""kg/m^2; beyond, few adults are to be found, and bodies are extrapolated."""
_JOINT_SIGMA = 0.0015
"""m; how far joint centres may move: less than what a fitted body's are off its skeleton's."""
_DECIMALS = 9
"""The last bits depend on where arrays lie in memory; a person must not."""


def with_bmi_changed(
    body: BodyModel,
    betas: Float[np.ndarray, " B"],
    gender: str,
    change: float,
    joint_weights: sparse.csr_matrix,
) -> Float[np.ndarray, " B"]:
    """Betas of a person whose body mass index is `change` kg/m^2 higher, as far as `BMI_RANGE` allows.

    Stature stays; joint centres, which `joint_weights` (J, N) takes from the vertices, move by a millimetre
    or two; what changes is what varies among people of that sex.

    Raises:
        InputError: an unknown gender, or a person of no adult's height.
    """
    start = torch.as_tensor(betas, dtype=torch.float64)
    measures = body_measures(body)
    height, bmi = measures.height(start)[0], measures.bmi(start)[0]
    wanted = float(np.clip(bmi + change, min(bmi, BMI_RANGE[0]), max(bmi, BMI_RANGE[1])))
    prior = replace(shape_prior(body, gender), height=height, mass=wanted * height**2)
    stiffness = prior.whitening.T @ prior.whitening + _joint_stiffness(body, joint_weights)
    changed = onto_height_and_mass(prior, start, torch.linalg.inv(stiffness))
    return changed.numpy().round(_DECIMALS)


def _joint_stiffness(body: BodyModel, joint_weights: sparse.csr_matrix) -> Float[Tensor, "B B"]:
    directions = body.shapedirs.detach().cpu().double().numpy()
    moves = joint_weights @ directions.reshape(len(directions), -1)
    scaled = torch.from_numpy(moves.reshape(-1, directions.shape[-1]) / _JOINT_SIGMA)
    return scaled.T @ scaled
