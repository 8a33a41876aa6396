"""Poses of a whole clip from markers that are noisy, wrong or missing."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.interpolate import CubicSpline

from odah.body.fitting.clip_blocks import from_unknowns, point_blocks
from odah.body.fitting.clip_solver import solve_clip
from odah.body.fitting.clip_terms import ClipTerms, point_errors
from odah.body.fitting.pose_prior import PosePrior, body_pose_prior
from odah.body.fitting.pose_state import PoseState
from odah.body.fitting.skinned_points import NUM_SOLVED_JOINTS, SkinnedPoints
from odah.body.fitting.smoothness import Smoothness
from odah.body.model import load_body
from odah.body.registration import load_registration
from odah.body.registration.pose_sampling import sample_poses
from odah.body.so3 import rotvec_to_rotmat

RATE, NUM_FRAMES = 60.0, 61
HEAD = [12, 15]


@dataclass(frozen=True)
class Clip:
    """A motion whose markers are known, and a start beside it."""

    points: dict[torch.dtype, SkinnedPoints]
    truth: PoseState
    start: PoseState
    terms: ClipTerms

    def positions(self, state: PoseState) -> torch.Tensor:
        local, transl = state.local_rotmats.double(), state.transl.double()
        return self.points[torch.float64].pose(self.truth.betas, local, transl).points

    def solve(self, dtype: torch.dtype = torch.float32, **changes) -> PoseState:
        return solve_clip(self.points[dtype], self.start, replace(self.terms, **changes))

    def distances_mm(self, one: PoseState, other: PoseState) -> torch.Tensor:
        return 1e3 * (self.positions(one) - self.positions(other)).norm(dim=-1)


@pytest.fixture(scope="module")
def clip() -> Clip:
    body, layout = load_body(), load_registration().layout
    count = len(layout.markers)
    chosen = sparse.csr_matrix(
        (np.ones(count), (np.arange(count), layout.vertices)), shape=(count, body.num_vertices)
    )
    points = {dtype: SkinnedPoints(body, chosen, dtype) for dtype in (torch.float32, torch.float64)}
    rng = np.random.default_rng(8)
    knots, time = np.arange(5) / 3, np.arange(NUM_FRAMES) / RATE
    poses = CubicSpline(knots, 0.6 * sample_poses(rng, 5))(time)
    poses[:, HEAD] = 0
    transl = CubicSpline(knots, rng.normal(0, 0.3, (5, 3)))(time)
    betas = torch.from_numpy(rng.normal(0, 0.5, body.num_betas))
    truth = PoseState(betas, rotvec_to_rotmat(torch.from_numpy(poses)), torch.from_numpy(transl))
    beside = torch.from_numpy(rng.normal(0, 0.1, (1, 55, 3)))
    beside[:, NUM_SOLVED_JOINTS:] = 0
    start = PoseState(betas, rotvec_to_rotmat(beside) @ truth.local_rotmats, truth.transl + 0.02)
    means = torch.from_numpy(poses[:, :NUM_SOLVED_JOINTS])
    terms = ClipTerms(
        points[torch.float64].pose(*vars(truth).values()).points,
        torch.full((count,), 0.01, dtype=torch.float64),
        torch.full((count,), torch.inf, dtype=torch.float64),
        means,
        PosePrior.from_sigmas(torch.full((NUM_SOLVED_JOINTS, 3), 0.3, dtype=torch.float64)),
        Smoothness.uniform(),
        RATE,
    )
    return Clip(points, truth, start, terms)


def test_blocks_are_those_of_the_dense_jacobian(clip):
    points, frames = clip.points[torch.float64], slice(0, 3)
    posed = points.pose(*vars(clip.truth).values()).frames(frames)
    targets = clip.terms.targets[frames] + 0.02 * torch.randn(3, points.num_points, 3).double()
    targets[1, 4] = torch.nan
    terms = replace(clip.terms, robust_scales=torch.full_like(clip.terms.robust_scales, 0.03))
    errors = point_errors(posed.points, targets, terms)
    hessian, gradient = point_blocks(points, posed, errors)
    jacobian = points.pose_jacobian(posed)
    expected = torch.einsum("tpca,tp,tpcb->tab", jacobian, errors.weights, jacobian)
    slope = torch.einsum("tpca,tp,tpc->ta", jacobian, errors.weights, errors.residuals)
    order = from_unknowns(torch.arange(69.0)[None]).flatten().long()
    whole = hessian.tril() + hessian.tril(-1).mT
    torch.testing.assert_close(whole[:, order][:, :, order], expected, rtol=1e-9, atol=1e-6)
    torch.testing.assert_close(gradient[:, order], slope, rtol=1e-9, atol=1e-6)


def test_robust_weights_are_the_slope_of_the_cost(clip):
    targets = clip.terms.targets[:1]
    points = (targets + 0.05 * torch.randn(targets.shape).double()).requires_grad_()
    terms = replace(clip.terms, robust_scales=torch.full_like(clip.terms.robust_scales, 0.04))
    errors = point_errors(points, targets, terms)
    (slope,) = torch.autograd.grad(errors.costs.sum(), points)
    torch.testing.assert_close(slope, (errors.weights[..., None] * errors.residuals).detach())


def test_prior_pulls_as_its_cost_slopes():
    rng = np.random.default_rng(3)
    rotvecs = torch.from_numpy(rng.normal(0, 1, (2, 22, 3))).requires_grad_()
    means, prior = torch.from_numpy(rng.normal(0, 0.1, (2, 22, 3))), body_pose_prior()
    (slope,) = torch.autograd.grad(prior.costs(rotvecs, means).sum(), rotvecs)
    torch.testing.assert_close(prior.pull(rotvecs.detach(), means)[0], slope)


def test_exact_markers_give_the_pose(clip):
    found = clip.solve(smoothness=Smoothness.off())
    assert clip.distances_mm(clip.start, clip.truth).mean() > 20
    assert clip.distances_mm(found, clip.truth).max() < 1
    assert found.local_rotmats.dtype == torch.float32


def test_single_precision_is_enough(clip):
    assert clip.distances_mm(clip.solve(), clip.solve(torch.float64)).mean() < 0.05


def test_batches_make_no_seams(clip):
    whole = clip.solve(torch.float64)
    parts = solve_clip(clip.points[torch.float64], clip.start, clip.terms, frames_at_once=7)
    assert clip.distances_mm(whole, parts).max() < 1e-3


def test_smoothness_lowers_jitter_and_keeps_the_motion(clip):
    noise = 0.004 * torch.randn(clip.terms.targets.shape, generator=torch.Generator().manual_seed(1))
    targets = clip.terms.targets + noise
    rough, smooth = (
        clip.solve(targets=targets, smoothness=s) for s in (Smoothness.off(), Smoothness.uniform())
    )

    def jitter(state: PoseState) -> float:
        return float(
            (clip.positions(state) - clip.positions(clip.truth)).diff(n=2, dim=0).norm(dim=-1).mean()
        )

    assert jitter(smooth) < 0.7 * jitter(rough)
    assert clip.distances_mm(smooth, clip.truth).mean() < clip.distances_mm(rough, clip.truth).mean()
    assert clip.distances_mm(clip.solve(), clip.truth).mean() < 0.5


def test_half_of_the_markers_missing(clip):
    rng, targets = np.random.default_rng(2), clip.terms.targets.clone()
    targets[torch.from_numpy(rng.random(targets.shape[:2]) < 0.5)] = torch.nan
    targets[20:26] = torch.nan
    found = clip.solve(targets=targets)
    assert found.local_rotmats.isfinite().all()
    distances = clip.distances_mm(found, clip.solve())
    seen = np.r_[0:18, 28:NUM_FRAMES]
    assert distances[seen].mean() < 2
    assert distances[20:26].mean() < 15


def test_nothing_seen_at_all_leaves_the_prior(clip):
    found = clip.solve(targets=torch.full_like(clip.terms.targets, torch.nan))
    assert found.local_rotmats.isfinite().all()
    assert found.transl.isfinite().all()


def test_outliers_are_outvoted(clip):
    rng, targets = np.random.default_rng(6), clip.terms.targets.clone()
    away = rng.normal(size=targets.shape)
    away *= 0.2 / np.linalg.norm(away, axis=-1, keepdims=True)
    is_outlier = rng.random(targets.shape[:2]) < 0.2
    targets += torch.from_numpy(away * is_outlier[..., None])
    clean = clip.solve()
    trusting = clip.solve(targets=targets)
    robust = clip.solve(targets=targets, robust_scales=torch.full_like(clip.terms.robust_scales, 0.05))
    assert clip.distances_mm(trusting, clean).mean() > 15
    assert clip.distances_mm(robust, clean).mean() < 3


def test_one_and_two_frames_are_clips(clip):
    for count in (1, 2):
        state = PoseState(clip.start.betas, clip.start.local_rotmats[:count], clip.start.transl[:count])
        terms = replace(
            clip.terms, targets=clip.terms.targets[:count], pose_means=clip.terms.pose_means[:count]
        )
        found = solve_clip(clip.points[torch.float64], state, terms)
        reached = clip.points[torch.float64].pose(*vars(found).values()).points
        assert (reached - terms.targets).norm(dim=-1).max() < 1e-3
