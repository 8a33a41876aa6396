"""Least squares over all frames of a motion, in which what changes may not bend sharply in time."""

from __future__ import annotations

import numpy as np
import torch
from scipy.linalg import solveh_banded
from torch import Tensor


def second_differences(values: Tensor) -> Tensor:
    """D x, (T - 2, D), of x (T, D): x[t] - 2 x[t + 1] + x[t + 2]; nothing for fewer than three frames."""
    return values[:-2] - 2 * values[1:-1] + values[2:] if len(values) > 2 else values[:0]


def bending_force(values: Tensor) -> Tensor:
    """D^T D x, (T, D): the gradient of half the sum of squared second differences."""
    bends = second_differences(values)
    force = torch.zeros_like(values)
    if len(bends):
        force[:-2] += bends
        force[1:-1] -= 2 * bends
        force[2:] += bends
    return force


def _bending_diagonals(num_frames: int) -> list[np.ndarray]:
    """The main diagonal of D^T D, (T,), and the two below it, (T - 1,) and (T - 2,)."""
    diagonals = [np.zeros(max(num_frames - apart, 0)) for apart in range(3)]
    if num_frames > 2:
        for offset, share in enumerate((1.0, 4.0, 1.0)):
            diagonals[0][offset : num_frames - 2 + offset] += share
        diagonals[1][:-1] -= 2
        diagonals[1][1:] -= 2
        diagonals[2] += 1
    return diagonals


def solve_bending(blocks: Tensor, stiffness: Tensor, right: Tensor, is_free: Tensor) -> Tensor:
    """x (T, D) of (diag(blocks) + stiffness * D^T D) x = right; x = 0 where not `is_free` (T, D).

    blocks (T, D, D): positive definite, already zero off the diagonal where not free. stiffness (D,).
    One banded Cholesky factorization (LAPACK pbsv), linear in the number of frames.
    """
    num_frames, size = right.shape
    free = is_free.numpy()
    banded = np.zeros((2 * size + 1, num_frames, size))
    for row in range(size):
        for column in range(row + 1):
            banded[row - column, :, column] = blocks[:, row, column].numpy()
    for apart, diagonal in enumerate(_bending_diagonals(num_frames)):
        both_free = free[apart:] * free[: num_frames - apart]
        banded[apart * size, : num_frames - apart] += diagonal[:, None] * stiffness.numpy() * both_free
    unknown = (right * is_free).numpy().reshape(-1)
    solution = solveh_banded(banded.reshape(2 * size + 1, -1), unknown, lower=True, check_finite=False)
    return torch.from_numpy(solution.reshape(num_frames, size))
