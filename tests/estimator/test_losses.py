"""Each loss against its formula written plainly, its gradients against finite differences."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from odah.estimator.batch import Prediction, Targets, Votes
from odah.estimator.config import LossConfig
from odah.estimator.losses import losses, vote_loss
from odah.estimator.skeleton import ANGLES, CONSTRAINED_ANGLES, FREE_ANGLES, KEYPOINTS, Skeleton
from odah.osim.full_body import full_body_model

NONE = LossConfig(angles=0, ranges=0, scales=0, keypoints=0)
EVERY = LossConfig(located=1, pelvis=1, errors=1, velocity=1)
IS_FRAME = torch.tensor([[True] * 3, [True, True, False]])
FREE = [ANGLES.index(name) for name in FREE_ANGLES]
CONSTRAINED = [ANGLES.index(name) for name in CONSTRAINED_ANGLES]
NAMES = [name for name in LossConfig.model_fields if name != "votes"]


@pytest.fixture(scope="module")
def skeleton() -> Skeleton:
    return Skeleton().double()


def some(*shape: int, seed: int, spread: float = 1.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return spread * torch.randn(*shape, generator=generator, dtype=torch.float64)


@pytest.fixture
def targets(skeleton: Skeleton) -> Targets:
    angles, scales = some(2, 3, 36, seed=1), 1 + some(2, 22, 3, seed=2, spread=0.1)
    return Targets(angles, scales, skeleton(angles, scales[:, None]), some(2, 3, 3, seed=3), IS_FRAME)


@pytest.fixture
def prediction() -> Prediction:
    return Prediction(
        angles=some(2, 3, 36, seed=4, spread=1.5),
        scales=1 + some(2, 3, 22, 3, seed=5, spread=0.2),
        pelvis=some(2, 3, 3, seed=6),
        errors=some(2, 3, 36, seed=7).exp(),
        located=some(2, 3, 44, 3, seed=8),
    )


def tensors(prediction: Prediction) -> dict[str, Tensor]:
    """All that it tells but votes, which have tests of their own."""
    return {name: value for name, value in vars(prediction).items() if isinstance(value, Tensor)}


def only(name: str, weight: float = 1.0) -> LossConfig:
    return NONE.model_copy(update={name: weight})


def frames() -> list[tuple[int, int]]:
    return [(b, t) for b in range(2) for t in range(3) if IS_FRAME[b, t]]


def expected(name: str, prediction: Prediction, targets: Targets, skeleton: Skeleton) -> float:
    """Frame by frame in numpy; Eq. 2-6 of the paper with means for its sums."""
    keypoints = skeleton(prediction.angles, prediction.scales)
    assert prediction.errors is not None
    values = []
    for b, t in frames():
        told, true = prediction.angles[b, t].numpy(), targets.angles[b, t].numpy()
        if name == "angles":
            free = [
                abs(np.cos(told[k]) - np.cos(true[k])) + abs(np.sin(told[k]) - np.sin(true[k])) for k in FREE
            ]
            values.append(np.mean(free) + np.mean(abs(told - true)[CONSTRAINED]))
        elif name == "ranges":
            beyond = []
            for k in CONSTRAINED:
                low, high = (
                    full_body_model().coordinates[full_body_model().coordinate_names.index(ANGLES[k])].range
                )
                bound = high if told[k] >= high else low if told[k] <= low else told[k]
                beyond.append(abs(np.cos(told[k]) - np.cos(bound)) + abs(np.sin(told[k]) - np.sin(bound)))
            values.append(np.mean(beyond))
        elif name == "scales":
            values.append(np.mean(abs(prediction.scales[b, t] - targets.scales[b]).numpy()))
        elif name == "keypoints":
            values.append(np.mean(abs(keypoints[b, t] - targets.keypoints[b, t]).numpy()))
        elif name == "located":
            true_points = targets.keypoints[b, t] + targets.pelvis[b, t]
            values.append(np.mean(abs(prediction.located[b, t] - true_points).numpy()))  # type: ignore[index]
        elif name == "pelvis":
            values.append(np.mean(abs(prediction.pelvis[b, t] - targets.pelvis[b, t]).numpy()))  # type: ignore[index]
        elif name == "errors":
            apart = told - true
            apart[FREE] = np.angle(np.exp(1j * apart[FREE]))
            spread = prediction.errors[b, t].numpy() + 1e-3
            density = np.exp(-abs(apart) / spread) / (2 * spread)
            values.append(-np.mean(np.log(density)))
        elif name == "velocity" and t:
            step = (keypoints - targets.keypoints)[b, t] - (keypoints - targets.keypoints)[b, t - 1]
            values.append(np.mean(abs(step.numpy())))
    return float(np.mean(values))


@pytest.mark.parametrize("name", NAMES)
def test_each_is_its_formula(name: str, prediction: Prediction, targets: Targets, skeleton: Skeleton) -> None:
    found = losses(prediction, targets, only(name), skeleton)
    assert float(found[name]) == pytest.approx(expected(name, prediction, targets, skeleton), rel=1e-7)
    assert set(found) == {name, "total"}


def test_weights_and_total(prediction: Prediction, targets: Targets, skeleton: Skeleton) -> None:
    plain, weighted = (
        losses(prediction, targets, EVERY, skeleton),
        losses(prediction, targets, EVERY.model_copy(update={"angles": 3.0, "pelvis": 0.0}), skeleton),
    )
    assert float(weighted["angles"]) == pytest.approx(3 * float(plain["angles"]))
    assert "pelvis" not in weighted
    terms = [float(value) for name, value in plain.items() if name != "total"]
    assert float(plain["total"]) == pytest.approx(sum(terms))
    lone = losses(prediction, targets, only("keypoints"), skeleton)["total"]
    assert float(plain["keypoints"]) == pytest.approx(100 * float(lone))


def test_a_perfect_prediction_within_ranges_costs_nothing_and_has_finite_gradients(
    skeleton: Skeleton,
) -> None:
    middle = skeleton.ranges.mean(dim=-1).expand(2, 3, 36).clone()
    scales = torch.ones(2, 22, 3, dtype=torch.float64)
    keypoints, pelvis = skeleton(middle, scales[:, None]), torch.zeros(2, 3, 3, dtype=torch.float64)
    targets = Targets(middle, scales, keypoints, pelvis, IS_FRAME)
    leaves = [
        tensor.clone().requires_grad_()
        for tensor in (middle, scales[:, None], pelvis, torch.zeros_like(middle), keypoints)
    ]
    found = losses(Prediction(*leaves), targets, EVERY, skeleton)
    costs = {name: value.item() for name, value in found.items() if name not in ("errors", "total")}
    assert costs == pytest.approx(dict.fromkeys(costs, 0.0), abs=1e-12)
    for gradient in torch.autograd.grad(found["total"], leaves):
        assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("once", [False, True], ids=["scales by frame", "scales once"])
def test_gradients(
    name: str, once: bool, prediction: Prediction, targets: Targets, skeleton: Skeleton
) -> None:
    scales = prediction.scales[:, :1] if once else prediction.scales
    told = {**tensors(prediction), "scales": scales}
    leaves = {key: value.detach().clone().requires_grad_() for key, value in told.items()}
    detached = {"errors": ("errors",)}.get(name, tuple(leaves))  # told errors do not train the angles

    def loss(*values: Tensor) -> Tensor:
        moved = {**told, **dict(zip(detached, values, strict=True))}
        return losses(Prediction(**moved), targets, only(name), skeleton)["total"]

    assert torch.autograd.gradcheck(loss, tuple(leaves[key] for key in detached), fast_mode=True)


def test_votes_are_the_cross_entropy_with_a_gaussian() -> None:
    """Point by point in numpy; the standard deviation is 6 cm."""
    true, points = some(2, 3, 4, 3, seed=1, spread=0.1), some(2, 3, 30, 3, seed=2, spread=0.1)
    log_weights = some(2, 3, 4, 30, seed=3).log_softmax(dim=-1)
    values = []
    for b, t in frames():
        for keypoint, told in zip(true[b, t].numpy(), log_weights[b, t].numpy(), strict=True):
            apart = np.sqrt(((points[b, t].numpy() - keypoint) ** 2).sum(axis=1))
            wanted = np.exp(-0.5 * (apart / 0.06) ** 2)
            values.append(-np.sum(wanted / wanted.sum() * told))
    found = vote_loss(Votes(points, log_weights), true, IS_FRAME)
    assert float(found) == pytest.approx(np.mean(values), rel=1e-9)
    points[1, 2], log_weights[1, 2] = torch.nan, torch.nan  # which only fills up
    assert float(vote_loss(Votes(points, log_weights), true, IS_FRAME)) == float(found)


def test_votes_far_from_the_origin_are_as_exact() -> None:
    shift = torch.tensor([30.0, -20.0, 10.0])
    true = some(1, 1, 30, 3, seed=1, spread=0.1).float()
    points = some(1, 1, 40, 3, seed=2, spread=0.1).float()
    log_weights = some(1, 1, 30, 40, seed=3).float().log_softmax(dim=-1)
    is_frame = torch.ones(1, 1, dtype=torch.bool)
    found = vote_loss(Votes(points + shift, log_weights), true + shift, is_frame)
    assert float(found) == pytest.approx(
        float(vote_loss(Votes(points, log_weights), true, is_frame)), rel=1e-4
    )


def test_gradients_of_votes(prediction: Prediction, targets: Targets, skeleton: Skeleton) -> None:
    points = some(2, 3, 5, 3, seed=2)
    told = some(2, 3, 44, 5, seed=3).requires_grad_()

    def loss(told: Tensor) -> Tensor:
        votes = Votes(points, told.log_softmax(dim=-1))
        return losses(replace(prediction, votes=votes), targets, only("votes"), skeleton)["total"]

    assert torch.autograd.gradcheck(loss, (told,), fast_mode=True)


def test_told_errors_train_only_themselves(
    prediction: Prediction, targets: Targets, skeleton: Skeleton
) -> None:
    angles = prediction.angles.requires_grad_()
    errors = prediction.errors.requires_grad_()  # type: ignore[union-attr]
    found = losses(replace(prediction, angles=angles, errors=errors), targets, only("errors"), skeleton)
    gradients = torch.autograd.grad(found["total"], (angles, errors), allow_unused=True)
    assert gradients[0] is None
    assert gradients[1] is not None


def test_frames_that_fill_up_do_not_count(
    prediction: Prediction, targets: Targets, skeleton: Skeleton
) -> None:
    found = losses(prediction, targets, EVERY, skeleton)
    changed = {name: value.clone() for name, value in tensors(prediction).items()}
    for value in changed.values():
        value[1, 2] = torch.nan
    again = losses(Prediction(**changed), targets, EVERY, skeleton)
    assert {k: float(v) for k, v in again.items()} == pytest.approx({k: float(v) for k, v in found.items()})
    nothing = replace(targets, is_frame=torch.zeros(2, 3, dtype=torch.bool))
    assert float(losses(prediction, nothing, EVERY, skeleton)["total"]) == 0


def test_single_frames_have_no_velocity(prediction: Prediction, targets: Targets, skeleton: Skeleton) -> None:
    one = Prediction(**{name: value[:, :1] for name, value in tensors(prediction).items()})
    true = replace(
        targets, **{k: getattr(targets, k)[:, :1] for k in ("angles", "keypoints", "pelvis", "is_frame")}
    )
    assert float(losses(one, true, only("velocity"), skeleton)["total"]) == 0


def test_what_is_not_told_is_not_judged(prediction: Prediction, targets: Targets, skeleton: Skeleton) -> None:
    bare = Prediction(prediction.angles, prediction.scales)
    assert set(losses(bare, targets, EVERY, skeleton)) == {
        "angles", "ranges", "scales", "keypoints", "velocity", "total",
    }  # fmt: skip


def test_autocast_does_not_coarsen_them(skeleton: Skeleton) -> None:
    single = Skeleton()
    angles, scales = some(1, 2, 36, seed=1).float(), torch.ones(1, 1, 22, 3)
    exact = single(angles, scales)
    targets = Targets(angles, scales[:, 0], exact, torch.zeros(1, 2, 3), torch.ones(1, 2, dtype=torch.bool))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = losses(Prediction(angles, scales), targets, only("keypoints"), single)["total"]
        coarse = losses(Prediction(angles.bfloat16(), scales), targets, only("keypoints"), single)["total"]
    assert float(found) == 0
    assert coarse.dtype == torch.float32
    assert len(KEYPOINTS) == exact.shape[-2]
