"""A body of one shape in the poses of a clip."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class PoseState:
    """betas (B,); local_rotmats (T, 55, 3, 3), parent-relative; transl (T, 3) m."""

    betas: Float[Tensor, " B"]
    local_rotmats: Float[Tensor, "T 55 3 3"]
    transl: Float[Tensor, "T 3"]
