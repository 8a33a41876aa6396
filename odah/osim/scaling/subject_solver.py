"""Levenberg-Marquardt on all poses and what they share at once, the poses eliminated from every step."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from odah.osim.scaling.subject_problem import SubjectProblem

_FIRST_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 1e-2, 1e-10, 1e8
_LESS, _MORE = 0.2, 4.0


@dataclass(frozen=True)
class SubjectSolution:
    """x: poses. z: what they share. is_converged: the last step gained next to nothing."""

    x: Float[Tensor, "t P"]
    z: Float[Tensor, " Q"]
    cost: float
    num_iterations: int
    is_converged: bool


def minimise(
    problem: SubjectProblem,
    x: Float[Tensor, "t P"],
    z: Float[Tensor, " Q"],
    *,
    max_iterations: int = 60,
    tolerance: float = 1e-6,
) -> SubjectSolution:
    """From a start to the nearest minimum, within the bounds of the poses.

    tolerance: gain of an accepted step, relative to the cost, at which it ends.
    """
    x = x.clamp(problem.lower, problem.upper)
    cost, damping = problem.cost(x, z), _FIRST_DAMPING
    for iteration in range(1, max_iterations + 1):
        system = problem.system(x, z).with_prior(z)
        while damping < _MOST_DAMPING:
            x_step, z_step = system.damped(damping).step()
            tried_x, tried_z = (x + x_step).clamp(problem.lower, problem.upper), z + z_step
            tried_cost = problem.cost(tried_x, tried_z)
            if tried_cost <= cost:
                break
            damping *= _MORE
        else:
            return SubjectSolution(x, z, cost, iteration, True)
        gain = cost - tried_cost
        x, z, cost, damping = tried_x, tried_z, tried_cost, max(damping * _LESS, _LEAST_DAMPING)
        if gain <= tolerance * cost:
            return SubjectSolution(x, z, cost, iteration, True)
    return SubjectSolution(x, z, cost, max_iterations, False)
