"""What can be measured on a person and on a body: height and mass, as functions of betas with gradients."""

from __future__ import annotations

from functools import lru_cache
from itertools import permutations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from odah.body.body_model import BodyModel
from odah.errors import InputError

BODY_DENSITY = 985.0
"""kg/m^3; a living adult's mean, lungs half full (Krzywicki and Chinn 1967)."""


_FACES_AT_ONCE = 512
"""So that what is summed stays in the processor's cache."""


class BodyMeasures:
    """Height and mass of the T-pose mesh.

    Vertices are linear in betas, so the enclosed volume is a cubic polynomial of them: its coefficients
    are summed over the faces once, and evaluating it costs nothing that depends on the mesh.

    Raises:
        InputError: the body has no faces (`restricted_to` drops them).
    """

    def __init__(self, body: BodyModel) -> None:
        if len(body.faces) == 0:
            raise InputError(body.name, "a body without faces", "a whole body, to measure its volume")
        template, directions = body.v_template.detach().cpu(), body.shapedirs.detach().cpu()
        basis = torch.cat([template[..., None], directions], -1).double()
        self._upward = basis[:, 1].contiguous()
        self._cubic = _volume_coefficients(basis, body.faces)

    def height(self, betas: Float[Tensor, " B"]) -> tuple[float, Tensor]:
        """Sole to crown, m, and its derivatives (B,); betas in float64."""
        upward = self._upward[:, 0] + self._upward[:, 1:] @ betas
        top, bottom = int(upward.argmax()), int(upward.argmin())
        return float(upward[top] - upward[bottom]), self._upward[top, 1:] - self._upward[bottom, 1:]

    def mass(self, betas: Float[Tensor, " B"]) -> tuple[float, Tensor]:
        """kg, the enclosed volume times `BODY_DENSITY`, and its derivatives (B,); betas in float64."""
        extended = torch.cat([torch.ones(1, dtype=torch.float64), betas])
        by_betas = self._cubic @ extended @ extended
        return BODY_DENSITY * float(by_betas @ extended), 3 * BODY_DENSITY * by_betas[1:]

    def bmi(self, betas: Float[Tensor, " B"]) -> tuple[float, Tensor]:
        """Body mass index, kg/m^2, and its derivatives (B,)."""
        (height, by_height), (mass, by_mass) = self.height(betas), self.mass(betas)
        return mass / height**2, by_mass / height**2 - 2 * mass / height**3 * by_height


def _volume_coefficients(basis: Tensor, faces: np.ndarray) -> Tensor:
    """(B + 1, B + 1, B + 1), symmetric: volume as a form of (1, betas), from basis (N, 3, B + 1)."""
    size = basis.shape[-1]
    coefficients = torch.zeros(size, size, size, dtype=torch.float64)
    for chunk in torch.from_numpy(faces).split(_FACES_AT_ONCE):
        a, b, c = (basis[chunk[:, k]] for k in range(3))
        last = c.flatten(0, 1)
        for k in range(size):
            area = torch.linalg.cross(a[..., k : k + 1].expand_as(b), b, dim=1)
            coefficients[k] += area.flatten(0, 1).T @ last
    return torch.stack([coefficients.permute(order) for order in permutations(range(3))]).mean(0) / 6


@lru_cache(maxsize=4)
def body_measures(body: BodyModel) -> BodyMeasures:
    """`BodyMeasures` of a body, worked out once."""
    return BodyMeasures(body)


def body_height(body: BodyModel, betas: np.ndarray) -> float:
    """Sole to crown of the T-pose mesh, m."""
    return body_measures(body).height(torch.as_tensor(betas, dtype=torch.float64))[0]


def body_mass(body: BodyModel, betas: np.ndarray) -> float:
    """Mass in kg of the volume that the T-pose mesh encloses."""
    return body_measures(body).mass(torch.as_tensor(betas, dtype=torch.float64))[0]
