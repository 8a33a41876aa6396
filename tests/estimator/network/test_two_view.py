"""The whole network against the one written plainly; who knows of whom; gradients; half precision."""

from dataclasses import replace

import pytest
import torch
from estimator.small_networks import DATA, FLATTEN, LOCATED, network, pictures
from plain_estimator import PlainNetwork, PlainSkeleton
from torch import Tensor

from odah.errors import OdahError
from odah.estimator.batch import Prediction
from odah.estimator.config import DataConfig, NetworkConfig
from odah.estimator.network.two_view import TwoViewNetwork
from odah.estimator.skeleton import Skeleton

BOTH = pytest.mark.parametrize("config", [FLATTEN, LOCATED], ids=["flatten", "located"])
EXACT = DATA.model_copy(update={"pixels": "exact"})


def told(prediction: Prediction) -> dict[str, Tensor]:
    return {name: value for name, value in vars(prediction).items() if isinstance(value, Tensor)}


def assert_same(prediction: Prediction, expected: Prediction, tolerance: float = 1e-4) -> None:
    assert told(prediction).keys() == told(expected).keys()
    for name, value in told(expected).items():
        torch.testing.assert_close(
            told(prediction)[name],
            value,
            atol=tolerance,
            rtol=tolerance,
            msg=lambda m, name=name: f"{name}: {m}",
        )


@BOTH
@pytest.mark.parametrize("data", [DATA, EXACT], ids=["rounded", "exact"])
def test_tells_what_the_plain_network_tells(config: NetworkConfig, data: DataConfig) -> None:
    ours = network(config, data)
    plain, seen = PlainNetwork(ours, data), pictures(data=data)
    seen = replace(seen, is_view=torch.tensor([[True, True], [True, False]]))
    features = ours.features(seen)
    assert_same(ours.frame_prediction(features), plain(seen))
    expected = plain.sequence(*plain.features(seen))
    assert_same(ours.sequence_prediction(features), expected)
    assert_same(ours(seen), expected)


def test_plain_skeleton_has_the_same_keypoints() -> None:
    torch.manual_seed(0)
    angles, scales = torch.randn(2, 3, 36), 1 + 0.1 * torch.randn(2, 1, 22, 3)
    torch.testing.assert_close(
        PlainSkeleton()(angles, scales), Skeleton()(angles, scales), atol=1e-5, rtol=1e-5
    )


@BOTH
def test_shapes(config: NetworkConfig) -> None:
    made = network(config)
    features = made.features(pictures())
    prediction = made.frame_prediction(features)
    assert prediction.scales.shape == (2, 8, 22, 3)
    assert made.sequence_prediction(features).scales.shape == (2, 1, 22, 3)
    assert (prediction.located is None) == (config is FLATTEN)


@BOTH
def test_every_parameter_learns(config: NetworkConfig) -> None:
    made = network(config)
    sum(value.square().sum() for value in told(made(pictures())).values()).backward()
    without = [
        name
        for name, p in made.named_parameters()
        if p.grad is None or not p.grad.any() or p.grad.isnan().any()
    ]
    assert not without


@BOTH
def test_frames_are_for_themselves_before_the_temporal_part(config: NetworkConfig) -> None:
    made, seen = network(config), pictures()
    one = replace(
        seen, images=seen.images[:, :, 3:4], pixels=seen.pixels[:, :, 3:4], points=seen.points[:, 3:4]
    )
    whole, alone = made.features(seen), made.features(one)
    free_of_turns = slice(3, None)  # the pelvis' angles run on without jumps
    torch.testing.assert_close(
        whole.vectors[:, 3:4, free_of_turns], alone.vectors[..., free_of_turns], atol=1e-4, rtol=1e-4
    )


