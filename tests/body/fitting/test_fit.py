"""Point skinning, the pose solver and the fit of a body to a skeleton."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from odah.body.body_model import BodyModel
from odah.body.fitting.body_fitter import BodyFitter, virtual_markers
from odah.body.fitting.pose_solver import PoseState, Terms, apply_step, solve_pose, solve_shape_and_pose
from odah.body.fitting.skinned_points import NUM_SOLVED_JOINTS, SkinnedPoints
from odah.body.fitting.targets import head_posture, loose_rotvecs, skeleton_targets, stature_of
from odah.body.model import load_body
from odah.body.registration import load_registration
from odah.body.registration.pose_sampling import sample_poses
from odah.body.shape.bone_lengths import BONE_LENGTHS, UNIT, with_bone_lengths
from odah.body.so3 import left_jacobian_inverse, rotmat_to_rotvec, rotvec_to_rotmat
from odah.errors import InputError
from odah.motion.types import Source
from odah.names import SEGMENTS, SMPLX_INDEX, SMPLX_JOINTS, SMPLX_PARENTS
from odah.osim.full_body import full_body_model
from odah.osim.kinematics import Kinematics, load_opensim_motion
from odah.osim.scale import scale_model

SHARED = Path(__file__).parents[3].parent / "shared" / "data"
WALK = SHARED / "opensim_models" / "reference_ik_opensim_4.6"

LEFT_OFFSETS = {
    "hip": (0.09, -0.08, 0.0), "knee": (0.02, -0.4, 0.0), "ankle": (0.0, -0.42, -0.03),
    "foot": (0.02, -0.06, 0.1), "collar": (0.05, 0.2, 0.0), "shoulder": (0.12, 0.03, -0.01),
    "elbow": (0.28, 0.0, -0.02), "wrist": (0.25, 0.0, 0.0),
}  # fmt: skip
MIDDLE_OFFSETS = {"spine1": 0.12, "spine2": 0.13, "spine3": 0.06, "neck": 0.22, "head": 0.1, "jaw": 0.02}


def stick_joints() -> np.ndarray:
    joints = np.zeros((55, 3))
    for index, name in enumerate(SMPLX_JOINTS):
        side, _, part = name.partition("_")
        if side in ("left", "right"):
            sign = np.array([-1.0 if side == "right" else 1.0, 1.0, 1.0])
            offset = sign * np.array(LEFT_OFFSETS.get(part, (0.03, 0.0, 0.0)))
        else:
            offset = np.array([0.0, MIDDLE_OFFSETS.get(name, 0.0), 0.0])
        joints[index] = offset + (joints[SMPLX_PARENTS[index]] if index else 0.0)
    return joints


def stick_body(num_betas: int = 4, correctives: float = 0.0) -> BodyModel:
    """SMPL-X's tree with a cloud of 12 skinned vertices a joint."""
    rng = np.random.default_rng(0)
    joints = stick_joints()
    owner = np.repeat(np.arange(55), 12)
    blend = rng.uniform(0.6, 1.0, len(owner))
    weights = np.zeros((len(owner), 55))
    weights[np.arange(len(owner)), owner] += blend
    weights[np.arange(len(owner)), np.maximum(np.array(SMPLX_PARENTS)[owner], 0)] += 1 - blend
    arrays = (
        joints[owner] + rng.normal(0, 0.05, (len(owner), 3)),
        0.01 * rng.normal(0, 1, (len(owner), 3, num_betas)),
        joints,
        0.01 * rng.normal(0, 1, (55, 3, num_betas)),
        weights,
        correctives * rng.normal(0, 1, (len(owner), 3, 486)),
    )
    no_faces, hands = np.zeros((0, 3), np.int64), np.zeros((30, 3))
    return BodyModel("stick", "neutral", *map(torch.from_numpy, arrays), faces=no_faces, hand_mean=hands)


