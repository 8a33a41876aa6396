"""What is known of a person's shape before a skeleton or markers are seen.

Four terms: what people of that sex, height and mass look like; how much bones differ from the shape
space's; the height; the mass. For the open body the first comes from its statistics, for a licensed
one betas are standard normal, as its shape space was made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from odah.body.body_model import BodyModel
from odah.body.shape.bone_lengths import BONE_LENGTH_BOUNDS, BONE_LENGTH_SIGMAS
from odah.body.shape.measures import BodyMeasures, body_measures
from odah.body.shape.population import TYPICAL_BMI, TYPICAL_HEIGHT
from odah.body.shape.statistics import ATTRIBUTE_RANGES, check_gender
from odah.errors import InputError

HEIGHT_SIGMA = 0.003
"""m; a stature measured with care is good to that, and a fit must not leave it by a centimetre."""
MASS_SIGMA = 0.01
"""Relative; mean density differs by twice that between lean and fat adults, but people know their mass, and
a body that weighs more looks like another person."""
_LEFT_OPEN_SIGMA = 0.1
"""Betas' spread in directions that the statistics say nothing varies in, such as height once it is known:
enough to correct a centimetre of height that the linear map from attributes is off."""
_SEX_SPREAD = 0.25
"""Within-sex standard deviations of what parts the sexes that a fit is granted."""
_NUM_SIGMAS = 4.0
_MODE_STEPS = 6


@dataclass(frozen=True)
class ShapePrior:
    """A Gaussian about `centre` in betas, and the height and mass of the mesh where they are known.

    mean: the most probable betas (B,), where a fit starts; lower, upper: (B,) bounds to hold a fit in.
    whitening (B, B): from betas minus `centre` to residuals of unit variance. All float64.
    height, mass: m and kg, or None where unknown.
    """

    mean: Tensor
    lower: Tensor
    upper: Tensor
    centre: Tensor
    whitening: Tensor
    measures: BodyMeasures
    height: float | None
    mass: float | None

    def linearize(self, betas: Float[Tensor, " B"]) -> tuple[Float[Tensor, " R"], Float[Tensor, "R B"]]:
        """Whitened residuals and their Jacobian; half the sum of squares is the cost. betas in float64."""
        residuals, rows = [self.whitening @ (betas - self.centre)], [self.whitening]
        if self.height is not None:
            height, by_height = self.measures.height(betas)
            residuals.append(torch.tensor([(height - self.height) / HEIGHT_SIGMA], dtype=torch.float64))
            rows.append(by_height[None] / HEIGHT_SIGMA)
        if self.mass is not None:
            sigma = MASS_SIGMA * self.mass
            mass, by_mass = self.measures.mass(betas)
            residuals.append(torch.tensor([(mass - self.mass) / sigma], dtype=torch.float64))
            rows.append(by_mass[None] / sigma)
        return torch.cat(residuals), torch.cat(rows)


def shape_prior(
    body: BodyModel, gender: str, height: float | None = None, mass: float | None = None
) -> ShapePrior:
    """What betas of `body`, with or without bone lengths, a person of that sex, height (m), mass (kg) has.

    Raises:
        InputError: an unknown gender; a height, or a body mass index of height and mass, that no adult
            has; a body without faces.
    """
    check_gender(gender)
    _check_adult(height, mass)
    measures = body_measures(body)
    num_lengths = len(body.bone_lengths)
    shape = _typical_betas(body, gender, height, mass)
    centre = torch.from_numpy(np.concatenate([shape, np.zeros(num_lengths)]))
    covariance = _population_covariance(body, gender)
    sigmas = torch.cat(
        [covariance.diagonal().sqrt(), torch.tensor(BONE_LENGTH_SIGMAS[:num_lengths]).double()]
    )
    reach = _NUM_SIGMAS * sigmas
    reach[len(shape) :] = torch.tensor(BONE_LENGTH_BOUNDS[:num_lengths])
    remaining = torch.diag(sigmas**2)
    if body.is_open:
        known = [height is not None, height is not None and mass is not None]
        rows = torch.stack([measures.height(centre)[1], measures.bmi(centre)[1]])[torch.tensor(known)]
        remaining[: len(shape), : len(shape)] = _held_to_sex(
            _given(covariance, rows[:, : len(shape)]), body, gender
        )
    whitening = torch.linalg.inv(torch.linalg.cholesky(remaining))
    prior = ShapePrior(centre, centre - reach, centre + reach, centre, whitening, measures, height, mass)
    return _with_mode(prior)


def _check_adult(height: float | None, mass: float | None) -> None:
    if height is not None:
        _check_range("height", height, *ATTRIBUTE_RANGES["height"])
    if mass is not None:
        heights = ATTRIBUTE_RANGES["height"] if height is None else (height, height)
        low, high = (bmi * tall**2 for bmi, tall in zip(ATTRIBUTE_RANGES["bmi"], heights, strict=True))
        whose = "" if height is None else f" of a person {height:.2f} m tall"
        _check_range(f"mass{whose}", mass, low, high)


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise InputError(name, f"{value:g}", f"{low:.4g} to {high:.4g}")


def _typical_betas(body: BodyModel, gender: str, height: float | None, mass: float | None) -> np.ndarray:
    """Betas without bone lengths: those of the attributes as far as betas' meaning is known, else zero."""
    if body.statistics is None:
        return np.zeros(body.num_shape_betas)
    lean, heavy = ATTRIBUTE_RANGES["bmi"]
    stature, bmi = TYPICAL_HEIGHT[gender] if height is None else height, TYPICAL_BMI
    if mass is not None:
        if height is None:
            # The nearest to the typical height at which an adult has that mass: not every light one is thin.
            stature = np.clip(stature, (mass / heavy) ** 0.5, (mass / lean) ** 0.5)
            stature = float(np.clip(stature, *ATTRIBUTE_RANGES["height"]))
        bmi = float(np.clip(mass / stature**2, lean, heavy))
    return body.statistics.betas_from_attributes(stature, bmi, gender)


