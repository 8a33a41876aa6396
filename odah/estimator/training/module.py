"""What the two stages of a training do with a batch: from pictures or kept features to losses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from odah.estimator.batch import FrameFeatures, Prediction, Targets
from odah.estimator.config import TrainConfig
from odah.estimator.inputs.prepare import Prepared, prepare
from odah.estimator.losses import losses
from odah.estimator.network.two_view import TwoViewNetwork
from odah.estimator.skeleton import Skeleton


@dataclass(frozen=True)
class Answer:
    """What a stage says to a batch. prepared: None for kept features."""

    prediction: Prediction
    targets: Targets
    prepared: Prepared | None = None


def precise_prepare(
    sample: Mapping[str, Any], config: TrainConfig, generator: torch.Generator, augment: bool
) -> Prepared:
    """`prepare` in float32, whatever precision the network has."""
    tensors = {name: value for name, value in sample.items() if isinstance(value, Tensor)}
    with torch.autocast(generator.device.type, enabled=False):
        return prepare(
            tensors,
            config.data,
            generator=generator,
            augmentation=config.augmentation if augment else None,
        )


class Stage(nn.Module):
    """What is trained; batches are of a `Mixture`. In training pictures are changed as the config says."""

    def __init__(self, network: TwoViewNetwork, config: TrainConfig) -> None:
        super().__init__()
        self.network, self.config, self.skeleton = network, config, Skeleton()

    def forward(self, batch: Mapping[str, Any], generator: torch.Generator) -> dict[str, Tensor]:
        """The weighted losses by name, and their `total`."""
        return self.losses(self.answer(batch, generator))

    def losses(self, answer: Answer) -> dict[str, Tensor]:
        """The same of an answer that is known."""
        return losses(answer.prediction, answer.targets, self.config.loss, self.skeleton)

    def answer(self, batch: Mapping[str, Any], generator: torch.Generator) -> Answer:
        """What the network says."""
        raise NotImplementedError

    def prepared(self, batch: Mapping[str, Any], generator: torch.Generator) -> tuple[Prepared, Targets]:
        """What the network sees, and what it should say."""
        prepared = precise_prepare(batch, self.config, generator, augment=self.training)
        assert prepared.targets is not None
        return prepared, prepared.targets


class FrameStage(Stage):
    """The first stage: a network without a temporal part learns from every frame for itself."""

    def answer(self, batch: Mapping[str, Any], generator: torch.Generator) -> Answer:
        prepared, targets = self.prepared(batch, generator)
        prediction = self.network.frame_prediction(self.network.features(prepared.pictures))
        return Answer(prediction, targets, prepared)


class TemporalStage(Stage):
    """The second stage: the temporal part learns from sequences; the pictures' network stays as it is."""

    def __init__(self, network: TwoViewNetwork, config: TrainConfig) -> None:
        super().__init__(network, config)
        for part in _frozen(network):
            part.requires_grad_(False)

    def train(self, mode: bool = True) -> TemporalStage:
        """What stays as it is stays in evaluation mode."""
        super().train(mode)
        for part in _frozen(self.network):
            part.eval()
        return self

    def answer(self, batch: Mapping[str, Any], generator: torch.Generator) -> Answer:
        """batch: of a `Mixture`, or of `KeptFeatures`."""
        if "vectors" in batch:
            kept, prepared = KeptBatch.of(batch), None
            features, targets = kept.features, kept.targets
        else:
            prepared, targets = self.prepared(batch, generator)
            with torch.no_grad():
                features = self.network.features(prepared.pictures)
        prediction = self.network.sequence_prediction(features, targets.is_frame)
        return Answer(prediction, targets, prepared)


def _frozen(network: TwoViewNetwork) -> tuple[nn.Module, ...]:
    return network.hourglass, network.point_features, network.encoder


@dataclass(frozen=True)
class KeptBatch:
    """Frames' features that were computed before, and what is true of their sequences."""

    features: FrameFeatures
    targets: Targets

    def tensors(self) -> dict[str, Tensor]:
        """By name, as they are kept."""
        found = {name: getattr(self.targets, name) for name in _TARGETS} | {"vectors": self.features.vectors}
        return found if self.features.located is None else {**found, "located": self.features.located}

    @staticmethod
    def of(tensors: Mapping[str, Tensor]) -> KeptBatch:
        """The inverse of `tensors`."""
        features = FrameFeatures(tensors["vectors"], tensors.get("located"))
        return KeptBatch(features, Targets(**{name: tensors[name] for name in _TARGETS}))


_TARGETS = ("angles", "scales", "keypoints", "pelvis", "is_frame")
