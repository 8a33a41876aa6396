"""Features of points: heads at the points against heads on whole maps, places, withheld views."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from odah.estimator.config import DataConfig, HourglassConfig
from odah.estimator.network.point_features import PointFeatures

SIZE = 32
"""Of the pictures, px."""


def made(stride: int = 4, pixels: str = "exact", stacks: int = 2) -> tuple[PointFeatures, nn.ModuleList]:
    torch.manual_seed(0)
    hourglass = HourglassConfig(channels=8, head_channels=3, stacks=stacks, stem_stride=stride)
    data = DataConfig.model_validate({"size": SIZE, "pixels": pixels})
    return PointFeatures(hourglass, data), nn.ModuleList(nn.Linear(8, 8) for _ in range(stacks))


def maps_of(count: int, stride: int = 4, stacks: int = 2) -> list[Tensor]:
    torch.manual_seed(1)
    maps = [torch.randn(count, 8, SIZE // stride, SIZE // stride) for _ in range(stacks)]
    return [m.contiguous(memory_format=torch.channels_last) for m in maps]


def pixels_of(batch: int, frames: int) -> Tensor:
    """Some of them outside the picture."""
    torch.manual_seed(2)
    return torch.rand(batch, 2, frames, 9, 2) * (SIZE + 8) - 4


@pytest.mark.parametrize("stride", [2, 4])
@pytest.mark.parametrize("pixels", ["exact", "rounded"])
def test_as_heads_on_whole_maps(stride: int, pixels: str) -> None:
    module, outputs = made(stride, pixels)
    side, maps, places = SIZE // stride, maps_of(12, stride), pixels_of(2, 3)
    is_view = torch.ones(2, 2, dtype=torch.bool)
    if pixels == "rounded":  # as in the paper's code
        grid = places.clamp(0, SIZE - 1).int() / SIZE * 2 - 1
    else:
        grid = (places / stride).clamp(0, side - 1) / (side - 1) * 2 - 1
    expected = []
    for head, output, stack_map in zip(module.heads, outputs, maps, strict=True):
        answer = head(output(stack_map.movedim(1, -1))).movedim(-1, 1)
        sampled = F.grid_sample(answer, grid.flatten(0, 2)[:, None], align_corners=True)
        expected.append(sampled[:, :, 0].swapaxes(1, 2).unflatten(0, (2, 2, 3)))
    views = torch.cat(expected, dim=-1)
    features = module(maps, outputs, places, is_view)
    torch.testing.assert_close(features, torch.cat([views[:, 0], views[:, 1]], dim=-1), atol=1e-5, rtol=1e-5)


def test_exact_places_are_read_between_the_cells() -> None:
    """A map that tells its own pixels tells every point's pixel."""
    module, outputs = made(stacks=1)
    for layer in (*module.heads, *outputs):
        nn.init.eye_(layer.weight)
        nn.init.zeros_(layer.bias)
    y, x = torch.meshgrid(4.0 * torch.arange(8), 4.0 * torch.arange(8), indexing="ij")
    stack_map = torch.stack([x, y, *[torch.zeros_like(x)] * 6]).expand(2, -1, -1, -1)
    pixels = torch.tensor([[3.25, 17.5], [0.0, 28.0], [-5.0, 40.0]]).expand(1, 2, 1, 3, 2)
    features = module([stack_map], outputs, pixels, torch.ones(1, 2, dtype=torch.bool))
    inside = torch.tensor([[3.25, 17.5], [0.0, 28.0], [0.0, 28.0]])
    torch.testing.assert_close(features[0, 0, :, :2], inside)


def test_a_withheld_view_tells_nothing_and_learns_nothing() -> None:
    module, outputs = made()
    maps = [m.requires_grad_() for m in maps_of(4)]
    features = module(maps, outputs, pixels_of(1, 2), torch.tensor([[True, False]]))
    first, second = features.chunk(2, dim=-1)
    assert first.abs().min() > 0
    assert (second == 0).all()
    features.sum().backward()
    for m in maps:
        assert m.grad is not None
        assert (m.grad[2:] == 0).all()
        assert (m.grad[:2] != 0).any()


def test_swapped_views_swap_their_features() -> None:
    module, outputs = made()
    maps, pixels, is_view = maps_of(6), pixels_of(1, 3), torch.tensor([[True, True]])
    swapped_maps = [m.unflatten(0, (2, 3)).flip(0).flatten(0, 1) for m in maps]
    swapped = module(swapped_maps, outputs, pixels.flip(1), is_view)
    first, second = module(maps, outputs, pixels, is_view).chunk(2, dim=-1)
    torch.testing.assert_close(swapped, torch.cat([second, first], dim=-1))


def test_gradients_against_finite_differences() -> None:
    module, outputs = made(stacks=1)
    module.double(), outputs.double()
    pixels, is_view = pixels_of(1, 1).double(), torch.ones(1, 2, dtype=torch.bool)
    stack_map = maps_of(2, stacks=1)[0].double().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda m: module([m], outputs, pixels, is_view), (stack_map,), fast_mode=True
    )
