"""What goes into the network, what it should answer, and what it answers.

Letters: B sequences, T frames, V views, S pixels of a square's side, N points, D features, A joint angles
(36), K bodies (22), P keypoints (44).

Frame `ref`: Y up as in ground, turned about the vertical so that it does not depend on where the world's axes
point (or ground itself, as in the paper). All angles of the pelvis and all positions are told in it.
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

NUM_VIEWS = 2
"""V, as the network sees it: a view that is not there is withheld."""


@dataclass(frozen=True)
class Pictures:
    """What the network sees.

    images: RGB, ImageNet-normalised, zero where the person is not. pixels: the points in each picture, px,
    pixel centres on whole numbers. points: about their mean, in ref, m. is_view: false where a view is
    withheld; its pictures are zero.
    """

    images: Float[Tensor, "B V T 3 S S"]
    pixels: Float[Tensor, "B V T N 2"]
    points: Float[Tensor, "B T N 3"]
    is_view: Bool[Tensor, "B V"]


@dataclass(frozen=True)
class Targets:
    """What is true. angles: rad, in the order of `skeleton.ANGLES`. keypoints: from the pelvis, in ref, m.
    pelvis: its origin from the mean of the points, in ref, m. is_frame: false where a short clip was filled
    up.
    """

    angles: Float[Tensor, "B T A"]
    scales: Float[Tensor, "B K 3"]
    keypoints: Float[Tensor, "B T P 3"]
    pelvis: Float[Tensor, "B T 3"]
    is_frame: Bool[Tensor, "B T"]


@dataclass(frozen=True)
class Reference:
    """Where ref is. rotmats: ref to ground. centres: means of the points, in ground, m."""

    rotmats: Float[Tensor, "B 3 3"]
    centres: Float[Tensor, "B T 3"]


@dataclass(frozen=True)
class Votes:
    """Which points speak for which keypoints. points: as the network got them. log_weights: logarithms of the
    weights of all points for each keypoint, which sum to one.
    """

    points: Float[Tensor, "B T N 3"]
    log_weights: Float[Tensor, "B T P N"]


@dataclass(frozen=True)
class FrameFeatures:
    """A vector for each frame, laid out as `odah.estimator.network.outputs` says.

    located: keypoints from the mean of the points, in ref, m, where an encoder tells them.
    """

    vectors: Float[Tensor, "B T D"]
    located: Float[Tensor, "B T P 3"] | None = None
    votes: Votes | None = None


@dataclass(frozen=True)
class Prediction:
    """What the network answers, in the units and frames of `Targets`.

    scales: a set for each frame (Ts is T), or one for all (Ts is 1). pelvis: None if the network does not
    tell. errors: expected absolute errors of the angles, rad. located: keypoints from the mean of the points,
    as the points vote for them, in ref, m.
    """

    angles: Float[Tensor, "B T A"]
    scales: Float[Tensor, "B Ts K 3"]
    pelvis: Float[Tensor, "B T 3"] | None = None
    errors: Float[Tensor, "B T A"] | None = None
    located: Float[Tensor, "B T P 3"] | None = None
    votes: Votes | None = None
