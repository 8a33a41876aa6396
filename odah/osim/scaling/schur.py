"""Least squares in which every frame has parameters of its own and all frames share some.

The Gauss-Newton matrix is an arrow: a block A_t a frame, one block C of what is shared, B_t between them.
With the frames eliminated, what is shared is left with C - sum_t B_t' A_t^-1 B_t, the Schur complement, at a
cost that grows with the number of frames and not with its cube. It is the Gauss-Newton matrix of the shared
problem whose frames are always solved (variable projection, Golub and Pereyra 1973; in bundle adjustment,
Triggs et al. 2000).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

_TINY = 1e-9  # of a block's mean diagonal: keeps what no residual sees where it is


@dataclass(frozen=True)
class ArrowSystem:
    """Gauss-Newton matrices and gradients of 1/2 |residuals|^2, of t frames and what they share."""

    frames: Float[Tensor, "t P P"]
    cross: Float[Tensor, "t P Q"]
    shared: Float[Tensor, "Q Q"]
    frames_gradient: Float[Tensor, "t P"]
    shared_gradient: Float[Tensor, " Q"]

    @classmethod
    def of(
        cls,
        residuals: Float[Tensor, "t R"],
        by_frame: Float[Tensor, "t R P"],
        by_shared: Float[Tensor, "t R Q"],
    ) -> ArrowSystem:
        """From residuals and their derivatives."""
        transposed = by_frame.transpose(-1, -2)
        flat = by_shared.flatten(0, 1)
        return cls(
            frames=transposed @ by_frame,
            cross=transposed @ by_shared,
            shared=flat.T @ flat,
            frames_gradient=(transposed @ residuals[..., None])[..., 0],
            shared_gradient=flat.T @ residuals.flatten(),
        )

    def held(self, is_held: Bool[Tensor, "t P"]) -> ArrowSystem:
        """The same with some parameters of frames kept as they are."""
        free = (~is_held).to(self.frames)
        frames = self.frames * free[:, :, None] * free[:, None, :] + torch.diag_embed(1.0 - free)
        return replace(
            self,
            frames=frames,
            cross=self.cross * free[..., None],
            frames_gradient=self.frames_gradient * free,
        )

    def with_prior(self, deviation: Float[Tensor, " Q"]) -> ArrowSystem:
        """Plus 1/2 |deviation|^2, what is shared being told in standard deviations of its prior."""
        return replace(
            self,
            shared=self.shared + torch.eye(len(deviation), dtype=deviation.dtype),
            shared_gradient=self.shared_gradient + deviation,
        )

    def damped(self, damping: float) -> ArrowSystem:
        """Every diagonal element enlarged by this share of it (Marquardt 1963)."""
        return replace(
            self,
            frames=self.frames + damping * torch.diag_embed(torch.diagonal(self.frames, dim1=-2, dim2=-1)),
            shared=self.shared + damping * torch.diag(torch.diagonal(self.shared)),
        )

    def reduced(self) -> tuple[Float[Tensor, "Q Q"], Float[Tensor, " Q"]]:
        """Matrix and gradient of what is shared while each frame follows at its best."""
        return self._reduced(*self._solved())

    def step(self) -> tuple[Float[Tensor, "t P"], Float[Tensor, " Q"]]:
        """The Gauss-Newton step of frames and of what is shared."""
        solved_cross, solved_gradient = self._solved()
        shared = -torch.linalg.solve(*self._reduced(solved_cross, solved_gradient))
        return -solved_gradient - solved_cross @ shared, shared

    def _reduced(self, solved_cross: Tensor, solved_gradient: Tensor) -> tuple[Tensor, Tensor]:
        matrix = self.shared - torch.einsum("tpq,tpr->qr", self.cross, solved_cross)
        return matrix, self.shared_gradient - torch.einsum("tpq,tp->q", self.cross, solved_gradient)

    def _solved(self) -> tuple[Float[Tensor, "t P Q"], Float[Tensor, "t P"]]:
        """A^-1 B and A^-1 g of each frame."""
        size = torch.diagonal(self.frames, dim1=-2, dim2=-1).mean(-1)
        ridge = (_TINY * size)[:, None, None] * torch.eye(self.frames.shape[-1], dtype=size.dtype)
        right = torch.cat([self.cross, self.frames_gradient[..., None]], dim=-1)
        solved = torch.linalg.solve(self.frames + ridge, right)
        return solved[..., :-1], solved[..., -1]
