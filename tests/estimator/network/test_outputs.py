"""Where in a vector what is told stands."""

import pytest
import torch

from odah.estimator.config import NetworkConfig
from odah.estimator.network.outputs import num_outputs, outputs


@pytest.mark.parametrize(("pelvis", "errors", "count"), [(0, 0, 102), (1, 0, 105), (0, 1, 138), (1, 1, 141)])
def test_layout(pelvis: int, errors: int, count: int) -> None:
    config = NetworkConfig(tells_pelvis=bool(pelvis), tells_errors=bool(errors))
    assert num_outputs(config) == count
    numbers = torch.arange(float(count)).expand(1, 2, -1) / 100
    told = outputs(numbers, config)
    torch.testing.assert_close(told.angles, numbers[..., :36])
    torch.testing.assert_close(told.scales.flatten(2), 1 + numbers[..., 36:102] / 8)
    assert (told.pelvis is None) == (not pelvis)
    assert (told.errors is None) == (not errors)
    if told.pelvis is not None:
        torch.testing.assert_close(told.pelvis, numbers[..., 102:105])
    if told.errors is not None:
        torch.testing.assert_close(told.errors, numbers[..., -36:].exp())


def test_scales_are_never_negative() -> None:
    vectors = torch.zeros(1, 1, 102)
    vectors[..., 36] = -12.0  # one less 12 / 8
    assert outputs(vectors, NetworkConfig()).scales[0, 0, 0, 0] == 0.5


def test_given_scale_numbers_count() -> None:
    told = outputs(torch.zeros(1, 4, 102), NetworkConfig(), None, torch.full((1, 1, 66), 0.8))
    torch.testing.assert_close(told.scales, torch.full((1, 1, 22, 3), 1.1))


def test_told_in_single_precision() -> None:
    told = outputs(torch.zeros(1, 1, 102, dtype=torch.bfloat16), NetworkConfig())
    assert told.angles.dtype == told.scales.dtype == torch.float32
