"""How far coordinates are told."""

from __future__ import annotations

import numpy as np
import torch

from odah.benchmark.methods.multi_step.determination import coordinate_deviations, coordinate_priors
from odah.benchmark.methods.multi_step.keypoint_sets import keypoint_set
from odah.osim import ForwardKinematics, full_body_model
from odah.osim.ik.jacobian import MarkerJacobian
from odah.osim.ik.problem import IkProblem
from odah.osim.scaling.subject_priors import SubjectPriors

POINTS = keypoint_set("body_25")
WEIGHTS = {name: 1.0 for name, weight in POINTS.weights.items() if weight > 0}
MODEL = full_body_model().with_markers(tuple(m for m in POINTS.markers if m.name in WEIGHTS))


def deviations(**priors: float) -> np.ndarray:
    rng = np.random.default_rng(5)
    rest = MODEL.default_coordinates
    coordinates = rest + rng.uniform(0.1, 0.5, (4, len(rest)))
    positions = ForwardKinematics(MODEL)(torch.from_numpy(coordinates)).markers.numpy()
    found = coordinate_deviations(MODEL, positions, coordinates, WEIGHTS, SubjectPriors(**priors))
    return np.array([found, _with_known_bones(coordinates, priors["noise"])])


def _with_known_bones(coordinates: np.ndarray, noise: float) -> np.ndarray:
    """From the inverse of the Fisher information of one frame's own coordinates."""
    problem = IkProblem.of(MODEL)
    x = torch.from_numpy(coordinates)
    jacobian = MarkerJacobian(problem)(x[:, problem.free], x)[1].flatten(1, 2).numpy() / noise
    prior = np.diag(coordinate_priors(MODEL)[problem.free] ** -2.0)
    variances = [np.diag(np.linalg.inv(j.T @ j + prior)) for j in jacobian]
    known = np.full(len(MODEL.coordinates), np.inf)
    known[problem.free] = np.sqrt(np.mean(variances, axis=0))
    return known


def test_known_bones_leave_the_inverse_of_the_information():
    found, known = deviations(noise=0.01, size=1e-6, segment=1e-6, axis=1e-6, marker=1e-6)
    np.testing.assert_allclose(found, known, rtol=1e-3)


def test_unknown_bones_add_to_it_and_untold_coordinates_are_infinite():
    found, known = deviations(noise=0.01, segment=0.05, axis=0.05, marker=0.02)
    told = np.isfinite(known)
    assert (found[told] > known[told]).all()
    names = np.array(MODEL.coordinate_names)
    untold = {name for name in names[~told] if not name.endswith("beta")}
    assert untold == {"wrist_flex_r", "wrist_dev_r", "wrist_flex_l", "wrist_dev_l"}
    assert np.isinf(found[~told]).all()
    by_name = dict(zip(names, np.rad2deg(found), strict=True))
    assert by_name["knee_angle_r"] < by_name["pelvis_tilt"] < by_name["pro_sup_r"]
