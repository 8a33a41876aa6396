"""From 3D keypoints to a scaled model and its coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from odah.benchmark.methods.multi_step.determination import coordinate_deviations, coordinate_priors
from odah.benchmark.methods.multi_step.keypoint_sets import KeypointSet
from odah.benchmark.methods.multi_step.settings import MultiStepSettings
from odah.motion.types import MarkerTrajectories
from odah.osim.full_body import full_body_model
from odah.osim.ik import CoordinateTask, InverseKinematics, inverse_kinematics
from odah.osim.model import Model
from odah.osim.scale import scale_model
from odah.osim.scaling.subject_fit import fit_subject
from odah.osim.scaling.subject_priors import SubjectPriors
from odah.osim.tree import coupler_stages


@dataclass(frozen=True, eq=False)
class SolvedSkeleton:
    """model: scaled, the keypoints its markers. scale_factors: against the generic one. coordinates: rad, m.
    deviations: of the coordinates, see `coordinate_deviations`; 0 for coupled ones.
    """

    model: Model
    scale_factors: Float[np.ndarray, "K 3"]
    coordinates: Float[np.ndarray, "T C"]
    deviations: Float[np.ndarray, " C"]
    solution: InverseKinematics
    notes: tuple[str, ...]

    def undetermined(self, within_deg: float) -> dict[str, float]:
        """Coordinates that the keypoints do not tell to that many degrees, or m as a share of a radian's; by
        name their standard deviation, deg or m."""
        rad = np.deg2rad(within_deg)
        return {
            c.name: float(deviation if c.motion_type == "translational" else np.rad2deg(deviation))
            for c, deviation in zip(self.model.coordinates, self.deviations, strict=True)
            if deviation > rad
        }


def solve_skeleton(
    trial: MarkerTrajectories,
    points: KeypointSet,
    place_deviation: float,
    settings: MultiStepSettings,
    mass: float | None = None,
) -> SolvedSkeleton:
    """Fit the generic model's bones to the trial, then its coordinates to every frame.

    Both are the most probable ones for normally distributed errors (`SubjectPriors`): coordinates that a
    frame hardly tells, such as the turn of a thigh above a straight knee, are drawn to the neutral pose.

    Raises:
        OdahError: the trial does not show enough keypoints.
    """
    priors = SubjectPriors(
        segment=settings.segment_deviation,
        axis=settings.axis_deviation,
        marker=place_deviation,
        noise=settings.keypoint_noise,
    )
    weights = {name: weight for name, weight in points.weights.items() if weight > 0}
    generic = full_body_model().with_markers(points.markers)
    fit = fit_subject(generic, [trial], weights, priors, num_frames=settings.num_frames)
    tasks = _neutral_tasks(fit.model, len(weights), settings.keypoint_noise)
    solution = inverse_kinematics(fit.model, trial, weights, tasks=tasks)
    tracked = tuple(m for m in fit.model.markers if m.name in solution.marker_names)
    columns = [trial.names.index(marker.name) for marker in tracked]
    seen = np.where(solution.is_solved[:, None, None], trial.positions[:, columns], np.nan)
    deviations = coordinate_deviations(
        fit.model.with_markers(tracked), seen, solution.coordinates, weights, priors
    )
    coupled = [coupler.dependent for stage in coupler_stages(fit.model.couplers) for coupler in stage]
    deviations[[fit.model.coordinate_names.index(name) for name in coupled]] = 0.0
    model = scale_model(fit.model, np.ones_like(fit.scale_factors), name="multi_step", mass=mass)
    return SolvedSkeleton(
        model, fit.scale_factors, solution.coordinates, deviations, solution, tuple(fit.notes)
    )


def _neutral_tasks(model: Model, num_points: int, noise: float) -> list[CoordinateTask]:
    """The prior of the coordinates that have a range, in the weights of `CoordinateTask`: against the mean
    over the points of the squared distance.
    """
    deviations = coordinate_priors(model)
    return [
        CoordinateTask(c.name, noise**2 / (num_points * deviation**2), c.default)
        for c, deviation in zip(model.coordinates, deviations, strict=True)
        if c.clamped
    ]
