"""The losses of the ODAH paper (section 3.3, Eq. 1-6) and those of what our network tells beside.

Each is a mean over frames, angles, axes and keypoints, as in the training that the paper's weights come
from. The paper's formulas are the same but for constant factors: Eq. 2-4 sum over the angles of a frame (9
free, 27 constrained), Eq. 5 and 6 over three axes. With their sums, 100 would not weigh keypoints as it did.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from odah.estimator.batch import Prediction, Targets, Votes
from odah.estimator.config import LossConfig
from odah.estimator.precision import at_least_float32
from odah.estimator.skeleton import Skeleton

_LEAST_ERROR = 1e-3
"""rad; added to the told errors, so that a frame that happens to be exact rewards no boundless confidence."""

_VOTING_REACH = 0.06
"""m; standard deviation of the Gaussian about a keypoint whose points should speak for it."""

Losses = dict[str, Tensor]
"""Scalars by the name of their weight in `LossConfig`, weighted, and `total`."""


def losses(prediction: Prediction, targets: Targets, config: LossConfig, skeleton: Skeleton) -> Losses:
    """Every loss that has a weight and that the prediction tells something for; in float32 at least.

    Frames that only fill up (`is_frame` false) do not count. Without any other frame all is 0.
    """
    with torch.autocast(targets.angles.device.type, enabled=False):
        terms = _terms(_precise(prediction), targets, config, skeleton)
    weighted = {name: getattr(config, name) * term for name, term in terms.items()}
    return {**weighted, "total": torch.stack(list(weighted.values())).sum()}


def _terms(prediction: Prediction, targets: Targets, config: LossConfig, skeleton: Skeleton) -> Losses:
    """The losses by name, not weighted."""
    is_frame = targets.is_frame
    terms: Losses = {}
    if config.angles:
        terms["angles"] = angle_loss(prediction.angles, targets.angles, is_frame, skeleton)
    if config.ranges:
        terms["ranges"] = range_loss(prediction.angles, is_frame, skeleton)
    if config.scales:
        terms["scales"] = scale_loss(prediction.scales, targets.scales, is_frame)
    if config.keypoints or config.velocity:
        keypoints = skeleton(prediction.angles, prediction.scales)
        if config.keypoints:
            terms["keypoints"] = masked_mean((keypoints - targets.keypoints).abs(), is_frame)
        if config.velocity:
            terms["velocity"] = velocity_loss(keypoints, targets.keypoints, is_frame)
    places = targets.keypoints + targets.pelvis[..., None, :]
    if config.located and prediction.located is not None:
        terms["located"] = masked_mean((prediction.located - places).abs(), is_frame)
    if config.votes and prediction.votes is not None:
        terms["votes"] = vote_loss(prediction.votes, places, is_frame)
    if config.pelvis and prediction.pelvis is not None:
        terms["pelvis"] = masked_mean((prediction.pelvis - targets.pelvis).abs(), is_frame)
    if config.errors and prediction.errors is not None:
        apart = skeleton.angle_differences(prediction.angles, targets.angles).abs()
        terms["errors"] = told_error_loss(prediction.errors, apart, is_frame)
    return terms


def angle_loss(
    predicted: Float[Tensor, "B T A"],
    true: Float[Tensor, "B T A"],
    is_frame: Bool[Tensor, "B T"],
    skeleton: Skeleton,
) -> Float[Tensor, ""]:
    """L_angle: free angles on the unit circle (Eq. 2), plus constrained ones as they are (Eq. 3), rad."""
    free, constrained = skeleton.free, skeleton.constrained
    on_circle = _on_circle_distance(predicted[..., free], true[..., free])
    as_told = (predicted[..., constrained] - true[..., constrained]).abs()
    return masked_mean(on_circle, is_frame) + masked_mean(as_told, is_frame)


def range_loss(
    predicted: Float[Tensor, "B T A"], is_frame: Bool[Tensor, "B T"], skeleton: Skeleton
) -> Float[Tensor, ""]:
    """L_bio (Eq. 4): how far constrained angles are beyond the model's ranges, on the unit circle."""
    angles = predicted[..., skeleton.constrained]
    low, high = skeleton.ranges[skeleton.constrained].unbind(-1)
    bounded = torch.minimum(torch.maximum(angles.detach(), low), high)
    return masked_mean(_on_circle_distance(angles, bounded), is_frame)


def scale_loss(
    predicted: Float[Tensor, "B Ts K 3"], true: Float[Tensor, "B K 3"], is_frame: Bool[Tensor, "B T"]
) -> Float[Tensor, ""]:
    """L_scale (Eq. 5): of each frame's scales, or of those told once for all frames."""
    apart = (predicted - true[:, None]).abs()
    return masked_mean(apart, is_frame if apart.shape[1] > 1 else is_frame.any(dim=1, keepdim=True))


def velocity_loss(
    keypoints: Float[Tensor, "B T P 3"], true: Float[Tensor, "B T P 3"], is_frame: Bool[Tensor, "B T"]
) -> Float[Tensor, ""]:
    """How far the keypoints' ways from frame to frame are from the true ones, m."""
    apart = (keypoints - true).diff(dim=1).abs()
    return masked_mean(apart, is_frame[:, 1:] & is_frame[:, :-1])


def vote_loss(
    votes: Votes, true: Float[Tensor, "B T P 3"], is_frame: Bool[Tensor, "B T"]
) -> Float[Tensor, ""]:
    """Cross entropy of the points' weights and those of a Gaussian about each true keypoint.

    A mean of places says little of which points should have spoken; this says it point by point.
    """
    # Out of squares and products, which is quicker, float32 tells the distances to centimetres only.
    apart = torch.cdist(true, votes.points, compute_mode="donot_use_mm_for_euclid_dist")
    wanted = (-0.5 * (apart / _VOTING_REACH) ** 2).softmax(dim=-1)
    return masked_mean(-(wanted * votes.log_weights).sum(dim=-1), is_frame)


def told_error_loss(
    told: Float[Tensor, "B T A"], apart: Float[Tensor, "B T A"], is_frame: Bool[Tensor, "B T"]
) -> Float[Tensor, ""]:
    """Negative log likelihood of the angles' errors: Laplace distributions of the told mean absolute errors.

    It trains what is told and not the angles: these keep the balance of the other losses.
    """
    spread = told + _LEAST_ERROR
    return masked_mean(torch.log(2 * spread) + apart.detach() / spread, is_frame)


def masked_mean(values: Float[Tensor, "B T *C"], is_frame: Bool[Tensor, "B T"]) -> Float[Tensor, ""]:
    """Mean over the frames that count and all that is told of them; 0 if there are none."""
    weights = is_frame.reshape(*is_frame.shape, *(1,) * (values.ndim - 2))
    total = torch.where(weights, values, torch.zeros_like(values)).sum()
    return total / (is_frame.sum() * values[0, 0].numel()).clamp(min=1) if values.numel() else values.sum()


def _on_circle_distance(angles: Tensor, others: Tensor) -> Tensor:
    return (angles.cos() - others.cos()).abs() + (angles.sin() - others.sin()).abs()


def _precise(prediction: Prediction) -> Prediction:
    """The prediction without halved precision, in which a chain of bones is told to centimetres only."""
    told: dict[str, Any] = {field.name: getattr(prediction, field.name) for field in fields(prediction)}
    wide = {name: at_least_float32(value) for name, value in told.items() if isinstance(value, Tensor)}
    return replace(prediction, **wide)