def random_points(body: BodyModel, count: int = 90) -> np.ndarray:
    """Signed weights of points on the moving parts, rows sum to one."""
    rng = np.random.default_rng(1)
    weights = np.zeros((count, body.num_vertices))
    for row in weights:
        chosen = rng.choice(12 * NUM_SOLVED_JOINTS, 6, replace=False)
        values = rng.normal(1 / 6, 0.3, 6)
        row[chosen] = values + (1 - values.sum()) / 6
    return weights


def random_state(seed: int, frames: int, num_betas: int = 4) -> PoseState:
    rng = np.random.default_rng(seed)
    rotvecs = rng.normal(0, 0.4, (frames, 55, 3))
    rotvecs[:, NUM_SOLVED_JOINTS:] = 0
    betas, transl = rng.normal(0, 1, num_betas), rng.normal(0, 1, (frames, 3))
    return PoseState(
        torch.from_numpy(betas), rotvec_to_rotmat(torch.from_numpy(rotvecs)), torch.from_numpy(transl)
    )


def free_terms(targets: torch.Tensor, num_betas: int = 4) -> Terms:
    return Terms(
        targets,
        torch.full((targets.shape[1],), 0.01, dtype=torch.float64),
        torch.zeros(len(targets), NUM_SOLVED_JOINTS, 3, dtype=torch.float64),
        torch.full((NUM_SOLVED_JOINTS, 3), float("inf"), dtype=torch.float64),
        torch.zeros(num_betas, dtype=torch.float64),
        torch.full((num_betas,), 10.0, dtype=torch.float64),
    )


@pytest.fixture(scope="module")
def fitter() -> BodyFitter:
    return BodyFitter(load_body(), load_registration())


def moving_kinematics(seed: int = 0, frames: int = 24) -> Kinematics:
    """A scaled model whose arms, legs and trunk move at random but smoothly, left unlike right."""
    rng = np.random.default_rng(seed)
    generic = full_body_model()
    factors = np.repeat(rng.uniform(0.95, 1.1, (1, 3)), len(generic.bodies), axis=0)
    phase = np.linspace(0, 2 * np.pi, frames)[:, None]
    low, high = (np.clip(bound, -1.2, 1.2) for bound in generic.coordinate_ranges.T)
    middle, reach = 0.5 * (low + high), 0.35 * (high - low)
    values = middle + reach * np.sin(phase + rng.uniform(0, 6, len(low))) * rng.uniform(0, 1, len(low))
    column = {name: k for k, name in enumerate(generic.coordinate_names)}
    for name in ("pelvis_tilt", "pelvis_list"):
        values[:, column[name]] *= 0.2
    for name in ("r", "l"):
        values[:, column[f"knee_angle_{name}_beta"]] = values[:, column[f"knee_angle_{name}"]]
    source = Source("synthetic", "test")
    return Kinematics(scale_model(generic, factors), values, 60.0, source, 0.0, factors)


def test_collapsed_points_equal_the_posed_mesh():
    body = stick_body(correctives=0.002)
    weights, state = random_points(body), random_state(3, 5)
    points = SkinnedPoints(body, weights).pose(state.betas, state.local_rotmats, state.transl).points
    posed = body(state.betas, rotmat_to_rotvec(state.local_rotmats), state.transl)
    torch.testing.assert_close(points, torch.from_numpy(weights) @ posed.vertices, atol=1e-9, rtol=0)


@given(seed=st.integers(0, 1000))
@settings(max_examples=5, deadline=None)
def test_pose_jacobian_agrees_with_finite_differences(seed):
    body = stick_body()
    points, state = SkinnedPoints(body, random_points(body, 20)), random_state(seed, 2)
    posed = points.pose(state.betas, state.local_rotmats, state.transl)
    jacobian = points.pose_jacobian(posed)
    for k in range(jacobian.shape[-1]):
        step = torch.zeros(2, jacobian.shape[-1], dtype=torch.float64)
        step[:, k] = 1e-6
        ahead, behind = (apply_step(state, posed, sign * step, None) for sign in (1, -1))
        moved = [points.pose(s.betas, s.local_rotmats, s.transl).points for s in (ahead, behind)]
        torch.testing.assert_close((moved[0] - moved[1]) / 2e-6, jacobian[..., k], atol=1e-6, rtol=1e-6)


