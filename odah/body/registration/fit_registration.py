"""Register a body: find its markers, calibrate the model's, and fit the joint regressor.

    odah regressor fit [--body SMPLX_NEUTRAL.npz] [--out regressors/open_body.npz]

Random people in random poses carry virtual markers; the generic OpenSim model is scaled and posed to
them; what remains is averaged into the model's marker offsets; then joint centres are regressed from
the vertices. Shapes and poses that the fit never sees measure its error.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import sparse
from scipy.spatial import KDTree

from odah.body.body_model import BodyModel
from odah.body.model import load_body
from odah.body.registration.calibration import (
    Samples,
    calibrate_markers,
    fit_skeletons,
    initial_markers,
    level_feet,
    marker_weights,
    sample_people,
    segment_alignments,
)
from odah.body.registration.marker_layout import place_markers
from odah.body.registration.record import OPEN_BODY_REGISTRATION, Registration, save_registration
from odah.body.registration.regressor import JointRegressor, candidate_vertices, fit_weights
from odah.body.registration.skeleton_fit import SkeletonFit
from odah.osim.fk import ForwardKinematics
from odah.osim.full_body import full_body_model
from odah.osim.model import Model

TRAIN_SHAPES, TEST_SHAPES, FRAMES, TEST_FRAMES = 36, 8, 24, 4
"""People to fit to, people only to measure with, poses each, and how many of those only to measure with."""

_CALIBRATION_ROUNDS = 2
_MIRROR = np.array([1.0, 1.0, -1.0])
"""Across the sagittal plane of OpenSim's ground, where Z is right."""


def sample_betas(body: BodyModel, count: int, seed: int) -> np.ndarray:
    """(count, B) shapes of adults: by the body's own statistics, else standard normal within 2."""
    rng = np.random.default_rng(seed)
    if body.is_open:
        return body.sample_betas(rng, "neutral", count)
    return np.clip(rng.standard_normal((count, body.num_betas)), -2, 2)


def mirror_map(body: BodyModel) -> np.ndarray:
    """(N,) each vertex's nearest partner on the other side of the template."""
    if body.mirror is not None:
        return body.mirror
    template = body.v_template.numpy()
    return np.asarray(KDTree(template).query(template * [-1.0, 1.0, 1.0])[1])


def skeleton_joints(model: Model, fits: list[SkeletonFit]) -> np.ndarray:
    """(S, F, J, 3) joint centres of fitted skeletons, ground, m."""
    fk = ForwardKinematics(model)
    poses = [fk(torch.from_numpy(f.coordinates), torch.from_numpy(f.scale_factors)) for f in fits]
    return np.stack([pose.joints.numpy() for pose in poses])


def _mirrored_name(name: str) -> str:
    return name[:-2] + {"_r": "_l", "_l": "_r"}[name[-2:]] if name[-2:] in ("_r", "_l") else name


def fit_regressor(
    body: BodyModel, model: Model, samples: Samples, joints: np.ndarray, frames: slice
) -> JointRegressor:
    """One row of weights a joint from `frames` of all samples; the sides share their data and weights.

    joints: (S, F, J, 3), ground, m.
    """
    mirror = mirror_map(body)
    groups = np.tile(np.repeat(np.arange(len(joints)), len(range(*frames.indices(joints.shape[1])))), 2)
    vertices, joints = samples.vertices[:, frames], joints[:, frames]
    template, centres = samples.vertices[:, 0].mean(0), joints[:, 0].mean(0)
    weights = np.zeros((len(model.joints), body.num_vertices))
    for row, name in enumerate(model.joint_names):
        if name.endswith("_l"):
            continue
        other = model.joint_names.index(_mirrored_name(name))
        chosen = candidate_vertices(template, centres[row])
        seen = np.concatenate([vertices[:, :, chosen], vertices[:, :, mirror[chosen]] * _MIRROR])
        wanted = np.concatenate([joints[:, :, row], joints[:, :, other] * _MIRROR])
        fitted = fit_weights(
            seen.reshape(-1, len(chosen), 3).astype(np.float64), wanted.reshape(-1, 3), groups
        )
        share = 0.5 if row == other else 1.0
        for at, vertex_numbers in ((row, chosen), (other, mirror[chosen])):
            np.add.at(weights[at], vertex_numbers, share * fitted)
    return JointRegressor(model.joint_names, sparse.csr_matrix(weights))


