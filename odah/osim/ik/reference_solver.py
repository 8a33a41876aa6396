"""Inverse kinematics of many frames at once, in torch: the readable path, and the fast path's oracle."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from odah.osim.ik.normal_equations import NormalEquations
from odah.osim.ik.problem import IkFrames, IkProblem, IkSolution

FIRST_DAMPING, MIN_DAMPING, MAX_DAMPING = 0.1, 1e-12, 1e8
TINY = 1e-9
"""Of the largest curvature: keeps a direction that no marker sees where it is."""
_LEAST = 1e-30  # of a curvature: a frame in which no marker tells anything stays where it is
_CHUNK = 1024
"""Frames solved together: memory grows with frames x coordinates x markers."""


class ReferenceIkSolver:
    """Projected Levenberg-Marquardt (Kanzow, Yamashita and Fukushima, 2004), each frame with its own damping.

    A parameter at a bound that the gradient pushes outwards is held there for the step. A frame ends when
    its largest step is below `tolerance` (rad, m).
    """

    def __init__(self, problem: IkProblem, *, tolerance: float = 1e-7, max_iterations: int = 60) -> None:
        self.problem, self.tolerance, self.max_iterations = problem, tolerance, max_iterations
        self.normal_equations = NormalEquations(problem)
        self.lower, self.upper = torch.from_numpy(problem.lower), torch.from_numpy(problem.upper)

    @torch.no_grad()
    def __call__(self, start: Float[Tensor, "t P"], frames: IkFrames) -> IkSolution:
        parts = [
            self._solve(start[k : k + _CHUNK], frames[k : k + _CHUNK])
            for k in range(0, max(len(start), 1), _CHUNK)
        ]
        return IkSolution(
            *(
                torch.cat([getattr(part, name) for part in parts])
                for name in ("x", "costs", "distances", "is_converged", "num_iterations")
            )
        )

    def _solve(self, start: Tensor, frames: IkFrames) -> IkSolution:
        begin = start.clamp(self.lower, self.upper)
        state = _State.begin(begin, *self.normal_equations(begin, frames))
        for _ in range(self.max_iterations):
            active = torch.nonzero(~state.is_done)[:, 0]
            if len(active) == 0:
                break
            trial = (state.x[active] + self._step(state, active)).clamp(self.lower, self.upper)
            moved = (trial - state.x[active]).abs().amax(-1)
            tried = self.normal_equations(trial, frames[active])
            state.advance(active, trial, *tried, moved <= self.tolerance)
        markers = self.normal_equations.kinematics.markers(state.x, frames.given)
        distances = torch.linalg.vector_norm(markers - frames.measured, dim=-1)
        return IkSolution(state.x, state.costs, distances, state.is_converged, state.num_iterations)

    def costs(self, x: Float[Tensor, "t P"], frames: IkFrames) -> Float[Tensor, " t"]:
        """m^2 (and rad^2 of coordinate targets), weighted."""
        difference = self.normal_equations.kinematics.markers(x, frames.given) - frames.measured
        costs = (difference.square().sum(-1) * frames.weights).sum(-1)
        if frames.targets is not None and frames.target_weights is not None:
            costs = costs + ((x - frames.targets).square() * frames.target_weights).sum(-1)
        return costs

    def _step(self, state: _State, active: Tensor) -> Float[Tensor, "a P"]:
        x, gradient, normal = state.x[active], state.gradients[active], state.normals[active]
        is_held = ((x <= self.lower) & (gradient > 0)) | ((x >= self.upper) & (gradient < 0))
        free = (~is_held).to(x.dtype)
        normal = normal * free[:, :, None] * free[:, None, :]
        diagonal = normal.diagonal(dim1=-2, dim2=-1)
        floor = TINY * diagonal.amax(-1, keepdim=True) + _LEAST
        extra = state.damping[active, None] * diagonal + floor + (1.0 - free)
        # Where rounding leaves it indefinite the step is worthless, and more damping follows.
        factor, _ = torch.linalg.cholesky_ex(normal + torch.diag_embed(extra))
        return -torch.cholesky_solve((gradient * free)[..., None], factor)[..., 0]


@dataclass
class _State:
    """Where each frame of a chunk stands."""

    x: Float[Tensor, "t P"]
    costs: Float[Tensor, " t"]
    gradients: Float[Tensor, "t P"]
    normals: Float[Tensor, "t P P"]
    damping: Float[Tensor, " t"]
    is_done: Bool[Tensor, " t"]
    is_converged: Bool[Tensor, " t"]
    num_iterations: Tensor

    @classmethod
    def begin(cls, x: Tensor, costs: Tensor, gradients: Tensor, normals: Tensor) -> _State:
        return cls(
            x,
            costs,
            gradients,
            normals,
            damping=torch.full_like(costs, FIRST_DAMPING),
            is_done=torch.zeros(len(x), dtype=torch.bool),
            is_converged=torch.zeros(len(x), dtype=torch.bool),
            num_iterations=torch.zeros(len(x), dtype=torch.int64),
        )

    def advance(
        self,
        active: Tensor,
        trial: Tensor,
        costs: Tensor,
        gradients: Tensor,
        normals: Tensor,
        is_small: Tensor,
    ) -> None:
        """Take steps that do not raise the cost; end frames whose step was small or that are stuck."""
        better = costs <= self.costs[active]
        taken = active[better]
        self.x[taken], self.costs[taken] = trial[better], costs[better]
        self.gradients[taken], self.normals[taken] = gradients[better], normals[better]
        factor = torch.where(better, 0.2, 5.0).to(self.damping)
        self.damping[active] = (self.damping[active] * factor).clamp(min=MIN_DAMPING)
        self.num_iterations[active] += 1
        self.is_converged[active] = is_small
        self.is_done[active] = is_small | (self.damping[active] > MAX_DAMPING)
