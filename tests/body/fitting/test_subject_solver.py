"""Shape and marker placement from a few frames."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import sparse

from odah.body.body_model import BodyModel
from odah.body.fitting.body_fitter import BodyFitter
from odah.body.fitting.hand_clearance import HandClearance
from odah.body.fitting.pose_prior import PosePrior, body_pose_prior
from odah.body.fitting.skinned_points import SkinnedPoints
from odah.body.fitting.subject_problem import SubjectProblem, SubjectState, SubjectTerms
from odah.body.fitting.subject_solver import solve_subject
from odah.body.model import load_body
from odah.body.registration import load_registration
from odah.body.registration.pose_sampling import sample_poses
from odah.body.shape.bone_lengths import BONE_LENGTHS, with_bone_lengths
from odah.body.shape.measures import body_height, body_mass
from odah.body.shape.prior import ShapePrior, shape_prior
from odah.body.so3 import rotvec_to_rotmat
from odah.names import SMPLX_INDEX
from odah.osim.kinematics import load_opensim_motion

WALK = (
    Path(__file__).parents[3].parent
    / "shared" / "data" / "opensim_models" / "reference_ik_opensim_4.6"
)  # fmt: skip
NUM_FRAMES, NUM_JOINTS = 12, 22
NOISE = 0.001


@dataclass(frozen=True)
class Stage:
    """A body, the points on it and a subject whose truth is known."""

    body: BodyModel
    points: SkinnedPoints
    names: tuple[str, ...]
    truth: SubjectState
    targets: torch.Tensor
    prior: ShapePrior


def build_stage(with_joints: bool = True) -> Stage:
    """A woman with longer thighs than her stature has, and markers off their places, left unlike right."""
    registration = load_registration()
    body = with_bone_lengths(load_body())
    layout = registration.layout
    rows = np.arange(len(layout.names))
    markers = sparse.csr_matrix(
        (np.ones(len(rows)), (rows, layout.vertices)), shape=(len(rows), body.num_vertices)
    )
    parts = [registration.regressor.weights, markers] if with_joints else [markers]
    joints = NUM_JOINTS if with_joints else 0
    points = SkinnedPoints(body, sparse.vstack(parts))
    rng = np.random.default_rng(4)
    poses = sample_poses(rng, NUM_FRAMES)
    betas = np.concatenate([load_body().sample_betas(rng, "female"), np.zeros(len(BONE_LENGTHS))])
    betas[-len(BONE_LENGTHS) + BONE_LENGTHS.index("thigh")] = 0.6
    offsets = np.zeros((points.num_points, 3))
    offsets[joints:] = rng.normal(0, 0.006, (len(rows), 3))
    for name, offset in (("LTH1", (0.0, 0.03, 0.0)), ("RTH1", (0.0, -0.02, 0.0))):
        offsets[joints + layout.names.index(name)] = offset
    truth = SubjectState(
        torch.from_numpy(betas),
        rotvec_to_rotmat(torch.from_numpy(poses)),
        torch.from_numpy(rng.normal(0, 1, (NUM_FRAMES, 3))),
        torch.from_numpy(offsets),
    )
    exact = points.pose(truth.betas, truth.local_rotmats, truth.transl, truth.offsets).points
    targets = exact + torch.from_numpy(rng.normal(0, NOISE, exact.shape))
    names = tuple(registration.regressor.joint_names[:joints]) + layout.names
    return Stage(body, points, names, truth, targets, shape_prior(body, "female"))


@pytest.fixture(scope="module")
def stage() -> Stage:
    return build_stage()


def terms_of(stage: Stage, targets: torch.Tensor | None = None, robust_scale: float = np.inf) -> SubjectTerms:
    """Frames count in full, because what is wrong with them here is independent noise."""
    is_marker = torch.tensor([name in load_registration().layout.names for name in stage.names])
    return SubjectTerms(
        stage.targets if targets is None else targets,
        torch.full((len(stage.names),), 0.002, dtype=torch.float64),
        torch.where(is_marker, robust_scale, np.inf).double(),
        torch.zeros(NUM_FRAMES, NUM_JOINTS, 3, dtype=torch.float64),
        PosePrior(body_pose_prior().precisions / 25, body_pose_prior().lower, body_pose_prior().upper),
        torch.zeros(len(stage.names), 3, dtype=torch.float64),
        torch.where(is_marker, 0.012, 0.0).double(),
        independent_frames=float(NUM_FRAMES),
    )


def start_of(stage: Stage) -> SubjectState:
    """The typical woman, every joint about 6 degrees off."""
    turned = stage.truth.local_rotmats.clone()
    noise = torch.from_numpy(np.random.default_rng(5).normal(0, 0.06, (NUM_FRAMES, NUM_JOINTS, 3)))
    turned[:, :NUM_JOINTS] = rotvec_to_rotmat(noise) @ turned[:, :NUM_JOINTS]
    return SubjectState(
        stage.prior.mean, turned, stage.truth.transl + 0.05, torch.zeros_like(stage.truth.offsets)
    )


def skin_error(stage: Stage, found: SubjectState) -> float:
    """Mean distance between the skins in the T-pose, their centres together, m."""
    skins = [stage.body.shaped(betas.float())[0] for betas in (found.betas, stage.truth.betas)]
    return float((skins[0] - skins[1] - (skins[0] - skins[1]).mean(0)).norm(dim=-1).mean())


def offset_errors(stage: Stage, found: SubjectState) -> torch.Tensor:
    return (found.offsets - stage.truth.offsets).norm(dim=-1)


@pytest.fixture(scope="module")
def solved(stage: Stage) -> SubjectState:
    return solve_subject(stage.points, start_of(stage), terms_of(stage), stage.prior)


def test_shape_and_offsets_are_recovered(stage, solved):
    assert skin_error(stage, start_of(stage)) > 0.015
    assert skin_error(stage, solved) < 0.004
    errors = offset_errors(stage, solved)
    assert errors.mean() < 0.003
    assert (errors[:NUM_JOINTS] == 0).all()
    thigh = stage.body.num_betas - len(BONE_LENGTHS) + BONE_LENGTHS.index("thigh")
    assert float(solved.betas[thigh]) == pytest.approx(0.6, abs=0.3)


def test_offsets_differ_left_from_right_as_they_do(stage, solved):
    left, right = (solved.offsets[stage.names.index(name), 1] for name in ("LTH1", "RTH1"))
    assert float(left) == pytest.approx(0.03, abs=0.008)
    assert float(right) == pytest.approx(-0.02, abs=0.008)


def test_solution_is_the_same_each_time(stage, solved):
    again = solve_subject(stage.points, start_of(stage), terms_of(stage), stage.prior)
    for name, value in vars(solved).items():
        assert torch.equal(value, getattr(again, name)), name


def test_gaps_count_nothing(stage, solved):
    """Every other frame lacks a marker, one marker is never seen: it stays at its mean offset."""
    targets = stage.targets.clone()
    never, sometimes = (stage.names.index(name) for name in ("RASI", "LTOE"))
    targets[:, never], targets[::2, sometimes] = np.nan, np.nan
    found = solve_subject(stage.points, start_of(stage), terms_of(stage, targets), stage.prior)
    assert all(torch.isfinite(value).all() for value in vars(found).values())
    assert float(found.offsets[never].norm()) < 1e-9
    assert skin_error(stage, found) < skin_error(stage, solved) + 0.001


def test_outliers_are_seen_through(stage, solved):
    targets = stage.targets.clone()
    for frame, name in ((1, "LTOE"), (4, "RMEL"), (7, "C7"), (8, "C7")):
        targets[frame, stage.names.index(name)] += 0.2
    trusting, robust = (
        solve_subject(stage.points, start_of(stage), terms_of(stage, targets, scale), stage.prior)
        for scale in (np.inf, 5.0)
    )
    assert offset_errors(stage, trusting).max() > 0.02
    assert skin_error(stage, robust) < skin_error(stage, solved) + 0.002
    assert offset_errors(stage, robust).mean() < 0.004


def test_markers_alone_tell_the_shape():
    stage = build_stage(with_joints=False)
    found = solve_subject(stage.points, start_of(stage), terms_of(stage), stage.prior)
    assert skin_error(stage, found) < 0.008
    assert offset_errors(stage, found).mean() < 0.006


def test_points_without_any_free_offset_are_allowed(stage):
    terms = replace(terms_of(stage), offset_sigmas=torch.zeros(len(stage.names), dtype=torch.float64))
    found = solve_subject(stage.points, start_of(stage), terms, stage.prior, max_iterations=3)
    assert (found.offsets == 0).all()


def test_bounds_hold_exactly(stage):
    thigh = stage.body.num_betas - len(BONE_LENGTHS) + BONE_LENGTHS.index("thigh")
    upper = stage.prior.upper.clone()
    upper[thigh], upper[0] = 0.1, stage.truth.betas[0] - 0.5
    prior = replace(stage.prior, upper=upper)
    found = solve_subject(stage.points, start_of(stage), terms_of(stage), prior)
    assert bool((found.betas <= upper).all())
    assert bool((found.betas >= prior.lower).all())
    assert float(found.betas[thigh]) == 0.1
    held = replace(stage.prior, lower=stage.truth.betas, upper=stage.truth.betas)
    found = solve_subject(stage.points, start_of(stage), terms_of(stage), held)
    assert torch.equal(found.betas, stage.truth.betas)


def test_known_height_and_mass_are_met(stage, solved):
    """Half a dozen kilograms more than the markers say: they move off the skin instead."""
    height, mass = (measure(stage.body, solved.betas.numpy()) for measure in (body_height, body_mass))
    prior = shape_prior(stage.body, "female", height + 0.01, 1.08 * mass)
    terms = replace(terms_of(stage), independent_frames=2.0)
    found = solve_subject(stage.points, start_of(stage), terms, prior)
    assert body_height(stage.body, found.betas.numpy()) == pytest.approx(height + 0.01, abs=0.01)
    assert body_mass(stage.body, found.betas.numpy()) == pytest.approx(1.08 * mass, rel=0.05)


def test_gradient_agrees_with_finite_differences(stage):
    """Of the whole cost: robust points, gaps, priors, bounds apart, and a hand in the hip."""
    body = replace(stage.body, posedirs=None)
    vertices = [100, 900, 1500, 2500, 4000, 5500, 7000, 9000, 11000, 13000]
    rows = np.zeros((len(vertices), body.num_vertices))
    rows[np.arange(len(vertices)), vertices] = 1
    points = SkinnedPoints(body, rows)
    rng = np.random.default_rng(8)
    state = sunken_hand(stage, rng)
    state = replace(state, offsets=torch.from_numpy(rng.normal(0, 0.01, (len(vertices), 3))))
    exact = points.pose(state.betas, state.local_rotmats, state.transl, state.offsets).points
    targets = exact + torch.from_numpy(rng.normal(0, 0.02, exact.shape))
    targets[0, 3] = np.nan
    terms = SubjectTerms(
        targets,
        torch.full((len(vertices),), 0.01, dtype=torch.float64),
        torch.full((len(vertices),), 3.0, dtype=torch.float64),
        torch.zeros(2, NUM_JOINTS, 3, dtype=torch.float64),
        PosePrior.from_sigmas(torch.full((NUM_JOINTS, 3), 0.5, dtype=torch.float64)),
        torch.zeros(len(vertices), 3, dtype=torch.float64),
        torch.full((len(vertices),), 0.01, dtype=torch.float64),
    )
    prior = shape_prior(stage.body, "male", 1.7, 70.0)
    clearance = HandClearance(body)
    problem = SubjectProblem(points, terms, prior, clearance)
    posed = problem.pose(state)
    blocks = problem.blocks(state, posed)
    assert float(clearance.squared(state.betas, state.local_rotmats)) > 1
    size = blocks.pose_gradient.shape[1]
    unit_pose, unit_shared = torch.eye(size).double(), torch.eye(len(blocks.gradient)).double()
    nothing_pose, nothing_shared = torch.zeros(2, size).double(), torch.zeros(len(blocks.gradient)).double()
    steps = [(torch.stack([row, torch.zeros_like(row)]), nothing_shared) for row in unit_pose]
    steps += [(nothing_pose, row) for row in unit_shared]
    expected = torch.cat([blocks.pose_gradient[0], blocks.gradient])
    for (pose, shared), gradient in zip(steps, expected.tolist(), strict=True):
        ahead, behind = (problem.moved(state, posed, s * 1e-6 * pose, s * 1e-6 * shared) for s in (1, -1))
        slope = (problem.cost(ahead, problem.pose(ahead)) - problem.cost(behind, problem.pose(behind))) / 2e-6
        assert slope == pytest.approx(gradient, rel=1e-4, abs=1e-2)


def sunken_hand(stage: Stage, rng: np.random.Generator) -> SubjectState:
    """Two frames: arms along the body, the left hand within the hip; arms out."""
    poses = np.zeros((2, 55, 3))
    poses[:, 1:NUM_JOINTS] = rng.normal(0, 0.03, (2, NUM_JOINTS - 1, 3))
    poses[0, SMPLX_INDEX["left_shoulder"]] = [0.0, 0.0, -1.5]
    poses[0, SMPLX_INDEX["left_elbow"]] = [0.0, 0.0, -0.15]
    return SubjectState(
        stage.prior.mean.clone(),
        rotvec_to_rotmat(torch.from_numpy(poses)),
        torch.from_numpy(rng.normal(0, 1, (2, 3))),
        torch.zeros(len(stage.names), 3, dtype=torch.float64),
    )


@pytest.mark.shared
@pytest.mark.skipif(not WALK.exists(), reason="the recorded walk is not beside the project")
def test_body_of_a_recorded_walk_has_his_mass():
    fitter = BodyFitter(load_body(), load_registration())
    kinematics = load_opensim_motion(WALK / "ik_output_walk.mot", WALK / "subject_scaled_walk.osim")
    first = replace(kinematics, coordinates=kinematics.coordinates[:120])
    second = replace(kinematics, coordinates=kinematics.coordinates[120:])
    subject = fitter.fit_subject(first, "male")
    summary = fitter.fit_pose(second, subject).summary()
    assert summary["joints_mean_mm"] < 5
    assert body_mass(fitter.body, subject.betas) == pytest.approx(kinematics.model.mass, rel=0.05)
