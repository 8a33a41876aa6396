"""Hands kept out of the trunk while a shape is found."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import sparse

from odah.body.body_model import BodyModel
from odah.body.fitting.hand_clearance import HandClearance
from odah.body.fitting.pose_prior import PosePrior
from odah.body.fitting.skinned_points import SkinnedPoints
from odah.body.fitting.subject_problem import SubjectState, SubjectTerms
from odah.body.fitting.subject_solver import solve_subject
from odah.body.model import load_body
from odah.body.registration import load_registration
from odah.body.shape.bone_lengths import with_bone_lengths
from odah.body.shape.prior import shape_prior
from odah.body.so3 import rotvec_to_rotmat
from odah.names import SMPLX_INDEX


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return with_bone_lengths(load_body())


@pytest.fixture(scope="module")
def clearance(body) -> HandClearance:
    return HandClearance(body)


def arms_at(left: float, right: float) -> torch.Tensor:
    """(1, 55, 3, 3): each arm lowered by an angle, rad, and a little bent."""
    poses = torch.zeros(1, 55, 3, dtype=torch.float64)
    for side, sign, angle in (("left", -1, left), ("right", 1, right)):
        poses[0, SMPLX_INDEX[f"{side}_shoulder"], 2] = sign * angle
        poses[0, SMPLX_INDEX[f"{side}_elbow"], 2] = sign * 0.15
    return rotvec_to_rotmat(poses)


def test_only_the_hand_that_is_inside_is_deep(body, clearance):
    betas = torch.zeros(body.num_betas, dtype=torch.float64)
    assert (clearance.depths(betas, arms_at(0.6, 0.6)) == 0).all()
    left = clearance.depths(betas, arms_at(1.5, 0.6))[0]
    right = clearance.depths(betas, arms_at(0.6, 1.5))[0]
    assert left[0] > 0.01
    assert left[1] == 0
    np.testing.assert_allclose(left, right.flip(0), atol=0.006)


def test_depth_grows_as_the_arm_sinks_in(body, clearance):
    betas = torch.zeros(body.num_betas, dtype=torch.float64)
    depths = [float(clearance.depths(betas, arms_at(angle, 0.0))[0, 0]) for angle in (1.0, 1.4, 1.5, 1.6)]
    assert depths[0] == 0
    assert 0 < depths[2] < depths[3] < 0.1


def held_hand(body: BodyModel) -> tuple[SkinnedPoints, SubjectState, SubjectTerms]:
    """A body whose joints are told to the millimetre, the left hand in the hip."""
    points = SkinnedPoints(body, sparse.csr_matrix(load_registration().regressor.weights))
    prior = shape_prior(body, "female")
    state = SubjectState(
        prior.mean, arms_at(1.5, 0.6), torch.zeros(1, 3, dtype=torch.float64),
        torch.zeros(points.num_points, 3, dtype=torch.float64),
    )  # fmt: skip
    posed = points.pose(state.betas, state.local_rotmats, state.transl)
    terms = SubjectTerms(
        posed.points,
        torch.full((points.num_points,), 0.003, dtype=torch.float64),
        torch.full((points.num_points,), np.inf, dtype=torch.float64),
        torch.zeros(1, 22, 3, dtype=torch.float64),
        PosePrior.from_sigmas(torch.full((22, 3), 0.3, dtype=torch.float64)),
        torch.zeros(points.num_points, 3, dtype=torch.float64),
        torch.zeros(points.num_points, dtype=torch.float64),
    )
    return points, state, terms


def test_shape_gives_way_to_the_hand(body, clearance):
    points, state, terms = held_hand(body)
    prior = shape_prior(body, "female")
    depths = {}
    for name, used in (("without", None), ("with", clearance)):
        found = solve_subject(points, state, terms, prior, used)
        depths[name] = float(clearance.depths(found.betas, found.local_rotmats).max())
        reached = points.pose(found.betas, found.local_rotmats, found.transl).points
        assert (reached - terms.targets).norm(dim=-1).mean() < 0.006
    assert depths["without"] > 0.01
    assert depths["with"] < 0.6 * depths["without"]


def test_a_hand_within_anybody_does_not_wreck_the_shape(body, clearance):
    """The skeleton's own fault: it stays inside, as the depth tells, and the body an adult."""
    points, state, terms = held_hand(body)
    state = replace(state, local_rotmats=arms_at(1.9, 0.6))
    targets = points.pose(state.betas, state.local_rotmats, state.transl).points
    prior = shape_prior(body, "female")
    found = solve_subject(points, state, replace(terms, targets=targets), prior, clearance)
    assert clearance.depths(found.betas, found.local_rotmats).max() > 0.005
    assert bool((found.betas >= prior.lower).all() and (found.betas <= prior.upper).all())
    assert (points.pose(found.betas, found.local_rotmats, found.transl).points - targets).norm(
        dim=-1
    ).mean() < 0.02
