"""Many small nonlinear least-squares problems at once, within bounds."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

_FIRST_DAMPING, _MAX_DAMPING = 1e-3, 1e8
_TINY = 1e-9  # keeps a direction that no residual sees where it is


def levenberg_marquardt(
    residuals: Callable[[Tensor, Tensor], Tensor],
    start: Float[Tensor, "T P"],
    lower: Float[Tensor, " P"],
    upper: Float[Tensor, " P"],
    *,
    max_iterations: int = 60,
    tolerance: float = 1e-7,
) -> tuple[Float[Tensor, "T P"], Float[Tensor, " T"]]:
    """Minimise |residuals|^2 of T independent problems; the minimisers and the costs.

    residuals: of the problems with the given parameters (t, P) and indices (t,), as (t, R). A parameter at a
    bound that the gradient pushes outwards is held there for the step (projected Levenberg-Marquardt; Kanzow,
    Yamashita and Fukushima 2004). A problem ends when its largest step is below `tolerance`.
    """
    x = start.clamp(lower, upper)
    active = torch.arange(len(x))
    costs = residuals(x, active).square().sum(-1)
    damping = torch.full_like(costs, _FIRST_DAMPING)
    for _ in range(max_iterations):
        if len(active) == 0:
            break
        step = _step(residuals, x[active], active, damping[active], lower, upper)
        trial = (x[active] + step).clamp(lower, upper)
        moved = (trial - x[active]).abs().amax(-1)
        trial_costs = residuals(trial, active).square().sum(-1)
        better = trial_costs <= costs[active]
        accepted = active[better]
        x[accepted], costs[accepted] = trial[better], trial_costs[better]
        factor = torch.where(better, 0.2, 5.0).to(damping)
        damping[active] = (damping[active] * factor).clamp(min=1e-12)
        unfinished = (moved > tolerance) & (damping[active] < _MAX_DAMPING)
        active = active[unfinished]
    return x, costs


def _step(
    residuals: Callable[[Tensor, Tensor], Tensor],
    x: Float[Tensor, "t P"],
    indices: Int[Tensor, " t"],
    damping: Float[Tensor, " t"],
    lower: Float[Tensor, " P"],
    upper: Float[Tensor, " P"],
) -> Float[Tensor, "t P"]:
    """The damped Gauss-Newton step, zero for parameters held at a bound."""
    value, jacobian = value_and_jacobian(lambda y: residuals(y, indices), x)
    gradient = torch.einsum("trp,tr->tp", jacobian, value)
    normal = torch.einsum("trp,trq->tpq", jacobian, jacobian)
    held = ((x <= lower) & (gradient > 0)) | ((x >= upper) & (gradient < 0))
    free = (~held).to(x)
    diagonal = torch.diagonal(normal, dim1=-2, dim2=-1)
    normal = normal * free[:, :, None] * free[:, None, :]
    normal = normal + torch.diag_embed(diagonal * damping[:, None] + _TINY + held.to(x))
    return -torch.linalg.solve(normal, (gradient * free)[..., None])[..., 0]


def value_and_jacobian(
    function: Callable[[Tensor], Tensor], x: Float[Tensor, "t P"]
) -> tuple[Float[Tensor, "t R"], Float[Tensor, "t R P"]]:
    """A row-wise function and its derivative by every parameter, forward mode."""
    basis = torch.eye(x.shape[-1], dtype=x.dtype)
    with torch.no_grad():
        columns = torch.func.vmap(
            lambda direction: torch.func.jvp(function, (x,), (direction.expand_as(x),))[1], out_dims=-1
        )(basis)
        return function(x), columns
