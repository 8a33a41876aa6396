"""Poses of a whole trial at once, with accelerations held against marker noise.

Minimises sum_t cost_t(x_t) + sum_p mu_p integral x_p''(t)^2 dt. For a coordinate that markers hold with
curvature h the minimiser is the low-pass filter 1 / (1 + (mu / h) omega^4) of what each frame alone would
answer: mu_p = h_p / (2 pi cutoff)^4 halves the amplitude at the cutoff frequency, as a smoothing spline does
(Craven and Wahba, 1978). Unlike a filter afterwards, it weighs frames and coordinates by what their markers
tell, fills gaps, and keeps to the bounds.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from scipy.linalg import solveh_banded

from odah.osim.ik.problem import IkFrames
from odah.osim.ik.reference_solver import TINY, ReferenceIkSolver
from odah.osim.ik.trial import IkTrial

_WINDOW = 1000
"""Frames solved together."""
_OVERLAP = 6.0
"""Periods of the cutoff frequency at either end of a window that belong to its neighbours."""
_MAX_ITERATIONS = 12
_TYPICAL_FRAMES = 200


def smooth(
    solver: ReferenceIkSolver, trial: IkTrial, x: Float[np.ndarray, "T P"], rate: float, cutoff: float
) -> Float[np.ndarray, "T P"]:
    """The free coordinates of all frames, seen or not, starting from x; rate and cutoff in Hz."""
    overlap = int(np.ceil(_OVERLAP * rate / cutoff))
    stiffness = _curvature(solver, trial, x) * (rate / (2 * np.pi * cutoff)) ** 4
    smoothed = np.empty_like(x)
    for first in range(0, len(x), _WINDOW):
        window = slice(max(0, first - overlap), min(len(x), first + _WINDOW + overlap))
        inner = slice(first - window.start, first - window.start + _WINDOW)
        part = _Window(solver, trial.frames(window), x[window], stiffness).solve()
        smoothed[first : first + _WINDOW] = part[inner]
    return smoothed


def _curvature(
    solver: ReferenceIkSolver, trial: IkTrial, x: Float[np.ndarray, "T P"]
) -> Float[np.ndarray, " P"]:
    """Of the cost along each coordinate while the others give way, typical of the trial.

    Never nothing, so that gaps are bridged.
    """
    some = np.unique(np.linspace(0, len(x) - 1, min(len(x), _TYPICAL_FRAMES)).astype(int))
    with torch.no_grad():
        *_, normal = solver.normal_equations(torch.from_numpy(x[some]), trial.frames(some))
    mean = normal.mean(0).numpy()
    held = mean + TINY * mean.diagonal().max() * np.eye(len(mean))
    return 1.0 / np.linalg.inv(held).diagonal()


class _Window:
    """Gauss-Newton over some frames; the normal matrix is banded, two coordinates' worth of frames wide."""

    def __init__(
        self,
        solver: ReferenceIkSolver,
        frames: IkFrames,
        x: Float[np.ndarray, "t P"],
        stiffness: Float[np.ndarray, " P"],
    ) -> None:
        """stiffness: of second differences."""
        self.solver, self.frames, self.x, self.stiffness = solver, frames, x, stiffness

    def solve(self) -> Float[np.ndarray, "t P"]:
        x, cost = self.x, self._cost(self.x)
        for _ in range(_MAX_ITERATIONS):
            step = self._step(x)
            length = 1.0
            while length > 1e-3:  # a full step may overshoot where the problem bends
                trial = np.clip(x + length * step, self.solver.problem.lower, self.solver.problem.upper)
                trial_cost = self._cost(trial)
                if trial_cost <= cost:
                    break
                length *= 0.5
            else:
                break
            moved = np.abs(trial - x).max()
            x, cost = trial, trial_cost
            if moved < self.solver.tolerance:
                break
        return x

    def _cost(self, x: Float[np.ndarray, "t P"]) -> float:
        markers = float(self.solver.costs(torch.from_numpy(x), self.frames).sum())
        return markers + float((np.diff(x, n=2, axis=0) ** 2 @ self.stiffness).sum())

    def _normal_equations(self, x: Float[np.ndarray, "t P"]) -> tuple[np.ndarray, np.ndarray]:
        with torch.no_grad():
            _, gradient, normal = self.solver.normal_equations(torch.from_numpy(x), self.frames)
        return gradient.numpy(), normal.numpy()

    def _step(self, x: Float[np.ndarray, "t P"]) -> Float[np.ndarray, "t P"]:
        problem = self.solver.problem
        gradient, normal = self._normal_equations(x)
        gradient = gradient + _bending(x) * self.stiffness
        is_held = ((x <= problem.lower) & (gradient > 0)) | ((x >= problem.upper) & (gradient < 0))
        band = self._band(normal, is_held)
        step = solveh_banded(band, -np.where(is_held, 0.0, gradient).ravel(), lower=True, check_finite=False)
        return step.reshape(x.shape)

    def _band(self, normal: np.ndarray, is_held: np.ndarray) -> np.ndarray:
        """Lower diagonals of the normal matrix, frame after frame; held coordinates stand alone."""
        t, p = is_held.shape
        band = np.zeros((2 * p + 1, t, p))
        free = ~is_held
        for row in range(p):
            for column in range(row + 1):
                both = free[:, row] & free[:, column]
                band[row - column, :, column] += np.where(both, normal[:, row, column], 0.0)
        for lag, values in enumerate(_second_difference_band(t)):
            both = free[: t - lag] & free[lag:]
            band[lag * p, : t - lag] += np.where(both, values[:, None] * self.stiffness, 0.0)
        band[0] += np.where(free, TINY * band[0].max(), 1.0)
        return band.reshape(2 * p + 1, t * p)


def _bending(x: Float[np.ndarray, "t P"]) -> Float[np.ndarray, "t P"]:
    """D'D x, D the second differences."""
    second = np.diff(x, n=2, axis=0)
    padded = np.zeros_like(x)
    padded[:-2] += second
    padded[1:-1] -= 2 * second
    padded[2:] += second
    return padded


def _second_difference_band(count: int) -> list[np.ndarray]:
    """Main and first two lower diagonals of D'D."""
    difference = np.zeros((3, count))
    inner = np.arange(count - 2)
    for offset, factor in enumerate((1.0, -2.0, 1.0)):
        difference[0, inner + offset] += factor**2
    difference[1, inner] += -2.0
    difference[1, inner + 1] += -2.0
    difference[2, inner] += 1.0
    return [difference[0], difference[1, : count - 1], difference[2, : count - 2]]
