"""Register a body: find its markers, calibrate the model's, and fit the joint regressor.

Random people in random poses carry virtual markers; the generic OpenSim model is scaled and posed to
them; what remains is averaged into the model's marker offsets; then joint centres are regressed from
the vertices. People and poses that a fit never saw measure its error. `odah regressor fit` does it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from odah.body.body_model import BodyModel
from odah.body.registration.calibration import (
    Samples,
    calibrate_markers,
    fit_skeletons,
    initial_markers,
    is_placed,
    level_feet,
    marker_weights,
    sample_people,
    segment_alignments,
)
from odah.body.registration.landmark_placing import place_markers
from odah.body.registration.marker_layout import MarkerLayout, check_body, check_sides
from odah.body.registration.provenance import body_provenance, model_provenance, versions
from odah.body.registration.record import Registration
from odah.body.registration.regressor_fit import CrossValidation, Done, fit_regressor, regression_errors
from odah.body.registration.skeleton_fit import SkeletonFit
from odah.errors import InputError
from odah.osim.fk import ForwardKinematics
from odah.osim.full_body import full_body_model
from odah.osim.model import Model

_PELVIS_MARKERS = 3
"""At least so many must be on the pelvis, from where every skeleton fit starts."""


@dataclass(frozen=True)
class Effort:
    """people: to fit to; poses: each of them strikes, T-pose and standing among them; fresh_people: only to
    measure with; rounds: of calibration; folds: of cross-validation."""

    people: int = 36
    poses: int = 24
    fresh_people: int = 8
    rounds: int = 2
    folds: int = 6

    @property
    def num_steps(self) -> int:
        """For a progress bar; see `fit_registration`."""
        return self.rounds + 4


def sample_betas(body: BodyModel, count: int, seed: int) -> np.ndarray:
    """(count, B) shapes of adults: by the body's own statistics, else standard normal within 2."""
    rng = np.random.default_rng(seed)
    if body.is_open:
        return body.sample_betas(rng, "neutral", count)
    return np.clip(rng.standard_normal((count, body.num_betas)), -2, 2)


def skeleton_joints(model: Model, fits: list[SkeletonFit]) -> np.ndarray:
    """(S, F, J, 3) joint centres of fitted skeletons, ground, m."""
    fk = ForwardKinematics(model)
    poses = [fk(torch.from_numpy(f.coordinates), torch.from_numpy(f.scale_factors)) for f in fits]
    return np.stack([pose.joints.numpy() for pose in poses])


def fit_registration(
    body: BodyModel,
    seed: int = 0,
    layout: MarkerLayout | None = None,
    effort: Effort = Effort(),
    done: Done = lambda _done, _total: None,
) -> Registration:
    """Register any body with SMPL-X's interface to the full-body model. Takes a minute or two.

    layout: where the markers are; None: where the anatomical rules put them. done: told how many of
    `effort.num_steps` steps are done.

    Raises:
        InputError: the layout does not fit the body, or has too few markers on the pelvis.
        OdahError: the body's T-pose mesh has no skin where a marker belongs.
    """
    total = effort.num_steps
    layout = _checked_layout(body, layout)
    done(0, total)
    train = sample_people(body, layout, sample_betas(body, effort.people, seed), effort.poses, seed + 1)
    done(1, total)
    model, alignments, fits = _calibrated(layout, train, effort, done)
    regressor, errors = fit_regressor(
        body, model.joint_names, train.vertices, skeleton_joints(model, fits), effort.folds
    )
    done(total - 1, total)
    fresh_betas = sample_betas(body, effort.fresh_people, seed + 1000)
    fresh = sample_people(body, layout, fresh_betas, effort.poses, seed + 1001)
    fresh_fits = fit_skeletons(model, marker_weights(layout), fresh, alignments)
    fresh_errors = regression_errors(regressor, fresh.vertices, skeleton_joints(model, fresh_fits))
    marker_errors = 1e3 * np.concatenate([fit.marker_errors for fit in fresh_fits])
    report = _errors_report(model, errors, fresh_errors, marker_errors) | {
        "made_of": {
            "body": body_provenance(body),
            "model": model_provenance(full_body_model()),
            "versions": versions(),
            "seed": seed,
            **asdict(effort),
        },
        "method": "virtual markers -> scaled and posed full-body model -> signed ridge, weights sum to one",
        "units": "m; errors in mm; rows of the regressor in the order of joint_names",
    }
    done(total, total)
    return Registration(body.name, layout, model.markers, regressor, alignments, report)


def _checked_layout(body: BodyModel, layout: MarkerLayout | None) -> MarkerLayout:
    if layout is None:
        template, joints = body.v_template.double().numpy(), body.joint_template.double().numpy()
        return place_markers(template, body.faces, joints)
    check_body(layout, body.faces, body.num_vertices)
    check_sides(layout, body.v_template.double().numpy())
    on_pelvis = layout.bones.count("pelvis")
    if on_pelvis < _PELVIS_MARKERS:
        raise InputError("marker layout", f"{on_pelvis} markers on the pelvis", f"at least {_PELVIS_MARKERS}")
    return layout


def _calibrated(
    layout: MarkerLayout, train: Samples, effort: Effort, done: Done
) -> tuple[Model, np.ndarray, list[SkeletonFit]]:
    """The model with calibrated markers, the segments' alignments, and the skeletons of the people."""
    generic = full_body_model()
    model, weights = initial_markers(generic, layout), marker_weights(layout)
    # A marker whose place is not known yet tells nothing until the others have told where it is.
    known = weights * is_placed(generic, layout)
    alignments = segment_alignments(model, fit_skeletons(model, known, train, None), train)
    fits: list[SkeletonFit] = []
    for number in range(effort.rounds + 1):
        fits = fit_skeletons(model, weights if number else known, train, alignments)
        alignments = segment_alignments(model, fits, train)
        if number < effort.rounds:
            model = level_feet(calibrate_markers(model, fits, train), fits)
        done(2 + number, effort.num_steps)
    return model, alignments, fits


def _errors_report(
    model: Model, errors: CrossValidation, fresh_errors: np.ndarray, marker_errors: np.ndarray
) -> dict[str, Any]:
    """Held-out errors, mm: of all joints, of each, and of each marker of the skeletons they are read off."""
    by_kind = {
        "held_out_people": errors.people.reshape(-1, len(model.joints)),
        "held_out_poses": errors.poses.reshape(-1, len(model.joints)),
        "fresh_people": fresh_errors,
    }
    return {
        **{kind: statistics_mm(values) for kind, values in by_kind.items()},
        "fresh_people_markers": statistics_mm(marker_errors),
        "joints": {
            name: {kind: statistics_mm(values[:, row]) for kind, values in by_kind.items()}
            for row, name in enumerate(model.joint_names)
        },
        "markers": {
            name: statistics_mm(marker_errors[:, row]) for row, name in enumerate(model.marker_names)
        },
    }


def statistics_mm(errors_mm: np.ndarray) -> dict[str, float]:
    """Mean and 95th percentile."""
    return {
        "mean_mm": round(float(errors_mm.mean()), 2),
        "p95_mm": round(float(np.percentile(errors_mm, 95)), 2),
    }
