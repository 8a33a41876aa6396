"""The predictor that every network has to beat: the means of the training's angles and scales."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from odah.dataset.reader import Clip, ClipLabels
from odah.errors import InputError
from odah.estimator.batch import Prediction
from odah.estimator.config import DataConfig
from odah.estimator.inputs.reference import (
    angles_in_ground,
    angles_in_reference,
    camera_reference,
    ground_reference,
)


@dataclass(frozen=True)
class MeanPose:
    """angles: rad, in ref. scales: of the bodies."""

    angles: Float[Tensor, " A"]
    scales: Float[Tensor, "K 3"]

    def prediction(self, rotmats: Float[Tensor, "1 3 3"], num_frames: int) -> Prediction:
        """Its answer about any sequence (B = 1), in ground; rotmats: ref to ground."""
        angles = angles_in_ground(self.angles.expand(1, num_frames, -1), rotmats)
        return Prediction(angles, self.scales[None, None])


def mean_pose(clips: Iterable[Clip], data: DataConfig, view: str) -> MeanPose:
    """Circular means of the angles and means of the scales over all frames of clips, from their labels alone.

    view: name of the first camera.

    Raises:
        InputError: no clips; a damaged one.
    """
    turns, scales, count = np.zeros(()), np.zeros(()), 0
    for clip in clips:
        labels = clip.labels
        angles = angles_in_reference(
            coordinates_of(labels), label_reference(labels, data, clip.views.index(view))
        )[0].double()
        turns = turns + torch.polar(torch.ones_like(angles), angles).sum(dim=0).numpy()
        scales = scales + len(labels.time) * labels.scale_factors.astype(np.float64)
        count += len(labels.time)
    if not count:
        raise InputError("mean pose", "no clips", "at least one of the split train")
    return MeanPose(_tensor(np.angle(turns)), _tensor(scales / count))


def label_reference(labels: ClipLabels, data: DataConfig, view: int) -> Float[Tensor, "1 3 3"]:
    """Ref to ground as `prepare` finds it, but from the true joints; view: number of the first camera."""
    centres = _tensor(labels.joints.mean(axis=1))[None]
    if data.reference == "ground":
        return ground_reference(centres)
    T_cam_world = _tensor(labels.T_cam_world[view])[None, None]
    return camera_reference(T_cam_world, _tensor(labels.T_world_ground)[None], centres)


def coordinates_of(labels: ClipLabels) -> Float[Tensor, "1 T C"]:
    """A clip's coordinates as a batch of one sequence."""
    return _tensor(labels.coordinates)[None]


def _tensor(array: np.ndarray) -> Tensor:
    return torch.tensor(array, dtype=torch.float32)
