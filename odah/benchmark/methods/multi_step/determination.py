"""How well keypoints tell each coordinate when the person's bones are not known either."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from odah.osim.model import Model
from odah.osim.scaling.subject_priors import SubjectPriors
from odah.osim.scaling.subject_problem import SubjectProblem

_MOST_FRAMES = 200


def coordinate_priors(model: Model) -> Float[np.ndarray, " C"]:
    """Standard deviations before any keypoint is seen, rad and m: of an even distribution over the range."""
    low, high = model.coordinate_ranges.T
    return np.maximum(high - low, 1e-6) / np.sqrt(12)


def coordinate_deviations(
    model: Model,
    positions: Float[np.ndarray, "T M 3"],
    coordinates: Float[np.ndarray, "T C"],
    weights: Mapping[str, float],
    priors: SubjectPriors,
) -> Float[np.ndarray, " C"]:
    """Standard deviations given the keypoints, rad and m, root mean square over the frames; inf for
    coordinates that move no keypoint.

    Laplace's approximation at a solution, of the problem in which poses, scale factors and places of markers
    are unknown together (`SubjectProblem`): the covariance of a frame's coordinates is that of the frame if
    the bones were known, and what the bones' own adds to it.

    model: fitted, with the tracked keypoints as markers. positions: of those, in its order, ground, m, NaN
    where unseen; frames without any are left out.
    """
    rows = np.flatnonzero(np.isfinite(positions).all(-1).any(-1))
    rows = rows[:: 1 + len(rows) // _MOST_FRAMES]
    by_marker = np.array([weights[name] for name in model.marker_names])
    problem = SubjectProblem.of(model, positions[rows], by_marker, priors)
    unbound = torch.full_like(problem.lower, torch.inf)  # a knee at its limit is no better known
    problem = replace(problem, lower=-unbound, upper=unbound)
    x = torch.from_numpy(coordinates[rows])[:, problem.free]
    prior = torch.from_numpy(coordinate_priors(model))[problem.free]
    variances = _variances(problem, x, prior, priors.frames / len(rows))
    deviations = np.full(len(model.coordinates), np.inf)
    deviations[problem.free.numpy()] = variances.mean(0).sqrt().numpy()
    return deviations


def _variances(
    problem: SubjectProblem, x: Float[Tensor, "t P"], prior: Float[Tensor, " P"], told: float
) -> Float[Tensor, "t P"]:
    """told: the weight of a frame in what the frames share; each frame counts in full for its own pose."""
    z = torch.zeros(problem.num_shared, dtype=torch.float64)
    system = problem.system(x, z).with_prior(z)
    inverse = torch.linalg.inv(system.frames + told * torch.diag(prior**-2))
    follows = inverse @ system.cross
    reduced = system.shared - torch.einsum("tpq,tpr->qr", system.cross, follows)
    shared = torch.linalg.inv(reduced)
    own = told * torch.diagonal(inverse, dim1=-2, dim2=-1)
    return own + torch.einsum("tpq,qr,tpr->tp", follows, shared, follows)
