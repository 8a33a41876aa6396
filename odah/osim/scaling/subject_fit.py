"""A model fitted to a person: scale factors, marker places and poses of all trials found together.

Minimises the distances of markers in frames that differ most, over the poses of those frames and over what
they share, with priors on the latter. Eliminating the poses makes that the bilevel problem in which inverse
kinematics is solved inside of scaling and marker registration, at one Gauss-Newton step a round (Werling et
al., "Rapid bilevel optimization to concurrently solve musculoskeletal scaling, marker registration, and
inverse kinematic problems for human motion reconstruction", 2022; AddBiomechanics, PLOS ONE 18, 2023).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from odah.errors import InputError
from odah.motion.types import MarkerTrajectories, Source
from odah.osim.ik import inverse_kinematics
from odah.osim.model import Model
from odah.osim.scale import scale_model
from odah.osim.scaling.subject_evidence import fit_notes, remaining_variances
from odah.osim.scaling.subject_frames import chosen_frames, tracked_model, trial_paths
from odah.osim.scaling.subject_priors import SubjectPriors
from odah.osim.scaling.subject_problem import SubjectProblem, moved_markers
from odah.osim.scaling.subject_size import check_size, size_by_distances
from odah.osim.scaling.subject_solver import SubjectSolution, minimise

NUM_FRAMES = 100
_START_TOLERANCE = 1e-4  # rad
_BETTER = 0.999  # of a frame's cost: what a fresh start must gain to be taken


@dataclass(frozen=True)
class SubjectFit:
    """A person's model, and what it rests on.

    model: scaled, tracked markers where they were found. scale_factors, marker_offsets: against the generic
    model, in its orders; the offsets (m) in the frames of the scaled bodies, 0 for markers not tracked.
    rms_before, rms_after: distance of model to measured markers over the frames used, m, unweighted: of the
    generic model in the person's size, and of the result. marker_rms: of the result by name.
    remaining: variance given the markers over variance of the prior, by parameter (`subject_evidence`).
    """

    model: Model
    scale_factors: Float[np.ndarray, "K 3"]
    marker_offsets: Float[np.ndarray, "M 3"]
    rms_before: float
    rms_after: float
    marker_rms: Mapping[str, float]
    remaining: Mapping[str, float]
    num_frames: int
    notes: tuple[str, ...]


def fit_subject(
    model: Model,
    trials: Sequence[MarkerTrajectories],
    weights: Mapping[str, float],
    priors: SubjectPriors | None = None,
    *,
    num_frames: int = NUM_FRAMES,
) -> SubjectFit:
    """Fit a generic model, with its markers on it, to all trials of one person.

    trials: each may show other markers. weights: of markers, as in inverse kinematics; those without one are
    not used. num_frames: used at most, out of all trials.

    Raises:
        InputError: the markers cannot tell a pose, or the person's size is no person's.
    """
    priors = SubjectPriors() if priors is None else priors
    problem = _problem(model, trials, weights, priors, num_frames)
    _check_measurements(trial_paths(trials), problem)
    size = size_by_distances(problem.model, problem.positions)
    check_size(trial_paths(trials), size)
    z = torch.zeros(problem.num_shared, dtype=torch.float64)
    z[0] = np.log(size) / priors.size
    x = _solved_poses(problem, z, weights)
    before = problem.distances(x, z)
    solution = _settled(problem, minimise(problem, x, z), weights)
    return _subject_fit(model, problem, solution, before)


def _problem(
    model: Model,
    trials: Sequence[MarkerTrajectories],
    weights: Mapping[str, float],
    priors: SubjectPriors,
    num_frames: int,
) -> SubjectProblem:
    """Of the markers that the chosen frames show."""
    tracked = tracked_model(model, trials, weights)
    positions = chosen_frames(trials, tracked.marker_names, num_frames)
    seen = np.flatnonzero(np.isfinite(positions).any(axis=(0, 2)))
    tracked = tracked.with_markers(tuple(tracked.markers[index] for index in seen))
    by_marker = np.array([weights[name] for name in tracked.marker_names], dtype=float)
    return SubjectProblem.of(tracked, positions[:, seen], by_marker, priors)


def _check_measurements(where: str, problem: SubjectProblem) -> None:
    found = 3 * int((problem.certainty > 0).sum())
    unknown = len(problem.measured) * len(problem.free) + 1
    if found < unknown:
        raise InputError(
            where,
            f"{found} coordinates of markers in {len(problem.measured)} frames",
            f"at least {unknown}, for {len(problem.free)} coordinates a frame and the person's size",
        )


def _solved_poses(
    problem: SubjectProblem, z: Float[Tensor, " Q"], weights: Mapping[str, float]
) -> Float[Tensor, "t P"]:
    """Poses solved from scratch, with the bones and markers as they are."""
    source = Source("frames of all trials", "chosen")
    trial = MarkerTrajectories(problem.model.marker_names, problem.positions, 1.0, "ground", source)
    solution = inverse_kinematics(
        problem.fitted_model(z), trial, weights, is_continuous=False, tolerance=_START_TOLERANCE
    )
    return torch.from_numpy(solution.coordinates)[:, problem.free]


def _settled(
    problem: SubjectProblem, solution: SubjectSolution, weights: Mapping[str, float]
) -> SubjectSolution:
    """Let poses start afresh on the bones found; go on if that gains anything."""
    afresh = _solved_poses(problem, solution.z, weights)
    gained = problem.costs(afresh, solution.z) < problem.costs(solution.x, solution.z) * _BETTER
    if not gained.any():
        return solution
    return minimise(problem, torch.where(gained[:, None], afresh, solution.x), solution.z)


def _subject_fit(
    model: Model, problem: SubjectProblem, solution: SubjectSolution, before: Float[np.ndarray, "t M"]
) -> SubjectFit:
    names = problem.model.marker_names
    after = problem.distances(solution.x, solution.z)
    factors = problem.scale_factors(solution.z).numpy()
    found = dict(zip(names, problem.marker_offsets(solution.z).numpy(), strict=True))
    offsets = np.array([found.get(name, np.zeros(3)) for name in model.marker_names])
    remaining = remaining_variances(problem, solution)
    return SubjectFit(
        model=moved_markers(scale_model(model, factors), offsets),
        scale_factors=factors,
        marker_offsets=offsets,
        rms_before=_rms(before),
        rms_after=_rms(after),
        marker_rms={
            name: _rms(column)
            for name, column in zip(names, after.T, strict=True)
            if np.isfinite(column).any()
        },
        remaining=remaining,
        num_frames=len(after),
        notes=fit_notes(problem, solution, remaining),
    )


def _rms(distances: np.ndarray) -> float:
    return float(np.sqrt(np.nanmean(distances**2)))
