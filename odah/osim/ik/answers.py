"""What is known so far of the frames of a trial, and how better answers come in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from odah.osim.ik.problem import IkSolution, IkSolver
from odah.osim.ik.trial import IkTrial

BLOCK = 4096
"""Frames in hand at a time: memory beyond input and output does not grow with the trial."""
_BETTER = 1e-6
"""Relative: costs that differ by less are the same."""


@dataclass
class Answers:
    """Of some frames of a trial, whose numbers are `index`; as in `IkSolution`."""

    solver: IkSolver
    trial: IkTrial
    index: Int[np.ndarray, " t"]
    x: Float[Tensor, "t P"]
    costs: Float[Tensor, " t"]
    distances: Float[Tensor, "t M"]
    is_converged: Bool[Tensor, " t"]

    @classmethod
    def of(
        cls, solver: IkSolver, trial: IkTrial, index: Int[np.ndarray, " t"], start: Float[Tensor, "t P"]
    ) -> Answers:
        """Solve every frame from its start."""
        count, real = len(index), start.dtype
        answers = cls(
            solver,
            trial,
            index,
            x=torch.empty_like(start),
            costs=torch.empty(count, dtype=real),
            distances=torch.empty(count, trial.is_seen.shape[1], dtype=real),
            is_converged=torch.zeros(count, dtype=torch.bool),
        )
        for first in range(0, count, BLOCK):
            rows = torch.arange(first, min(first + BLOCK, count))
            answers._take(rows, solver(start[rows], trial.frames(index[rows.numpy()])), slice(None))
        return answers

    @property
    def mean_squares(self) -> Float[Tensor, " t"]:
        """Costs a unit of marker weight, m^2."""
        return self.costs / self._weights

    @cached_property
    def _weights(self) -> Float[Tensor, " t"]:
        """Of all markers seen."""
        blocks = [self.index[first : first + BLOCK] for first in range(0, len(self.index), BLOCK)]
        sums = [(self.trial.weights * self.trial.is_seen[block]).sum(1) for block in blocks]
        return torch.from_numpy(np.concatenate(sums))

    def try_again(
        self, rows: Int[Tensor, " r"], start: Float[Tensor, "r P"], loss: float = 0.0
    ) -> Bool[Tensor, " r"]:
        """Solve some rows from other starts; (r,) which of the answers were taken.

        They are those that cost less, those as good as one that has not converged, if they have, and where
        loss is given, all that have converged and cost at most 1 + loss of before.
        """
        taken = torch.zeros(len(rows), dtype=torch.bool)
        for first in range(0, len(rows), BLOCK):
            part = slice(first, first + BLOCK)
            some = rows[part]
            solution = self.solver(start[part], self.trial.frames(self.index[some.numpy()]))
            before = self.costs[some]
            is_better = solution.costs <= before * (1.0 - _BETTER)
            is_as_good = solution.is_converged & (solution.costs <= before * (1.0 + max(loss, _BETTER)))
            taken[part] = is_better | (is_as_good & (~self.is_converged[some] | (loss > 0)))
            self._take(some[taken[part]], solution, taken[part])
        return taken

    def _take(self, rows: Int[Tensor, " r"], solution: IkSolution, which: Tensor | slice) -> None:
        for name in ("x", "costs", "distances", "is_converged"):
            getattr(self, name)[rows] = getattr(solution, name)[which]
