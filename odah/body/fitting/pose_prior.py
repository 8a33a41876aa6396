"""What is known of a pose before the first marker: a Gaussian a joint, and ranges it does not leave."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import yaml
from jaxtyping import Float
from torch import Tensor

from odah.body.fitting.skinned_points import NUM_SOLVED_JOINTS
from odah.names import SMPLX_INDEX

RANGE_SIGMA = 0.03
"""How softly a range ends, rad."""


@dataclass(frozen=True)
class PosePrior:
    """Of the local rotation vectors of the 22 joints, rad.

    precisions: inverse covariances about the mean that the clip gives (`ClipTerms.pose_means`), zero where
    nothing is known. lower, upper: what each component keeps within, infinite for no bound.
    """

    precisions: Float[Tensor, "22 3 3"]
    lower: Float[Tensor, "22 3"]
    upper: Float[Tensor, "22 3"]

    @classmethod
    def from_sigmas(cls, sigmas: Float[Tensor, "22 3"]) -> PosePrior:
        """Independent components without bounds; an infinite sigma is no prior."""
        unbounded = torch.full_like(sigmas, torch.inf)
        return cls(torch.diag_embed(sigmas**-2), -unbounded, unbounded)

    def to(self, dtype: torch.dtype) -> PosePrior:
        return PosePrior(self.precisions.to(dtype), self.lower.to(dtype), self.upper.to(dtype))

    def costs(self, rotvecs: Float[Tensor, "T 22 3"], means: Float[Tensor, "T 22 3"]) -> Float[Tensor, " T"]:
        off = rotvecs - means
        pulled = (self.precisions @ off[..., None])[..., 0]
        return 0.5 * ((off * pulled).sum((1, 2)) + (self._excess(rotvecs) ** 2).sum((1, 2)))

    def pull(
        self, rotvecs: Float[Tensor, "T 22 3"], means: Float[Tensor, "T 22 3"]
    ) -> tuple[Float[Tensor, "T 22 3"], Float[Tensor, "T 22 3 3"]]:
        """Gradient and curvature of `costs` by the rotation vectors."""
        excess = self._excess(rotvecs)
        gradient = (self.precisions @ (rotvecs - means)[..., None])[..., 0] + excess / RANGE_SIGMA
        return gradient, self.precisions + torch.diag_embed((excess != 0) / RANGE_SIGMA**2)

    def _excess(self, rotvecs: Tensor) -> Tensor:
        """How far beyond its range, signed, in units of `RANGE_SIGMA`."""
        return (rotvecs - rotvecs.clamp(self.lower, self.upper)) / RANGE_SIGMA


def body_pose_prior(is_head_seen: bool = False) -> PosePrior:
    """What holds for every person: learned covariances, hand-set spreads and ranges of `pose_prior.yaml`.

    Means are the clip's: zero, the T-pose's, but for what is told of neck, head and toes. Unless something
    on the head is seen, neck and head keep to what they are told.
    """
    content = yaml.safe_load((Path(__file__).parent / "pose_prior.yaml").read_text())
    precisions = torch.zeros(NUM_SOLVED_JOINTS, 3, 3, dtype=torch.float64)
    upper = torch.full((NUM_SOLVED_JOINTS, 3), torch.inf, dtype=torch.float64)
    lower = -upper
    for name, sigmas in content["sigmas"].items():
        for joint, _ in _joints(name):
            precisions[joint] = torch.diag(torch.tensor(sigmas, dtype=torch.float64) ** -2)
    for name, covariance in content["covariances"].items():
        if is_head_seen or name not in ("neck", "head"):
            for joint, _ in _joints(name):
                precisions[joint] = torch.linalg.inv(torch.tensor(covariance, dtype=torch.float64))
    for name, (low, high) in content["ranges"].items():
        for joint, mirror in _joints(name):
            ends = torch.tensor([low, high], dtype=torch.float64) * mirror
            lower[joint], upper[joint] = ends.amin(0), ends.amax(0)
    return PosePrior(precisions, lower, upper)


def _joints(name: str) -> list[tuple[int, Tensor]]:
    """The joint of that name, or that of the left side and of the right, with what mirrors its vectors."""
    same, mirrored = torch.ones(3, dtype=torch.float64), torch.tensor([1.0, -1.0, -1.0], dtype=torch.float64)
    if name in SMPLX_INDEX:
        return [(SMPLX_INDEX[name], same)]
    return [(SMPLX_INDEX[f"left_{name}"], same), (SMPLX_INDEX[f"right_{name}"], mirrored)]