def test_shape_jacobian_agrees_with_finite_differences():
    body = stick_body()
    points, state = SkinnedPoints(body, random_points(body, 20)), random_state(7, 3)
    jacobian = points.shape_jacobian(points.pose(state.betas, state.local_rotmats, state.transl))
    for k in range(4):
        step = 1e-6 * torch.eye(4, dtype=torch.float64)[k]
        moved = [
            points.pose(state.betas + s * step, state.local_rotmats, state.transl).points for s in (1, -1)
        ]
        torch.testing.assert_close((moved[0] - moved[1]) / 2e-6, jacobian[..., k], atol=1e-7, rtol=1e-6)


def test_offset_points_are_vertices_of_a_body_that_is_moved_at_rest():
    body, offset = stick_body(correctives=0.002), torch.tensor([0.01, -0.02, 0.03], dtype=torch.float64)
    chosen, state = np.arange(0, 250, 7), random_state(3, 4)
    points = SkinnedPoints(body, np.eye(body.num_vertices)[chosen])
    offsets = offset.expand(len(chosen), 3)
    posed = points.pose(state.betas, state.local_rotmats, state.transl, offsets)
    moved = replace(body, v_template=body.v_template + offset)
    expected = moved(state.betas, rotmat_to_rotvec(state.local_rotmats), state.transl).vertices[:, chosen]
    torch.testing.assert_close(posed.points, expected, atol=1e-9, rtol=0)
    start = points.pose(state.betas, state.local_rotmats, state.transl)
    carried = (points.offset_jacobian(start) @ offset[:, None])[..., 0]
    torch.testing.assert_close(posed.points - start.points, carried, atol=1e-12, rtol=0)


@given(seed=st.integers(0, 1000), angle=st.floats(0, 3.0))
def test_left_jacobian_inverse_agrees_with_finite_differences(seed, angle):
    rng = np.random.default_rng(seed)
    axis = rng.normal(size=3)
    rotvec = torch.from_numpy(angle * axis / np.linalg.norm(axis))
    step = 1e-6 * torch.eye(3, dtype=torch.float64)
    ahead, behind = (rotmat_to_rotvec(rotvec_to_rotmat(s * step) @ rotvec_to_rotmat(rotvec)) for s in (1, -1))
    torch.testing.assert_close(
        ((ahead - behind) / 2e-6).T, left_jacobian_inverse(rotvec), atol=1e-5, rtol=1e-5
    )


def test_solver_recovers_a_pose_from_its_points():
    body = stick_body(correctives=0.001)
    points, truth = SkinnedPoints(body, random_points(body)), random_state(11, 6)
    targets = points.pose(truth.betas, truth.local_rotmats, truth.transl).points
    turned = truth.local_rotmats.clone()
    noise = torch.from_numpy(np.random.default_rng(5).normal(0, 0.2, (6, NUM_SOLVED_JOINTS, 3)))
    turned[:, :NUM_SOLVED_JOINTS] = rotvec_to_rotmat(noise) @ turned[:, :NUM_SOLVED_JOINTS]
    start = PoseState(truth.betas, turned, truth.transl + 0.1)
    found = solve_pose(points, start, free_terms(targets), max_iterations=40)
    reached = points.pose(found.betas, found.local_rotmats, found.transl).points
    assert (points.pose(*vars(start).values()).points - targets).norm(dim=-1).mean() > 0.05
    assert (reached - targets).norm(dim=-1).max() < 2e-4


