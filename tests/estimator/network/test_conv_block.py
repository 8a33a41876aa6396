"""The block and its normalisation against torch's own layers, forwards and backwards."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from odah.estimator.network.conv_block import ConvBlock
from odah.estimator.network.norm_relu import NormReLU

WIDTHS = [(16, 16), (16, 32)]


def block_of(channels_in: int, channels_out: int) -> ConvBlock:
    torch.manual_seed(0)
    block = ConvBlock(channels_in, channels_out, groups=4)
    for parameter in block.parameters():
        nn.init.normal_(parameter)
    return block.double()


def map_of(channels: int) -> Tensor:
    """Far from zero mean, and another variance in each channel."""
    torch.manual_seed(1)
    return (
        3 + torch.randn(3, channels, 6, 5, dtype=torch.float64) * torch.arange(1, channels + 1)[:, None, None]
    )


def plain_norm(norm: nn.Module, x: Tensor) -> Tensor:
    assert isinstance(norm, NormReLU)
    return F.relu(F.group_norm(x, norm.groups, norm.weight, norm.bias))


def plain_block(block: ConvBlock, x: Tensor) -> Tensor:
    parts, part = [], x
    for norm, conv in zip(block.norms, block.convs, strict=True):
        part = conv(plain_norm(norm, part))
        parts.append(part)
    shortcut = x if block.shortcut is None else block.shortcut[1](plain_norm(block.shortcut[0], x))
    return torch.cat(parts, dim=1) + shortcut


@pytest.mark.parametrize("widths", WIDTHS)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_block_is_the_plain_one(widths: tuple[int, int], layout: torch.memory_format) -> None:
    block = block_of(*widths)
    x = map_of(widths[0]).contiguous(memory_format=layout).requires_grad_()
    answer, plain = block(x), plain_block(block, x)
    torch.testing.assert_close(answer, plain)
    weights = torch.randn_like(plain)
    inputs = [x, *block.parameters()]
    gradients = torch.autograd.grad((answer * weights).sum(), inputs)
    for gradient, expected in zip(
        gradients, torch.autograd.grad((plain * weights).sum(), inputs), strict=True
    ):
        torch.testing.assert_close(gradient, expected)


def test_norm_is_torch_s_where_the_mean_is_large_and_the_spread_small() -> None:
    """In float32 against float64; another mean in each group of channels."""
    torch.manual_seed(0)
    norm = NormReLU(4, 16)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    levels = torch.arange(5.0, 21.0, dtype=torch.float64)[:, None, None].div(4, rounding_mode="floor")
    x = (torch.randn(3, 16, 9, 7, dtype=torch.float64) * 0.01 + levels).float()
    weights = torch.randn(x.shape)

    def told(norm: nn.Module, x: Tensor, run: Callable[[nn.Module, Tensor], Tensor]) -> list[Tensor]:
        x = x.clone().requires_grad_()
        answer = run(norm, x)
        gradients = torch.autograd.grad((answer * weights).sum(), [x, *norm.parameters()])
        return [answer.detach(), *gradients]

    ours = told(norm, x, lambda norm, x: norm(x))
    for value, expected in zip(ours, told(norm.double(), x.double(), plain_norm), strict=True):
        apart = (value - expected).abs().max() / expected.abs().max()
        assert apart < 1e-4


def test_norm_of_half_precision_maps_is_as_exact_as_its_maps() -> None:
    torch.manual_seed(0)
    norm = NormReLU(4, 16)
    x = (torch.randn(3, 16, 8, 8) + 20).bfloat16()
    expected = plain_norm(norm, x.float())
    answer = norm(x)
    assert answer.dtype == torch.bfloat16
    torch.testing.assert_close(answer.float(), expected, atol=1e-3, rtol=2**-8)


def test_gradients_against_finite_differences() -> None:
    block = block_of(8, 16)
    x = map_of(8)[:1, :, :3, :2].requires_grad_()
    assert torch.autograd.gradcheck(block, (x,))


@pytest.mark.parametrize("widths", WIDTHS)
def test_half_of_it_is_kept(widths: tuple[int, int]) -> None:
    def kept(answer: Tensor) -> int:
        return sum(sizes.values())

    sizes: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    block = block_of(*widths).float()
    x = torch.randn(4, widths[0], 32, 32).contiguous(memory_format=torch.channels_last).requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        ours = kept(block(x))
        sizes.clear()
        plain = kept(plain_block(block, x))
    assert ours < 0.6 * plain
