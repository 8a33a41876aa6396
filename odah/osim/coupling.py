"""Coordinates that couplers make depend on others, in torch."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from odah.osim.function_bank import BankEntry, FunctionBank
from odah.osim.functions import multiplied
from odah.osim.model import GROUND, Coupler, Model
from odah.osim.scale import coupled_axis


class CouplerStage(nn.Module):
    """Sets dependent coordinates that rest on coordinates already set."""

    dependent: Tensor  # (n,) coordinate number
    bodies: Tensor  # (n,) the body that stretches the value; ground comes after the last
    axes: Tensor  # (n, 3)

    def __init__(self, model: Model, couplers: list[Coupler], dtype: torch.dtype) -> None:
        super().__init__()
        names, bodies = model.coordinate_names, (*model.body_names, GROUND)
        functions: list[BankEntry] = [(multiplied(c.function, c.scale), c.independent) for c in couplers]
        self.functions = FunctionBank(functions, names, dtype)
        stretched = [coupled_axis(model, coupler) for coupler in couplers]
        self.register_buffer(
            "dependent", torch.tensor([names.index(c.dependent) for c in couplers]), persistent=False
        )
        self.register_buffer(
            "bodies", torch.tensor([bodies.index(body) for body, _ in stretched]), persistent=False
        )
        self.register_buffer(
            "axes", torch.tensor(np.array([axis for _, axis in stretched]), dtype=dtype), persistent=False
        )

    def forward(
        self, coordinates: Float[Tensor, "*#B C"], scales: Float[Tensor, "*#B G 3"]
    ) -> Float[Tensor, "*B C"]:
        stretch = torch.linalg.vector_norm(self.axes * scales[..., self.bodies, :], dim=-1)
        values = self.functions(coordinates) * stretch
        return coordinates.expand(*values.shape[:-1], -1).index_copy(-1, self.dependent, values)

    def derivatives(self, coordinates: Float[Tensor, "*B C"]) -> Float[Tensor, "*B n C"]:
        """Of the dependent coordinates by all others, nothing scaled."""
        return self.functions.derivatives(coordinates)
