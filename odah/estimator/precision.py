"""Where less precision than float32 would lose too much."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor


def at_least_float32(tensor: Tensor) -> Tensor:
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


@contextmanager
def exact_products() -> Iterator[None]:
    """Matrix products in whole float32, whatever a training allows: with TF32 points miss their pixels, and
    the end of a chain of bones its place by millimetres."""
    allowed = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(allowed)