def test_solver_recovers_a_shape_from_a_few_poses():
    body = stick_body()
    points, truth = SkinnedPoints(body, random_points(body)), random_state(13, 8)
    targets = points.pose(truth.betas, truth.local_rotmats, truth.transl).points
    start = PoseState(torch.zeros_like(truth.betas), truth.local_rotmats, truth.transl)
    found = solve_shape_and_pose(points, start, free_terms(targets), max_iterations=60)
    torch.testing.assert_close(found.betas, truth.betas, atol=2e-2, rtol=0)


def test_bone_lengths_lengthen_their_bones_only():
    body = load_body()
    stretched = with_bone_lengths(body)
    betas = torch.zeros(stretched.num_betas)
    betas[body.num_betas + BONE_LENGTHS.index("thigh")] = 1.0
    before, after = body.shaped(torch.zeros(body.num_betas))[1], stretched.shaped(betas)[1]

    def length(joints, near, far):
        return float((joints[SMPLX_INDEX[far]] - joints[SMPLX_INDEX[near]]).norm())

    for side in ("left", "right"):
        ratios = [
            length(after, f"{side}_{a}", f"{side}_{b}") / length(before, f"{side}_{a}", f"{side}_{b}")
            for a, b in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"))
        ]
        np.testing.assert_allclose(ratios, [1 + UNIT, 1, 1], atol=1e-5)


def test_fit_follows_a_moving_skeleton_and_keeps_left_left(fitter):
    kinematics = moving_kinematics()
    fit = fitter.fit_pose(kinematics, fitter.fit_shape(kinematics, "female", 1.7, 65.0))
    assert fit.summary()["joints_mean_mm"] < 8
    assert fit.summary()["markers_mean_mm"] < 15
    joints = fitter.body.posed_joints(
        *(torch.from_numpy(a).float() for a in (fit.betas, fit.poses, fit.transl))
    )[0]
    targets = skeleton_targets(fitter.registration, kinematics).points
    names = fitter.registration.regressor.joint_names
    for side in ("left", "right"):
        for smplx, opensim in (("wrist", "radius_hand"), ("ankle", "ankle"), ("elbow", "elbow")):
            target = targets[:, names.index(f"{opensim}_{side[0]}")]
            distance = (joints[:, SMPLX_INDEX[f"{side}_{smplx}"]] - target).norm(dim=-1)
            assert distance.max() < 0.06, (side, smplx)


def test_guide_gives_head_and_fingers(fitter):
    kinematics = moving_kinematics(frames=3)
    guide = np.zeros((3, 55, 3))
    guide[:, [SMPLX_INDEX["head"], SMPLX_INDEX["left_index1"]]] = [0.1, 0.4, 0.0]
    fit = fitter.fit_pose(kinematics, np.zeros(fitter.body.num_betas), guide)
    for name, slack in (("left_index1", 1e-4), ("head", 0.03)):
        column = SMPLX_INDEX[name]
        np.testing.assert_allclose(fit.poses[:, column], guide[:, column], atol=slack)
    with pytest.raises(InputError, match="guide"):
        fitter.fit_pose(kinematics, np.zeros(fitter.body.num_betas), guide[:2])


def test_fingers_that_were_not_recorded_are_relaxed(fitter):
    segments = torch.eye(3, dtype=torch.float64).expand(2, len(SEGMENTS), 3, 3)
    hand_mean = fitter.body.hand_mean
    loose = loose_rotvecs(segments, hand_mean, np.zeros((2, 55, 3)))
    np.testing.assert_allclose(loose[:, SMPLX_INDEX["left_index1"] :], np.tile(hand_mean, (2, 1, 1)))


