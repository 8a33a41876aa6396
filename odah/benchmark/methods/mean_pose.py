"""The method that every other has to beat: the mean pose of a training set, turned to the first camera."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from odah.benchmark.model_motion import motion_of
from odah.benchmark.recording import Motion, Recording
from odah.dataset.reader import Dataset
from odah.estimator.config import DataConfig
from odah.estimator.evaluation.mean_pose import MeanPose
from odah.estimator.evaluation.mean_pose import mean_pose as mean_pose_of
from odah.estimator.inputs.reference import camera_reference
from odah.estimator.skeleton import ANGLE_PLACES
from odah.motion.types import CoordinateTrajectory, Source
from odah.names import OPENSIM_COORDINATES
from odah.osim import full_body_model, scale_model, write_model
from odah.osim.storage import write_mot

_DATA = DataConfig(reference="camera")


@dataclass(frozen=True, eq=False)
class MeanPoseMethod:
    """The same angles and scales in every frame; only which way the first camera looks at the person counts.

    Where the person stands it takes from the truth: nothing else tells it.
    """

    name: str
    pose: MeanPose

    @classmethod
    def of(cls, name: str, dataset: Dataset, view: str) -> MeanPoseMethod:
        """From the split train of one of our datasets; view: its camera that stands for the first one.

        Raises:
            InputError: no such split; a damaged clip.
        """
        return cls(name, mean_pose_of(dataset.split("train"), _DATA, view))

    @property
    def facts(self) -> Mapping[str, Any]:
        """See `Method`."""
        return {
            "kind": "mean_pose", "angles": self.pose.angles.tolist(),
            "scales": self.pose.scales.flatten().tolist(),
        }  # fmt: skip

    def estimate(self, recording: Recording, views: Sequence[str], folder: Path) -> Motion:
        """See `Method`; writes model.osim and kinematics.mot."""
        camera = recording.views[views[0]].camera
        rotmats = camera_reference(
            _tensor(camera.T_cam_world)[None, None],
            _tensor(recording.T_world_ground)[None],
            _tensor(recording.truth.joints.mean(axis=1))[None],
        )
        coordinates = np.zeros((recording.num_frames, len(OPENSIM_COORDINATES)))
        angles = self.pose.prediction(rotmats, recording.num_frames).angles[0]
        coordinates[:, ANGLE_PLACES] = angles.double().numpy()
        scales = self.pose.scales.double().numpy()
        model = scale_model(full_body_model(), scales, name="mean_pose")
        write_model(model, folder / "model.osim")
        source = Source(recording.name, "odah benchmark")
        names = model.coordinate_names
        write_mot(
            folder / "kinematics.mot", CoordinateTrajectory(names, coordinates, recording.rate, source), model
        )
        times = np.arange(recording.num_frames) / recording.rate
        return motion_of(model, coordinates, times, folder / "model.osim", scales)


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.tensor(array, dtype=torch.float32)
