"""What a clip's poses are judged by: points that may be missing or wrong, a pose prior, smoothness."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from odah.body.fitting.pose_prior import PosePrior
from odah.body.fitting.smoothness import Smoothness


@dataclass(frozen=True)
class ClipTerms:
    """targets: m, world, NaN where a point was not seen. point_sigmas: m. robust_scales: m, the distance from
    which a point counts less and less, infinite to trust it always. pose_means: rad, means of the prior.
    rate: frames a second. offsets: m, of each point from its nominal place on the T-pose body.
    """

    targets: Float[Tensor, "T P 3"]
    point_sigmas: Float[Tensor, " P"]
    robust_scales: Float[Tensor, " P"]
    pose_means: Float[Tensor, "T 22 3"]
    prior: PosePrior
    smoothness: Smoothness
    rate: float
    offsets: Float[Tensor, "P 3"] | None = None

    def to(self, dtype: torch.dtype) -> ClipTerms:
        names = ("targets", "point_sigmas", "robust_scales", "pose_means", "prior")
        offsets = None if self.offsets is None else self.offsets.to(dtype)
        return replace(self, **{name: getattr(self, name).to(dtype) for name in names}, offsets=offsets)

    def every(self, stride: int) -> ClipTerms:
        """Of every `stride`-th frame."""
        return replace(
            self,
            targets=self.targets[::stride],
            pose_means=self.pose_means[::stride],
            rate=self.rate / stride,
        )


@dataclass(frozen=True)
class PointErrors:
    """residuals: (T, P, 3) m, zero where a point is missing; weights: (T, P), 1/m^2, zero there;
    costs: (T,) half the weighted squares, robustified."""

    residuals: Tensor
    weights: Tensor
    costs: Tensor


def point_errors(points: Tensor, targets: Tensor, terms: ClipTerms) -> PointErrors:
    """Errors of some frames' points (T, P, 3), weighted as iteratively reweighted least squares has them.

    Loss of Geman and McClure (1987), s^2 r^2 / (s^2 + r^2): an outlier's pull falls with its distance cubed.
    """
    is_seen = targets.isfinite().all(-1)
    residuals = torch.where(is_seen[..., None], points - targets, 0.0)
    squared = residuals.square().sum(-1)
    shrunk = 1 / (1 + squared / terms.robust_scales**2)
    precision = terms.point_sigmas**-2
    costs = 0.5 * (precision * squared * shrunk).sum(-1)
    return PointErrors(residuals, is_seen * precision * shrunk**2, costs)
