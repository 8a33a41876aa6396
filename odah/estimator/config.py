"""Configuration of a training, from the network to its two stages: one YAML file, read-only afterwards."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from odah.errors import InputError
from odah.sections import NonNegative, Positive, Section, Share

Count = Annotated[int, Field(ge=1)]
_Decay = Annotated[float, Field(ge=0, lt=1)]


class HourglassConfig(Section):
    """A stack of hourglasses (Newell et al. 2016) over each picture.

    stem_stride: of the pictures against the feature map; 2 as in the ODAH paper, 4 for small machines.
    depth: halvings inside one hourglass. head_channels: what each stack gives to a point.
    checkpoint_stacks: compute each stack again in the backward pass instead of keeping what is inside.
    """

    stacks: Count = 4
    depth: Annotated[int, Field(ge=0)] = 2
    channels: Annotated[int, Field(ge=8, multiple_of=8)] = 256
    head_channels: Count = 128
    stem_stride: Literal[2, 4] = 2
    checkpoint_stacks: bool = False


class FlattenEncoderConfig(Section):
    """The paper's: all points one after another, in the order they were drawn in."""

    kind: Literal["flatten"] = "flatten"
    point_widths: tuple[Count, ...] = (512, 512, 32)
    frame_widths: tuple[Count, ...] = (128, 128)


class LocatedEncoderConfig(Section):
    """Points vote where the keypoints are; their order does not count.

    width: of the points' features. frame_widths: hidden layers from located keypoints and pooled features to
    angles.
    """

    kind: Literal["located"] = "located"
    width: Count = 64
    frame_widths: tuple[Count, ...] = (256, 256)


class TemporalConfig(Section):
    """The transformer U-Net over time (section 3.2.2); channels, heads and blocks by level.

    factors: of the downsamplings between levels. scales: "chunk", one weighted sum over the frames as in the
    paper's code, or "mean", weighted by how sure each frame is.
    """

    channels: tuple[Count, ...] = (48, 96, 384)
    heads: tuple[Count, ...] = (1, 2, 4)
    blocks: tuple[Count, ...] = (2, 4, 6)
    factors: tuple[Count, ...] = (2, 4)
    expansion: Positive = 2.66
    scales: Literal["chunk", "mean"] = "chunk"

    @model_validator(mode="after")
    def _levels(self) -> TemporalConfig:
        count = len(self.channels)
        if not len(self.heads) == len(self.blocks) == len(self.factors) + 1 == count:
            raise ValueError("channels, heads and blocks for each level, and a factor between two levels")
        for level, factor in enumerate(self.factors):
            if self.channels[level + 1] != self.channels[level] * factor:
                raise ValueError(f"channels that grow by the factors {list(self.factors)}")
        if any(channels % heads for channels, heads in zip(self.channels, self.heads, strict=True)):
            raise ValueError("channels that the heads divide")
        return self


class NetworkConfig(Section):
    """tells_pelvis: whether the pelvis' place is told, too; tells_errors: whether each angle comes with its
    expected error."""

    hourglass: HourglassConfig = HourglassConfig()
    encoder: Annotated[FlattenEncoderConfig | LocatedEncoderConfig, Field(discriminator="kind")] = (
        FlattenEncoderConfig()
    )
    temporal: TemporalConfig | None = TemporalConfig()
    """None: every frame for itself."""
    tells_pelvis: bool = False
    tells_errors: bool = False


class DataConfig(Section):
    """What the network gets to see of a dataset or of two videos.

    size: of the pictures, px. points: drawn in each frame inside both masks. step: between candidates along a
    ray, m. length: frames of a sequence. rate: frames/s that sequences are resampled to; None: as they are.
    reference: the axes `ref`: "ground", or "camera", turned about the vertical so that x points to the first
    camera. pixels: "rounded" down to whole pixels as in the paper's code, or "exact". recrop: cut the square
    tight round the mask anew (for datasets of crops and for augmentation).
    """

    size: Annotated[int, Field(ge=32, multiple_of=8)] = 256
    points: Count = 500
    step: Positive = 0.05
    length: Count = 64
    rate: Positive | None = None
    reference: Literal["ground", "camera"] = "ground"
    pixels: Literal["rounded", "exact"] = "rounded"
    recrop: bool = False