def regression_errors(
    regressor: JointRegressor, samples: Samples, joints: np.ndarray, frames: slice
) -> np.ndarray:
    """(S * F, J) distance between regressed and skeleton joints, mm."""
    errors = []
    for vertices, wanted in zip(samples.vertices[:, frames], joints[:, frames], strict=True):
        for frame, target in zip(vertices, wanted, strict=True):
            errors.append(np.linalg.norm(regressor.weights @ frame.astype(np.float64) - target, axis=1))
    return 1e3 * np.array(errors)


def _statistics(errors_mm: np.ndarray) -> dict[str, float]:
    return {
        "mean_mm": round(float(errors_mm.mean()), 2),
        "p95_mm": round(float(np.percentile(errors_mm, 95)), 2),
    }


def fit_registration(body: BodyModel, seed: int = 0) -> Registration:
    """Register any body with SMPL-X's interface to the full-body model. Takes a minute or two.

    Raises:
        OdahError: the body's T-pose mesh has no skin where a marker belongs.
    """
    template, rest_joints = body.v_template.double().numpy(), body.joint_template.double().numpy()
    layout = place_markers(template, body.faces, rest_joints)
    model, weights = initial_markers(full_body_model(), layout), marker_weights(layout)
    train = sample_people(body, layout, sample_betas(body, TRAIN_SHAPES, seed), FRAMES, seed + 1)
    fits = fit_skeletons(model, weights, train, None)
    alignments = segment_alignments(model, fits, train)
    for round_number in range(_CALIBRATION_ROUNDS + 1):
        fits = fit_skeletons(model, weights, train, alignments)
        alignments = segment_alignments(model, fits, train)
        if round_number < _CALIBRATION_ROUNDS:
            model = level_feet(calibrate_markers(model, fits, train), fits)
    joints = skeleton_joints(model, fits)
    regressor = fit_regressor(body, model, train, joints, slice(0, FRAMES - TEST_FRAMES))
    test = sample_people(body, layout, sample_betas(body, TEST_SHAPES, seed + 1000), FRAMES, seed + 1001)
    test_fits = fit_skeletons(model, weights, test, alignments)
    shape_errors = regression_errors(regressor, test, skeleton_joints(model, test_fits), slice(None))
    pose_errors = regression_errors(regressor, train, joints, slice(FRAMES - TEST_FRAMES, None))
    report: dict[str, Any] = {
        "held_out_shapes": _statistics(shape_errors),
        "held_out_poses": _statistics(pose_errors),
        "held_out_shapes_per_joint_mm": dict(
            zip(model.joint_names, shape_errors.mean(0).round(2).tolist(), strict=True)
        ),
        "held_out_markers": _statistics(1e3 * np.stack([fit.marker_errors for fit in test_fits])),
        "train_shapes": TRAIN_SHAPES,
        "test_shapes": TEST_SHAPES,
        "poses_per_shape": FRAMES,
        "seed": seed,
        "method": "virtual markers -> scaled and posed full-body model -> signed ridge, weights sum to one",
        "units": "m; rows of the regressor in the order of joint_names; report in mm",
    }
    return Registration(body.name, layout, model.markers, regressor, alignments, report)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--body", type=Path, default=None, help="SMPLX_<GENDER>.npz; default: the open body")
    parser.add_argument("--out", type=Path, default=Path(OPEN_BODY_REGISTRATION))
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    registration = fit_registration(load_body(arguments.body), arguments.seed)
    save_registration(registration, arguments.out)
    for name, value in registration.report.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
