"""The paper's encoder: its size, what it takes points for."""

import pytest
import torch

from odah.errors import InputError
from odah.estimator.config import FlattenEncoderConfig
from odah.estimator.network.flatten_encoder import FlattenEncoder

IS_VIEW = torch.ones(2, 2, dtype=torch.bool)


def small() -> FlattenEncoder:
    torch.manual_seed(0)
    return FlattenEncoder(FlattenEncoderConfig(point_widths=(8, 4), frame_widths=(6,)), 5, 10, 7)


def test_the_paper_s_size() -> None:
    """1,027 features of a point to 32, those of 500 points to 102: 0.8 and 2.1 million parameters."""
    encoder = FlattenEncoder(FlattenEncoderConfig(), 500, 1024, 102)
    sizes = [sum(p.numel() for p in part.parameters()) for part in (encoder.points, encoder.frame)]
    points = 1027 * 512 + 512 * 512 + 512 * 32
    frame = 16000 * 128 + 128 * 128 + 128 * 102
    assert sizes == [
        points + 2 * (512 + 512 + 32),
        frame + 2 * (128 + 128 + 102),
    ]  # biases and lengths of rows


def test_weights_at_the_start() -> None:
    encoder = FlattenEncoder(FlattenEncoderConfig(), 500, 1024, 102)
    assert abs(encoder.frame[0].weight.std() - 0.02) < 1e-4
    assert (encoder.frame[0].bias == 0).all()


def test_frames_are_for_themselves_and_places_count() -> None:
    encoder = small()
    features, points = torch.randn(2, 3, 5, 10), torch.randn(2, 3, 5, 3)
    vectors = encoder(features, points, IS_VIEW).vectors
    assert vectors.shape == (2, 3, 7)
    points[1, 2] += 1
    changed = encoder(features, points, IS_VIEW).vectors != vectors
    assert changed[1, 2].any()
    assert changed.any(-1).sum() == 1


def test_another_number_of_points_is_refused() -> None:
    with pytest.raises(InputError, match="4 in a frame, expected the network's 5"):
        small()(torch.randn(2, 3, 4, 10), torch.randn(2, 3, 4, 3), IS_VIEW)
