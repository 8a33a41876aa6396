"""The stacked hourglass: its size, its parts against torch's own, what pictures know of each other."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from odah.estimator.config import HourglassConfig
from odah.estimator.network.hourglass import StackedHourglass, _twice_as_large

SMALL = HourglassConfig(stacks=2, depth=2, channels=16, stem_stride=2)


def hourglass(**changes: object) -> StackedHourglass:
    torch.manual_seed(0)
    return StackedHourglass(HourglassConfig.model_validate({**SMALL.model_dump(), **changes}))


def test_the_paper_s_size() -> None:
    network = StackedHourglass(HourglassConfig())
    assert sum(p.numel() for p in network.parameters()) == 14_404_224


@pytest.mark.parametrize("stride", [2, 4])
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_map_for_each_stack(stride: int, depth: int) -> None:
    maps = hourglass(stem_stride=stride, depth=depth)(torch.randn(3, 3, 32, 32))
    assert [tuple(m.shape) for m in maps] == [(3, 16, 32 // stride, 32 // stride)] * 2
    assert all(m.is_contiguous(memory_format=torch.channels_last) for m in maps)


def test_cells_look_at_the_pixels_they_stand_for() -> None:
    """What a pixel changes in the stem lies about its cell."""
    for stride in (2, 4):
        stem = hourglass(stem_stride=stride).stem[0 if stride == 2 else slice(0, 3, 2)]  # without norms
        image = torch.zeros(1, 3, 32, 32)
        image[..., 16, 8] = 1
        seen = (stem(image) - stem(torch.zeros_like(image))).abs().sum((0, 1))
        rows, columns = torch.nonzero(seen).T
        assert (rows.min() + rows.max()) / 2 == 16 / stride
        assert (columns.min() + columns.max()) / 2 == 8 / stride


@pytest.mark.parametrize("side", [2, 5, 8])
def test_upsampling_is_torch_s(side: int) -> None:
    x = torch.randn(2, 3, side, side)
    expected = F.interpolate(x, scale_factor=2, mode="bicubic", align_corners=True)
    torch.testing.assert_close(_twice_as_large(x), expected, atol=1e-5, rtol=1e-5)


def test_links_are_those_of_map_and_answer() -> None:
    network, features = hourglass(), torch.randn(2, 16, 4, 4)
    cells = features.movedim(1, -1)
    expected = network.map_links[0](cells) + network.output_links[0](network.outputs[0](cells))
    torch.testing.assert_close(network._link(0, features), expected.movedim(-1, 1), atol=1e-5, rtol=1e-5)


def test_pictures_know_nothing_of_each_other() -> None:
    network, images = hourglass(), torch.randn(4, 3, 32, 32)
    maps, turned = network(images), network(images.flip(0))
    for one, other in zip(maps, turned, strict=True):
        torch.testing.assert_close(one, other.flip(0), atol=1e-5, rtol=1e-5)


def test_checkpoints_change_memory_only() -> None:
    images, gradients, kept = torch.randn(2, 3, 32, 32), [], []
    for is_checkpointed in (False, True):
        network, sizes = hourglass(checkpoint_stacks=is_checkpointed), [0]

        def keep(tensor: torch.Tensor, sizes: list[int] = sizes) -> torch.Tensor:
            sizes[0] += tensor.untyped_storage().nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            maps = network(images)
        sum(m.square().sum() for m in maps).backward()
        gradients.append([p.grad for p in network.stacks.parameters()])
        kept.append(sizes[0])
    torch.testing.assert_close(*gradients)
    assert kept[1] < 0.5 * kept[0]


def test_every_width_is_normalised_in_as_many_groups() -> None:
    groups = {
        m.groups
        for m in hourglass(channels=24).modules()
        if hasattr(m, "groups") and not isinstance(m, nn.Conv2d)
    }
    assert groups == {3}
