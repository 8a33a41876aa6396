"""How much the markers tell of each scale factor and marker place, and what is to be said about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from odah.osim.scaling.plausible import extreme_factors
from odah.osim.scaling.subject_priors import mirror_pairs
from odah.osim.scaling.subject_problem import SubjectProblem
from odah.osim.scaling.subject_solver import SubjectSolution

SIZE = "size"
UNTOLD = 0.9
"""Share of the prior's variance above which a parameter counts as told by the prior alone."""
_FAR = 3.0  # standard deviations


def remaining_variances(problem: SubjectProblem, solution: SubjectSolution) -> dict[str, float]:
    """Variance given the markers over variance of the prior, by name: near 0 is told, 1 is not told at all.

    Names are "size" for the whole person, "femur_r/l Y" for a body's factor relative to the person's size and
    "RTH1 X" for a marker's place. Linearised at the solution, poses unknown (Laplace's approximation): the
    reduced matrix of the markers alone against the prior's, which is 1.
    """
    matrix = problem.system(solution.x, solution.z).reduced()[0]
    covariance = torch.linalg.inv(matrix + torch.eye(len(matrix), dtype=matrix.dtype))
    number = problem.num_effects
    effects = problem.scale_effects.clone()
    effects[..., 0] = 0.0  # the person's size, told by itself
    after = torch.einsum("kae,ef,kaf->ka", effects, covariance[:number, :number], effects)
    before = effects.square().sum(-1)
    offsets = torch.diagonal(covariance)[number:].reshape(-1, 3)
    return (
        {SIZE: float(covariance[0, 0])}
        | _by_axis(body_labels(problem), after, before)
        | _by_axis(problem.model.marker_names, offsets * problem.marker_deviations.square(),
                   problem.marker_deviations.square())
    )  # fmt: skip


def _by_axis(
    names: Sequence[str], after: Float[Tensor, "n 3"], before: Float[Tensor, "n 3"]
) -> dict[str, float]:
    """What the prior leaves free."""
    return {
        f"{name} {axis}": float(after[k, a] / before[k, a])
        for k, name in enumerate(names)
        for a, axis in enumerate("XYZ")
        if before[k, a] > 0
    }


def body_labels(problem: SubjectProblem) -> list[str]:
    """The bodies' names, "femur_r/l" for both where left and right are tied."""
    names, effects = problem.model.body_names, problem.scale_effects
    pairs = mirror_pairs(problem.model)
    labels = []
    for name in names:
        first, *others = (j for j, other in enumerate(names) if pairs[other] == pairs[name])
        tied = bool(others) and torch.equal(effects[first], effects[others[0]])
        labels.append(pairs[name] + "/l" if tied else name)
    return labels


def fit_notes(
    problem: SubjectProblem, solution: SubjectSolution, remaining: Mapping[str, float]
) -> tuple[str, ...]:
    """Sentences on what rests on the prior alone and on what is unlikely."""
    factors = problem.scale_factors(solution.z).numpy()
    notes = extreme_factors(dict(zip(problem.model.body_names, factors, strict=True)))
    if remaining[SIZE] > UNTOLD:
        notes.append("the markers do not tell the person's size, which stays the generic model's")
    bodies = _untold(remaining, list(dict.fromkeys(body_labels(problem))))
    if bodies:
        notes.append(f"scale factors that the markers do not tell, so in proportion: {', '.join(bodies)}")
    markers = _untold(remaining, problem.model.marker_names)
    if markers:
        notes.append(f"places on their bodies that these markers do not tell: {', '.join(markers)}")
    notes += _far_markers(problem, solution)
    if not solution.is_converged:
        notes.append(f"the fit had not settled after {solution.num_iterations} rounds")
    return tuple(notes)


def _untold(remaining: Mapping[str, float], names: Sequence[str]) -> list[str]:
    """Those that rest on the prior alone, axes of one name together."""
    axes = {
        name: "".join(axis for axis in "XYZ" if remaining.get(f"{name} {axis}", 0.0) > UNTOLD)
        for name in names
    }
    return [f"{name} {found}" for name, found in axes.items() if found]


def _far_markers(problem: SubjectProblem, solution: SubjectSolution) -> list[str]:
    deviations = solution.z[problem.num_effects :].reshape(-1, 3).abs().amax(dim=1)
    lengths = torch.linalg.vector_norm(problem.marker_offsets(solution.z), dim=1)
    return [
        f"marker {name} is {1e3 * float(length):.0f} mm from its place on the generic model: "
        "worn elsewhere, or misnamed?"
        for name, deviation, length in zip(problem.model.marker_names, deviations, lengths, strict=True)
        if deviation > _FAR
    ]