def _population_covariance(body: BodyModel, gender: str) -> Tensor:
    if body.statistics is None:
        return torch.eye(body.num_shape_betas, dtype=torch.float64)
    return torch.from_numpy(body.statistics.covariances[check_gender(gender)]).double()


def _given(covariance: Tensor, rows: Tensor) -> Tensor:
    """What remains of `covariance` (B, B) when `rows` @ betas are known."""
    gain = torch.linalg.solve(rows @ covariance @ rows.T, rows @ covariance)
    remaining = covariance - covariance @ rows.T @ gain
    return remaining + _LEFT_OPEN_SIGMA**2 * torch.eye(len(covariance), dtype=torch.float64)


def _held_to_sex(covariance: Tensor, body: BodyModel, gender: str) -> Tensor:
    """`covariance` with little spread along the line that best parts women from men (Fisher 1936).

    Along it the sexes are eleven standard deviations apart, but a skeleton that no usual body fits gains by
    three of them, which already looks like somebody of the other sex.
    """
    if body.statistics is None or gender == "neutral":
        return covariance
    means = {sex: torch.from_numpy(body.statistics.means[check_gender(sex)]) for sex in ("female", "male")}
    within = (_population_covariance(body, "female") + _population_covariance(body, "male")) / 2
    line = torch.linalg.solve(within, means["male"] - means["female"])
    noise = _SEX_SPREAD**2 * (line @ within @ line)
    moved = covariance @ line
    return covariance - torch.outer(moved, moved) / (noise + line @ moved)


def _with_mode(prior: ShapePrior) -> ShapePrior:
    """The prior with its most probable betas as mean, by Gauss-Newton steps from the centre."""
    mean = prior.centre
    for _ in range(_MODE_STEPS):
        residuals, jacobian = prior.linearize(mean)
        step = torch.linalg.lstsq(jacobian, -residuals[:, None]).solution[:, 0]
        mean = (mean + step).clamp(prior.lower, prior.upper)
    return replace(prior, mean=mean)
