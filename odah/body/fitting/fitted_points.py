"""The points of a body that follow a skeleton and markers: which, how closely, and how freely placed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from odah.body.body_model import BodyModel
from odah.body.fitting.measured_markers import MarkerPlacement, MeasuredMarkers, marker_rows
from odah.body.fitting.skinned_points import SkinnedPoints
from odah.body.registration import Registration

JOINT_SIGMA, MARKER_SIGMA, SOFT_MARKER_SIGMA = 0.003, 0.006, 0.012
"""m; what a joint centre, a bony landmark and a marker on muscle may be off."""
_OFFSET_SHARE = 2.0
"""How far a marker may sit from its nominal place on a subject, in its own sigmas."""
_ROBUST_SCALE = 4.0
"""Sigmas from which a measured marker counts less: it slipped, or was taken for another."""
_BAND_SIGMA, _BAND_OFFSET_SIGMA = 0.009, 0.025
"""m; what a marker on the head may be off, as a neck of another length must not lift the trunk, and how far
from its nominal place, of which only the name tells."""
_BAND_ROBUST_SCALE = 8.0
"""The same on the head, whose start is told by its own markers alone: a neck bent otherwise is far off."""
_SOFT_MARKERS = ("TH1", "TH2", "TH3", "TB1", "TB2", "TB3", "UA1", "UA2", "UA3", "ASH", "PSH", "FAsuperior")


@dataclass(frozen=True, eq=False)
class FittedPoints:
    """Regressed joint centres, then markers: P points of one body.

    weights: (P, N) of its vertices. sigmas: (P,) m. robust_scales: (P,) in sigmas, infinite to trust it.
    offsets: (P, 3) from there in the T-pose, m; offset_sigmas: (P,) how free they are, m, 0 for not at all.
    """

    body: BodyModel
    joint_names: tuple[str, ...]
    marker_names: tuple[str, ...]
    weights: sparse.csr_matrix
    sigmas: Tensor
    robust_scales: Tensor
    offsets: Tensor
    offset_sigmas: Tensor

    @cached_property
    def fine(self) -> SkinnedPoints:
        """In double precision."""
        return SkinnedPoints(self.body, self.weights, torch.float64)

    @cached_property
    def fast(self) -> SkinnedPoints:
        """In single precision."""
        return SkinnedPoints(self.body, self.weights, torch.float32)


def registered_points(body: BodyModel, registration: Registration) -> FittedPoints:
    """The registration's joints and its layout's markers, on their nominal points of the skin."""
    layout = registration.layout
    soft = np.array([name.endswith(_SOFT_MARKERS) for name in layout.names])
    placement = MarkerPlacement(layout.names, layout.vertices, np.zeros((len(layout.names), 3)))
    return _points(body, registration, placement, layout.weights, soft, robust_scale=np.inf)


def measured_points(
    body: BodyModel, registration: Registration, placement: MarkerPlacement, measured: MeasuredMarkers
) -> FittedPoints:
    """The registration's joints and measured markers where they were placed."""
    worn = measured.chosen(placement.names)
    rows = marker_rows(placement, body.num_vertices)
    points = _points(body, registration, placement, rows, worn.is_soft, _ROBUST_SCALE)
    on_head = len(points.joint_names) + np.flatnonzero(worn.is_on_head)
    points.sigmas[on_head], points.offset_sigmas[on_head] = _BAND_SIGMA, _BAND_OFFSET_SIGMA
    points.robust_scales[on_head] = _BAND_ROBUST_SCALE
    return points


def _points(
    body: BodyModel,
    registration: Registration,
    placement: MarkerPlacement,
    marker_weights: sparse.csr_matrix,
    is_soft: np.ndarray,
    robust_scale: float,
) -> FittedPoints:
    regressor = registration.regressor
    joints, markers = len(regressor.joint_names), len(placement.names)

    def both(of_joints: float, of_markers: float | np.ndarray) -> Tensor:
        values = np.full(joints, of_joints), np.broadcast_to(of_markers, markers)
        return torch.from_numpy(np.concatenate(values))

    sigmas = np.where(is_soft, SOFT_MARKER_SIGMA, MARKER_SIGMA)
    return FittedPoints(
        body,
        regressor.joint_names,
        placement.names,
        sparse.csr_matrix(sparse.vstack([regressor.weights, marker_weights])),
        sigmas=both(JOINT_SIGMA, sigmas),
        robust_scales=both(np.inf, robust_scale),
        offsets=torch.from_numpy(np.concatenate([np.zeros((joints, 3)), placement.offsets])),
        offset_sigmas=both(0.0, _OFFSET_SHARE * sigmas),
    )
