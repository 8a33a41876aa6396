"""Gauss-Newton blocks of frames' poses, from one Gram matrix a frame.

A turn w of joint k moves point p by w x a_pk (`SkinnedPoints.arms`). With [a]x^T [b]x = (a.b) I - b a^T,
every block of the Gauss-Newton matrix, and the gradient, is read off the inner products, over points, of
the arms' components, ones and residuals: a third of the Jacobian's arithmetic, and of its memory.

Unknowns of a frame, (69,): a shift (3), then the x-, the y- and the z-components of 22 world-axis turns.
"""

from __future__ import annotations

import torch
from torch import Tensor

from odah.body.fitting.clip_terms import PointErrors
from odah.body.fitting.skinned_points import NUM_SOLVED_JOINTS, PosedPoints, SkinnedPoints

NUM_UNKNOWNS = 3 + 3 * NUM_SOLVED_JOINTS
_TURNS = [slice(3 + NUM_SOLVED_JOINTS * c, 3 + NUM_SOLVED_JOINTS * (c + 1)) for c in range(3)]


def point_blocks(points: SkinnedPoints, posed: PosedPoints, errors: PointErrors) -> tuple[Tensor, Tensor]:
    """Hessian (T, 69, 69), its lower triangle, and gradient (T, 69) of the points' costs."""
    n = 3 * NUM_SOLVED_JOINTS
    root = errors.weights.sqrt()[:, None]
    stacked = root.new_empty(len(root), n + 4, points.num_points)
    torch.mul(points.arms(posed).flatten(1, 2), root, out=stacked[:, :n])
    stacked[:, n] = root[:, 0]
    torch.mul(errors.residuals.mT, root, out=stacked[:, n + 1 :])
    gram = stacked @ stacked.mT
    hessian = gram.new_zeros(len(gram), NUM_UNKNOWNS, NUM_UNKNOWNS)
    arms = gram[:, :n, :n].unflatten(1, (3, -1)).unflatten(3, (3, -1))
    for row in range(3):
        second, third = (row + 1) % 3, (row + 2) % 3
        torch.add(
            arms[:, second, :, second], arms[:, third, :, third], out=hessian[:, _TURNS[row], _TURNS[row]]
        )
        for column in range(row):
            torch.neg(arms[:, column, :, row], out=hessian[:, _TURNS[row], _TURNS[column]])
    moments = gram[:, :n, n].unflatten(1, (3, -1))
    pulls = gram[:, :n, n + 1 :].unflatten(1, (3, -1))
    gradient = gram.new_empty(len(gram), NUM_UNKNOWNS)
    gradient[:, :3] = gram[:, n, n + 1 :]
    for c in range(3):
        second, third = (c + 1) % 3, (c + 2) % 3
        hessian[:, c, c] = gram[:, n, n]
        hessian[:, _TURNS[c], second] = -moments[:, third]
        hessian[:, _TURNS[c], third] = moments[:, second]
        torch.sub(pulls[:, second, :, third], pulls[:, third, :, second], out=gradient[:, _TURNS[c]])
    return hessian, gradient


def add_turn_blocks(hessian: Tensor, blocks: Tensor) -> None:
    """Adds blocks (T, 22, 3, 3), one a joint, to the lower triangle of hessian (T, 69, 69)."""
    for row in range(3):
        for column in range(row + 1):
            part = hessian[:, _TURNS[row], _TURNS[column]]
            part.diagonal(dim1=1, dim2=2).add_(blocks[:, :, row, column])


def to_unknowns(shift_and_turns: Tensor) -> Tensor:
    """(T, 23, 3), the shift and the turns -> (T, 69)."""
    return torch.cat([shift_and_turns[:, 0], shift_and_turns[:, 1:].mT.flatten(1)], 1)


def from_unknowns(unknowns: Tensor) -> Tensor:
    """(T, 69) -> (T, 23, 3), the shift and the turns."""
    turns = unknowns[:, 3:].unflatten(1, (3, NUM_SOLVED_JOINTS)).mT
    return torch.cat([unknowns[:, None, :3], turns], 1)
