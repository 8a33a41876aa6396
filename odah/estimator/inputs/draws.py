"""Random numbers from a given generator, on whatever device they are wanted."""

from __future__ import annotations

import torch
from torch import Tensor


def uniform(
    generator: torch.Generator, *shape: int, low: float = 0.0, high: float = 1.0, device: torch.device
) -> Tensor:
    """Numbers from `low` up to, not including, `high`."""
    drawn = torch.rand(shape, generator=generator, device=generator.device)
    return drawn.to(device).mul_(high - low).add_(low)


def happens(generator: torch.Generator, chance: float, *shape: int, device: torch.device) -> Tensor:
    """True with the given chance."""
    return uniform(generator, *shape, device=device) < chance
