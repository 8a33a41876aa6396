"""Geometry in whole float32, whatever a training allows."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from odah.estimator.inputs import prepare as prepare_module
from odah.estimator.precision import at_least_float32, exact_products
from odah.estimator.skeleton import Skeleton


@pytest.fixture(autouse=True)
def allowed() -> Iterator[None]:
    """As in a training."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    yield
    torch.set_float32_matmul_precision(before)


def test_what_is_allowed_comes_back_even_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), exact_products():
        1 / (torch.get_float32_matmul_precision() != "highest")
    assert torch.get_float32_matmul_precision() == "high"


def test_chains_of_bones_are_computed_exactly() -> None:
    skeleton, seen = Skeleton(), []
    skeleton.kinematics.register_forward_pre_hook(
        lambda module, inputs: seen.append(torch.get_float32_matmul_precision())
    )
    skeleton(torch.zeros(36), torch.ones(22, 3))
    assert (seen, torch.get_float32_matmul_precision()) == (["highest"], "high")


def test_points_are_projected_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    class Reached(Exception):
        pass

    def choose_pair(*arguments: object, **options: object) -> None:
        assert torch.get_float32_matmul_precision() == "highest"
        raise Reached

    monkeypatch.setattr(prepare_module, "choose_pair", choose_pair)
    with pytest.raises(Reached):
        prepare_module.prepare({}, prepare_module.DataConfig(), generator=torch.Generator())
    assert torch.get_float32_matmul_precision() == "high"


@pytest.mark.parametrize(
    ("given", "expected"),
    [(torch.bfloat16, torch.float32), (torch.float32, torch.float32), (torch.float64, torch.float64)],
)
def test_half_precision_is_widened_and_double_kept(given: torch.dtype, expected: torch.dtype) -> None:
    tensor: Tensor = torch.ones(2, dtype=given)
    assert at_least_float32(tensor).dtype == expected