class AugmentationConfig(Section):
    """How training pictures are changed; each is a largest deviation or a chance, none by default.

    shift, zoom: of the square, in shares of its side. roll_deg: of the picture. brightness, contrast,
    saturation: relative. blur: chance of a blurred or coarsened picture. noise: of pixels, standard deviation
    in shares of white. occlusion: chance that a box of the picture is hidden. mask: chance that the mask is
    eroded, dilated or bitten. camera_deg, camera_px: errors of a camera's pose and principal point.
    view_dropout: chance that one view is withheld. mirror: chance that the sequence is mirrored, left for
    right. any_pair: any two of a dataset's views in any order, instead of its first two.
    """

    shift: Share = 0.0
    zoom: Share = 0.0
    roll_deg: NonNegative = 0.0
    brightness: Share = 0.0
    contrast: Share = 0.0
    saturation: Share = 0.0
    blur: Share = 0.0
    noise: Share = 0.0
    occlusion: Share = 0.0
    mask: Share = 0.0
    camera_deg: NonNegative = 0.0
    camera_px: NonNegative = 0.0
    view_dropout: Share = 0.0
    mirror: Share = 0.0
    any_pair: bool = False


class LossConfig(Section):
    """Weights (section 4.2). located: keypoints where points vote for them; votes: which points do; errors:
    of the told errors; pelvis: of its place; velocity: of the keypoints' ways from frame to frame, m. What a
    network does not tell does not count."""

    angles: NonNegative = 1.0
    ranges: NonNegative = 1.0
    scales: NonNegative = 1.0
    keypoints: NonNegative = 100.0
    located: NonNegative = 0.0
    votes: NonNegative = 0.0
    pelvis: NonNegative = 0.0
    errors: NonNegative = 0.0
    velocity: NonNegative = 0.0


class StageConfig(Section):
    """One of the two stages of a training.

    batch: frames in the first stage, sequences in the second, on each device. accumulate: batches a step of
    the optimizer. betas: of Adam. schedule: of the learning rate over all epochs. clip_norm: largest norm of
    a step's gradient; None: any. feature_draws: second stage; times the frames' features are drawn and kept,
    so that the frozen pictures' network runs no more and an epoch is all draws; 0: it runs in each step.
    patience: epochs without a better validation loss before the stage ends; None: never.
    """

    epochs: Count = 14
    batch: Count = 8
    accumulate: Count = 1
    learning_rate: Positive = 5e-5
    betas: tuple[_Decay, _Decay] = (0.5, 0.999)
    weight_decay: NonNegative = 0.0
    schedule: Literal["constant", "cosine"] = "constant"
    clip_norm: Positive | None = None
    feature_draws: Annotated[int, Field(ge=0)] = 0
    patience: Count | None = None


class TrainConfig(Section):
    """A training, whole. The defaults are the ODAH paper's (sections 3 and 4.2)."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")]
    seed: Annotated[int, Field(ge=0)] = 0
    network: NetworkConfig = NetworkConfig()
    data: DataConfig = DataConfig()
    augmentation: AugmentationConfig = AugmentationConfig()
    loss: LossConfig = LossConfig()
    frame: StageConfig = StageConfig(epochs=14, batch=8)
    temporal: StageConfig = StageConfig(epochs=5, batch=2)
    precision: Literal["32", "bf16"] = "32"
    workers: Annotated[int, Field(ge=0)] = 2
    """Processes that read data."""

    @model_validator(mode="after")
    def _something_is_learned(self) -> TrainConfig:
        loss = self.loss
        if not any((loss.angles, loss.ranges, loss.scales, loss.keypoints, loss.velocity)):
            expected = "one of angles, ranges, scales, keypoints and velocity above 0"
            raise InputError("loss", "0 for all that trains the angles and scales", expected)
        if isinstance(self.network.encoder, LocatedEncoderConfig) and not loss.located:
            expected = "more, for the encoder located learns the keypoints by it alone"
            raise InputError("loss.located", "0", expected)
        if self.frame.feature_draws:
            expected = "0, for features are kept in the second stage only"
            raise InputError("frame.feature_draws", f"{self.frame.feature_draws}", expected)
        return self