@BOTH
def test_a_withheld_view_does_not_count(config: NetworkConfig) -> None:
    made, seen = network(config), pictures()
    seen = replace(seen, is_view=torch.tensor([[True, False], [False, True]]))
    others = pictures(seed=1)
    images, pixels = seen.images.clone(), seen.pixels.clone()
    for batch, view in ((0, 1), (1, 0)):
        images[batch, view], pixels[batch, view] = others.images[batch, view], others.pixels[batch, view]
    assert_same(made(replace(seen, images=images, pixels=pixels)), made(seen))


@BOTH
def test_swapped_views_are_seen_alike(config: NetworkConfig) -> None:
    """The pictures' network is the same for both: swapped pictures, swapped features."""
    made, seen = network(config), pictures()

    def point_features(images: Tensor, pixels: Tensor) -> Tensor:
        maps = made.hourglass(images.flatten(0, 2))
        return made.point_features(maps, made.hourglass.outputs, pixels, seen.is_view)

    first, second = point_features(seen.images, seen.pixels).chunk(2, dim=-1)
    swapped = point_features(seen.images.flip(1), seen.pixels.flip(1))
    torch.testing.assert_close(swapped, torch.cat([second, first], dim=-1), atol=1e-4, rtol=1e-4)


@BOTH
def test_half_precision_tells_nearly_the_same(config: NetworkConfig) -> None:
    made, seen = network(config), pictures(length=1)
    expected = made.frame_prediction(made.features(seen))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        prediction = made.frame_prediction(made.features(seen))
    sum(value.sum() for value in told(prediction).values()).backward()
    for name, value in told(prediction).items():
        assert value.dtype == torch.float32
        apart = (value - told(expected)[name]).abs().mean()
        assert apart < 0.1 * told(expected)[name].abs().mean(), name
    assert all(p.grad is None or p.grad.isfinite().all() for p in made.parameters())


@BOTH
def test_weights_are_named_and_taken_strictly(config: NetworkConfig) -> None:
    made, seen = network(config), pictures(batch=1)
    other = TwoViewNetwork(config, DATA)
    other.load_state_dict(made.state_dict())
    assert_same(other(seen), made(seen))
    state = made.state_dict()
    state.pop(next(iter(state)))
    with pytest.raises(RuntimeError, match="Missing key"):
        other.load_state_dict(state)


@BOTH
def test_the_same_in_inference_and_in_training(config: NetworkConfig) -> None:
    made, seen = network(config), pictures(batch=1)
    with torch.inference_mode():
        answer = made(seen)
    assert_same(made(seen), answer)  # nothing that inference left behind disturbs training


def test_filled_up_frames_do_not_count_for_the_scales() -> None:
    made = network(LOCATED)
    torch.nn.init.normal_(made.scales.trust.weight)
    seen = pictures(batch=1)
    is_frame = torch.tensor([[True] * 5 + [False] * 3])
    assert not torch.allclose(made(seen, is_frame).scales, made(seen).scales)


def test_frames_only() -> None:
    made = network(FLATTEN.model_copy(update={"temporal": None}))
    prediction = made(pictures(length=3))
    assert prediction.scales.shape == (2, 3, 22, 3)
    with pytest.raises(OdahError, match="no temporal part"):
        made.sequence_prediction(made.features(pictures(length=3)))


@pytest.mark.parametrize("limit", [1, 8, 13])
def test_frames_may_be_seen_in_parts_without_gradients(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made, seen = network(LOCATED), pictures(length=5)
    whole = made.features(seen)
    sizes: list[int] = []
    made.hourglass.register_forward_pre_hook(lambda _, given: sizes.append(len(given[0])))
    monkeypatch.setattr("odah.estimator.network.two_view._PICTURES_AT_ONCE", limit)
    with torch.no_grad():
        parts = made.features(seen)
    assert sizes == {1: [4] * 5, 8: [8, 8, 4], 13: [12, 8]}[limit]  # of two sequences in two views
    torch.testing.assert_close(parts.vectors, whole.vectors, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(parts.located, whole.located, atol=1e-5, rtol=1e-5)
