"""The temporal part: its size, coarser and finer time, what knows of what, one set of scales."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from odah.errors import InputError
from odah.estimator.config import TemporalConfig
from odah.estimator.network.temporal_unet import (
    ChunkScales,
    MeanScales,
    TemporalUnet,
    _coarser,
    _finer,
    _TransposedAttention,
)

SMALL = TemporalConfig(channels=(4, 8, 32), heads=(1, 2, 4), blocks=(1, 2, 1))


def unet(config: TemporalConfig = SMALL) -> TemporalUnet:
    torch.manual_seed(0)
    return TemporalUnet(config)


def test_the_paper_s_size() -> None:
    """Blocks [2, 4, 6] as in the paper and [4, 6, 6] as in its code: 13.6 and 14.4 million parameters."""
    sizes = [
        sum(p.numel() for p in unet(TemporalConfig(blocks=b)).parameters()) for b in ((2, 4, 6), (4, 6, 6))
    ]
    assert [round(size / 1e6, 1) for size in sizes] == [13.6, 14.4]


def test_finer_undoes_coarser() -> None:
    x = torch.arange(2.0 * 3 * 8 * 2).reshape(2, 3, 8, 2)
    coarse = _coarser(x, 4)
    assert coarse.shape == (2, 3, 2, 8)
    assert set(coarse[0, 0, 0].tolist()) == set(x[0, 0, :4].flatten().tolist())
    assert (_finer(coarse, 4) == x).all()


@pytest.mark.parametrize("factors", [(), (2,), (2, 2, 3)])
def test_any_number_of_levels(factors: tuple[int, ...]) -> None:
    channels = [4]
    for factor in factors:
        channels.append(channels[-1] * factor)
    count = len(channels)
    config = TemporalConfig(
        channels=tuple(channels), heads=(2,) * count, blocks=(1,) * count, factors=factors
    )
    assert unet(config)(torch.randn(2, 12, 9)).shape == (2, 12, 9)


@pytest.mark.parametrize("length", [1, 5, 8, 13])
def test_any_number_of_frames(length: int) -> None:
    """As if the last frame stood still until the coarsest level's frames are full."""
    network, vectors = unet(), torch.randn(2, length, 10)
    last = vectors[:, -1:].expand(-1, -length % 8, -1)
    expected = network(torch.cat([vectors, last], dim=1))[:, :length]
    torch.testing.assert_close(network(vectors), expected)


def test_frames_of_a_sequence_know_of_each_other_and_sequences_do_not() -> None:
    network, vectors = unet(), torch.randn(2, 16, 10, requires_grad=True)
    (gradient,) = torch.autograd.grad(network(vectors)[0, 0].square().sum(), vectors)
    assert (gradient[0].abs().sum(-1) > 0).all()
    assert (gradient[1] == 0).all()


def test_no_way_around_the_network() -> None:
    network = unet()
    nn.init.zeros_(network.fuse.weight)
    nn.init.zeros_(network.fuse.bias)
    assert (network(torch.randn(1, 8, 10)) == 0).all()


def test_attention_is_restormer_s() -> None:
    """Section 3.1, Eq. 1, head by head."""
    torch.manual_seed(0)
    attention, x = _TransposedAttention(6, 2), torch.randn(1, 4, 5, 6)
    nn.init.normal_(attention.temperature)
    queries, keys, values = attention.spread(attention.qkv(x)).reshape(20, 3, 2, 3).unbind(1)
    mixed = []
    for head in range(2):
        q, k = (F.normalize(part[:, head], dim=0) for part in (queries, keys))
        weights = (q.T @ k * attention.temperature[head]).softmax(dim=-1)
        mixed.append((weights @ values[:, head].T).T)
    expected = attention.project(torch.cat(mixed, dim=-1)).reshape(x.shape)
    torch.testing.assert_close(attention(x), expected)


def test_chunk_scales_are_a_trained_sum_over_exactly_its_frames() -> None:
    scales, numbers = ChunkScales(4), torch.randn(2, 4, 3)
    is_frame = torch.ones(2, 4, dtype=torch.bool)
    torch.testing.assert_close(scales(numbers, numbers, is_frame), numbers.mean(1, keepdim=True))
    assert all(p.requires_grad for p in scales.parameters())
    with pytest.raises(InputError, match="found a sequence of 3 frames, expected exactly 4 frames"):
        scales(numbers[:, :3], numbers[:, :3], is_frame[:, :3])


def test_mean_scales_leave_out_what_only_fills_up() -> None:
    torch.manual_seed(0)
    scales, vectors, numbers = MeanScales(5), torch.randn(2, 4, 5), torch.randn(2, 4, 3)
    is_frame = torch.tensor([[True, True, False, False], [True] * 4])
    torch.testing.assert_close(scales(vectors, numbers, is_frame)[0, 0], numbers[0, :2].mean(0))
    nn.init.normal_(scales.trust.weight)
    weights = torch.exp(scales.trust(vectors))[1]
    expected = (weights * numbers[1]).sum(0) / weights.sum()
    torch.testing.assert_close(scales(vectors, numbers, is_frame)[1, 0], expected)
