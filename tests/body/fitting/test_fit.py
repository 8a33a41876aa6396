"""The fit of a body to a skeleton."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from odah.body.fitting.body_fitter import BodyFitter, virtual_markers
from odah.body.fitting.targets import head_posture, loose_rotvecs, skeleton_targets, stature_of
from odah.body.model import load_body
from odah.body.registration import load_registration
from odah.body.registration.pose_sampling import sample_poses
from odah.body.shape.bone_lengths import BONE_LENGTHS, UNIT, with_bone_lengths
from odah.body.so3 import rotvec_to_rotmat
from odah.errors import InputError
from odah.motion.types import Source
from odah.names import SEGMENTS, SMPLX_INDEX
from odah.osim.full_body import full_body_model
from odah.osim.kinematics import Kinematics, load_opensim_motion
from odah.osim.scale import scale_model

SHARED = Path(__file__).parents[3].parent / "shared" / "data"
WALK = SHARED / "opensim_models" / "reference_ik_opensim_4.6"


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
    fit = fitter.fit_pose(kinematics, fitter.fit_subject(kinematics, "female", 1.7, 65.0))
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
    np.testing.assert_allclose(markers.positions, layout.points(mesh), atol=1e-5)


@pytest.mark.shared
@pytest.mark.skipif(not WALK.exists(), reason="the recorded walk is not beside the project")
def test_fit_follows_a_recorded_walk(fitter):
    kinematics = load_opensim_motion(WALK / "ik_output_walk.mot", WALK / "subject_scaled_walk.osim")
    kinematics = replace(kinematics, coordinates=kinematics.coordinates[::6], rate=kinematics.rate / 6)
    fit = fitter.fit_pose(kinematics, fitter.fit_subject(kinematics, "male", 1.83, kinematics.model.mass))
    assert fit.summary()["joints_mean_mm"] < 5
    assert fit.summary()["joints_p95_mm"] < 12
    assert fit.summary()["markers_mean_mm"] < 12


def test_bad_input_is_named(fitter):
    kinematics = moving_kinematics(frames=3)
    with pytest.raises(InputError, match="betas"):
        fitter.fit_pose(kinematics, np.zeros(3))
    other = replace(kinematics.model, joints=kinematics.model.joints[:-1])
    with pytest.raises(InputError, match="no joint 'radius_hand_l'"):
        fitter.fit_subject(replace(kinematics, model=other))
    with pytest.raises(InputError, match="coordinates"):
        fitter.fit_subject(replace(kinematics, coordinates=kinematics.coordinates[:, :-1]))
    with pytest.raises(InputError, match="finite"):
        fitter.fit_subject(replace(kinematics, coordinates=np.full_like(kinematics.coordinates, np.nan)))
    with pytest.raises(InputError, match="scale_factors"):
        fitter.fit_subject(replace(kinematics, scale_factors=kinematics.scale_factors[:-1]))
