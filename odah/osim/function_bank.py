"""Many scalar functions of the coordinates, evaluated together in torch."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from odah.osim.functions import Constant, Function, LinearFunction, PiecewisePolynomial, unwrap

BankEntry = tuple[Function, tuple[str, ...]]
"""A function and the names of the coordinates it takes."""


class FunctionBank(nn.Module):
    """The values of F functions for any batch of coordinates.

    Constants and linear functions are one matrix product. All the others are functions of one
    coordinate, kept as piecewise polynomials padded to the same number of pieces and order.
    """

    weight: Tensor  # (C, F)
    bias: Tensor  # (F,)
    curved: Tensor  # (S,) which of the F functions are piecewise polynomials
    inputs: Tensor  # (S,) the coordinate each of them takes
    breaks: Tensor  # (S, P - 1)
    anchors: Tensor  # (S, P)
    coefficients: Tensor  # (S, P, D), lowest order first

    def __init__(
        self,
        functions: Sequence[BankEntry],
        coordinate_names: tuple[str, ...],
        dtype: torch.dtype,
    ) -> None:
        super().__init__()
        weight, bias = np.zeros((len(coordinate_names), len(functions))), np.zeros(len(functions))
        curved: list[int] = []
        inputs: list[int] = []
        pieces: list[PiecewisePolynomial] = []
        for k, (function, names) in enumerate(functions):
            scale, inner = unwrap(function)
            columns = [coordinate_names.index(name) for name in names]
            if isinstance(inner, Constant):
                bias[k] = scale * inner.value
            elif isinstance(inner, LinearFunction):
                weight[columns, k] = scale * np.array(inner.coefficients[:-1])
                bias[k] = scale * inner.coefficients[-1]
            else:
                curved.append(k)
                inputs.append(columns[0])
                pieces.append(inner.pieces().times(scale))
        for name, values in {"weight": weight, "bias": bias, **padded(pieces)}.items():
            self.register_buffer(name, torch.as_tensor(values, dtype=dtype), persistent=False)
        self.register_buffer("curved", torch.as_tensor(curved, dtype=torch.int64), persistent=False)
        self.register_buffer("inputs", torch.as_tensor(inputs, dtype=torch.int64), persistent=False)

    def forward(self, coordinates: Float[Tensor, "*B C"]) -> Float[Tensor, "*B F"]:
        values = coordinates @ self.weight + self.bias
        if len(self.curved) == 0:
            return values
        offset, coefficients = self._pieces(coordinates)
        *lower, curve = coefficients
        for coefficient in reversed(lower):  # Horner's rule
            curve = curve * offset + coefficient
        return values.index_copy(-1, self.curved, curve.T.reshape(*values.shape[:-1], len(curve)))

    def derivatives(
        self, coordinates: Float[Tensor, "*B C"], rows: Int[Tensor, " A"] | None = None
    ) -> Float[Tensor, "*B A C"]:
        """Of some functions, or of all, by every coordinate."""
        batch = coordinates.shape[:-1]
        if rows is None:
            rows = torch.arange(len(self.bias), device=self.bias.device)
        derivatives = self.weight.T[rows].expand(*batch, -1, -1)
        which, row = torch.nonzero(self.curved[:, None] == rows, as_tuple=True)
        if len(which) == 0:
            return derivatives
        offset, coefficients = self._pieces(coordinates)
        slope = torch.zeros_like(offset)
        for order in range(len(coefficients) - 1, 0, -1):
            slope = slope * offset + order * coefficients[order]
        derivatives = derivatives.clone()
        derivatives[..., row, self.inputs[which]] = slope[which].T.reshape(*batch, len(which))
        return derivatives

    def _pieces(self, coordinates: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Of the S curves in N frames: distance from the piece's anchor and its coefficients, each (S, N)."""
        count = math.prod(coordinates.shape[:-1])
        x = coordinates[..., self.inputs].reshape(count, len(self.inputs)).T.contiguous()
        piece = torch.searchsorted(self.breaks, x.detach(), right=True)
        offset = x - self.anchors.gather(1, piece)
        row = torch.arange(len(x), device=x.device)[:, None]
        return offset, self.coefficients[row, piece].unbind(-1)


def padded(pieces: list[PiecewisePolynomial]) -> dict[str, np.ndarray]:
    """The piecewise polynomials as rows of equal length; the padding lies beyond every input."""
    num_pieces = max((len(p.anchors) for p in pieces), default=1)
    order = max((p.coefficients.shape[1] for p in pieces), default=1)
    breaks = np.full((len(pieces), num_pieces - 1), np.inf)
    anchors = np.zeros((len(pieces), num_pieces))
    coefficients = np.zeros((len(pieces), num_pieces, order))
    for row, p in enumerate(pieces):
        breaks[row, : len(p.breaks)] = p.breaks
        anchors[row, : len(p.anchors)] = p.anchors
        coefficients[row, : len(p.anchors), : p.coefficients.shape[1]] = p.coefficients
    return {"breaks": breaks, "anchors": anchors, "coefficients": coefficients}
