"""The estimated motion in ground: from the answers about windows to coordinates at any time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.interpolate import PchipInterpolator
from torch import Tensor

from odah.estimator.batch import Prediction, Reference
from odah.estimator.inputs.reference import angles_in_ground, pelvis_angles, pelvis_rotmats
from odah.estimator.skeleton import ANGLE_PLACES, Skeleton
from odah.estimator.windows import mean_rotmats
from odah.names import OPENSIM_COORDINATES, ROOT_TRANSLATIONS

_ROOT_PLACES = [OPENSIM_COORDINATES.index(name) for name in ROOT_TRANSLATIONS]


def in_ground(prediction: Prediction, reference: Reference, skeleton: Skeleton) -> Prediction:
    """The same answers told in ground; `pelvis` is its place there, m.

    Where a network does not tell the pelvis' place, the mean of the skeleton's keypoints is put where the
    points vote that it is or, without votes, at the mean of the points.
    """
    pelvis = prediction.pelvis
    if pelvis is None:
        keypoints = skeleton(prediction.angles, prediction.scales)
        pelvis = -keypoints.mean(dim=-2)
        if prediction.located is not None:
            pelvis = pelvis + prediction.located.mean(dim=-2)
    turned = torch.einsum("bij,btj->bti", reference.rotmats, pelvis)
    return Prediction(
        angles=angles_in_ground(prediction.angles, reference.rotmats),
        scales=prediction.scales,
        pelvis=reference.centres + turned,
        errors=prediction.errors,
    )


@dataclass(frozen=True, eq=False)
class EstimatedMotion:
    """What is known at the frames that the network saw.

    times: s. angles: rad, of `skeleton.ANGLES`, in ground. pelvis: m, ground. errors: expected, rad. is_seen:
    by view. scale_factors: against the generic model.
    """

    times: Float[np.ndarray, " F"]
    angles: Float[np.ndarray, "F A"]
    pelvis: Float[np.ndarray, "F 3"]
    errors: Float[np.ndarray, "F A"] | None
    is_seen: Bool[np.ndarray, "V F"]
    scale_factors: Float[np.ndarray, "K 3"]

    @classmethod
    def of(cls, prediction: Prediction, times: np.ndarray, is_seen: np.ndarray) -> EstimatedMotion:
        """From one answer (B = 1) in ground about the whole sequence."""
        assert prediction.pelvis is not None
        return cls(
            times=times,
            angles=_array(prediction.angles[0]),
            pelvis=_array(prediction.pelvis[0]),
            errors=None if prediction.errors is None else _array(prediction.errors[0]),
            is_seen=is_seen,
            scale_factors=_array(prediction.scales[0].mean(dim=0)),
        )

    def coordinates_at(self, times: Float[np.ndarray, " T"]) -> Float[np.ndarray, "T C"]:
        """Coordinates, rad and m, in ground; knee betas are as the network told them.

        Between frames with a person they are interpolated: the pelvis' turn as a rotation, other angles
        without jumps of a full turn; before the first and after the last one they are held.
        """
        coordinates = np.zeros((len(times), len(OPENSIM_COORDINATES)))
        coordinates[:, ANGLE_PLACES] = self._between(np.unwrap(self._known(self.angles), axis=0), times)
        rotmats = pelvis_rotmats(torch.from_numpy(self._known(self.angles)[:, :3]))
        between = torch.from_numpy(self._between(rotmats.numpy(), times))
        coordinates[:, :3] = np.unwrap(pelvis_angles(mean_rotmats(between)).numpy(), axis=0)
        coordinates[:, _ROOT_PLACES] = self._between(self._known(self.pelvis), times)
        return coordinates

    def errors_at(self, times: Float[np.ndarray, " T"]) -> Float[np.ndarray, "T A"] | None:
        """Expected errors, rad; NaN where nobody was seen."""
        if self.errors is None:
            return None
        errors = self._between(self._known(self.errors), times)
        errors[~self.seen_at(times).any(axis=0)] = np.nan
        return errors

    def seen_at(self, times: Float[np.ndarray, " T"]) -> Bool[np.ndarray, "V T"]:
        """By view, whether the person was found in the frame that is nearest."""
        middles = (self.times[1:] + self.times[:-1]) / 2
        return self.is_seen[:, np.searchsorted(middles, times)]

    def _known(self, values: np.ndarray) -> np.ndarray:
        return values[self.is_seen.any(axis=0)]

    def _between(self, values: np.ndarray, times: np.ndarray) -> np.ndarray:
        knots = self._known(self.times)
        if len(knots) == 1:
            return np.repeat(values, len(times), axis=0)
        return PchipInterpolator(knots, values)(np.clip(times, knots[0], knots[-1]))


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().double().numpy()
