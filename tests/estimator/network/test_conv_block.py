"""The block and its normalisation against torch's own layers, forwards and backwards."""

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


def test_norm_is_the_plain_one_where_the_mean_is_far_from_zero() -> None:
    norm = NormReLU(4, 16)
    x = map_of(16).float() * 0.1 + 5
    torch.testing.assert_close(norm(x), plain_norm(norm, x), atol=2e-3, rtol=0)


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