@pytest.mark.parametrize(("lean", "raised"), [(0.0, 0.0), (0.3, -0.09), (1.5, -0.4), (-1.5, 0.1)])
def test_head_makes_up_for_part_of_the_lean(lean, raised):
    """lean: of the chest to the front, rad; raised: rotation of neck and of head about the lateral axis."""
    upright = rotvec_to_rotmat(torch.tensor([np.pi / 2, 0.0, 0.0], dtype=torch.float64))
    leaning = upright @ rotvec_to_rotmat(torch.tensor([lean, 0.0, 0.0], dtype=torch.float64))
    segments = leaning.expand(1, len(SEGMENTS), 3, 3)
    np.testing.assert_allclose(head_posture(segments)[0], [raised, 0, 0], atol=1e-6)


def test_stature_scales_with_the_skeleton():
    generic = full_body_model()
    assert stature_of(generic) == pytest.approx(1.70)
    assert stature_of(scale_model(generic, np.full((len(generic.bodies), 3), 1.1))) == pytest.approx(
        1.87, abs=1e-3
    )


def test_fit_turns_with_its_skeleton(fitter):
    """A skeleton turned about the vertical and moved gives the same body, turned and moved."""
    kinematics = moving_kinematics(frames=6)
    betas = np.zeros(fitter.body.num_betas)
    fit = fitter.fit_pose(kinematics, betas)
    moved = kinematics.coordinates.copy()
    moved[:, kinematics.model.coordinate_names.index("pelvis_tx")] += 1.0
    shifted = fitter.fit_pose(replace(kinematics, coordinates=moved), betas)
    np.testing.assert_allclose(shifted.transl - fit.transl, np.tile([1.0, 0, 0], (6, 1)), atol=1e-3)
    np.testing.assert_allclose(shifted.joint_errors_mm, fit.joint_errors_mm, atol=0.2)


def test_virtual_markers_are_the_bodys_vertices(fitter):
    body, layout = fitter.unstretched, fitter.registration.layout
    rng = np.random.default_rng(2)
    betas, poses, transl = rng.normal(0, 1, body.num_betas), sample_poses(rng, 3), rng.normal(0, 1, (3, 3))
    markers = virtual_markers(body, layout, betas, poses, transl, 60.0, Source("x", "test"))
    with torch.no_grad():
        mesh = body(*(torch.from_numpy(a).float() for a in (betas, poses, transl))).vertices.numpy()
    assert markers.names == layout.names
    assert markers.frame == "world"
    np.testing.assert_allclose(markers.positions, mesh[:, layout.vertices], atol=1e-5)


@pytest.mark.shared
@pytest.mark.skipif(not WALK.exists(), reason="the recorded walk is not beside the project")
def test_fit_follows_a_recorded_walk(fitter):
    kinematics = load_opensim_motion(WALK / "ik_output_walk.mot", WALK / "subject_scaled_walk.osim")
    kinematics = replace(kinematics, coordinates=kinematics.coordinates[::6], rate=kinematics.rate / 6)
    fit = fitter.fit_pose(kinematics, fitter.fit_shape(kinematics, "male", 1.83, kinematics.model.mass))
    assert fit.summary()["joints_mean_mm"] < 5
    assert fit.summary()["joints_p95_mm"] < 12
    assert fit.summary()["markers_mean_mm"] < 12


def test_bad_input_is_named(fitter):
    kinematics = moving_kinematics(frames=3)
    with pytest.raises(InputError, match="betas"):
        fitter.fit_pose(kinematics, np.zeros(3))
    other = replace(kinematics.model, joints=kinematics.model.joints[:-1])
    with pytest.raises(InputError, match="no joint 'radius_hand_l'"):
        fitter.fit_shape(replace(kinematics, model=other))
    with pytest.raises(InputError, match="coordinates"):
        fitter.fit_shape(replace(kinematics, coordinates=kinematics.coordinates[:, :-1]))
    with pytest.raises(InputError, match="finite"):
        fitter.fit_shape(replace(kinematics, coordinates=np.full_like(kinematics.coordinates, np.nan)))
    with pytest.raises(InputError, match="scale_factors"):
        fitter.fit_shape(replace(kinematics, scale_factors=kinematics.scale_factors[:-1]))
