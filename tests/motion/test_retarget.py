"""Retargeting: a skeleton that is the body itself comes back unchanged, whatever pose it rests in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from odah.motion.asf_amc import read_amc
from odah.motion.bvh import read_bvh
from odah.motion.retarget import REST_PELVIS, average_rest_joints, retarget
from odah.motion.roles import find_roles
from odah.motion.skeleton import Skeleton, SkeletonMotion, pose_tree, skeleton_motion
from odah.motion.types import Source
from odah.names import SMPLX_BODY_JOINTS, SMPLX_INDEX, SMPLX_PARENTS

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
PARENTS = SMPLX_PARENTS[:22]
REST = average_rest_joints()
R_WORLD_REST = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # standing, facing -y
HINGE_DEG = {
    "left_knee": (1, 0, 0),
    "right_knee": (1, 0, 0),
    "left_elbow": (0, -1, 0),
    "right_elbow": (0, 1, 0),
}


def offsets_of(rest: np.ndarray) -> np.ndarray:
    return np.array([rest[j] - rest[p] if p >= 0 else np.zeros(3) for j, p in enumerate(PARENTS)])


def random_local_rotmats(seed: int, num_frames: int = 4) -> np.ndarray:
    """A random pose of every joint; knees and elbows bend about the hinges of the rest pose only."""
    rng = np.random.default_rng(seed)
    rotvecs = rng.normal(scale=0.6, size=(num_frames, 22, 3))
    straight = _straight_limb_hinges()
    for name in HINGE_DEG:
        rotvecs[:, SMPLX_INDEX[name]] = rng.uniform(0.6, 1.8, size=(num_frames, 1)) * straight[name]
    rotvecs[:, [SMPLX_INDEX[f"{side}_wrist"] for side in ("left", "right")]] = 0
    return Rotation.from_rotvec(rotvecs.reshape(-1, 3)).as_matrix().reshape(num_frames, 22, 3, 3)


def _straight_limb_hinges() -> dict[str, np.ndarray]:
    """Knees: across the leg's plane with forward; elbows the same, with the sign of flexion."""
    hinges = {}
    for side in ("left", "right"):
        for first, middle, last, sign in (
            ("hip", "knee", "ankle", -1.0),
            ("shoulder", "elbow", "wrist", 1.0),
        ):
            whole = REST[SMPLX_INDEX[f"{side}_{last}"]] - REST[SMPLX_INDEX[f"{side}_{first}"]]
            hinge = sign * np.cross(whole, [0, 0, 1.0])
            hinges[f"{side}_{middle}"] = hinge / np.linalg.norm(hinge)
    return hinges


def body_motion(local_rotmats: np.ndarray, rest: np.ndarray = REST) -> SkeletonMotion:
    """The SMPL-X body itself as a moving skeleton, standing at (1, 2, 0.9) m."""
    offsets = offsets_of(rest)
    skeleton = Skeleton(SMPLX_BODY_JOINTS, PARENTS, offsets, find_roles(SMPLX_BODY_JOINTS, PARENTS, "test"))
    world = local_rotmats.copy()
    world[:, 0] = R_WORLD_REST @ local_rotmats[:, 0]
    positions = np.broadcast_to(offsets, (len(world), 22, 3)).copy()
    positions[:, 0] = 1.0, 2.0, 0.9
    rotmats, positions = pose_tree(PARENTS, world, positions)
    return SkeletonMotion(skeleton, rotmats, positions, 120.0, Source("test", "test"))


def rerested(motion: SkeletonMotion, turns: dict[str, np.ndarray]) -> SkeletonMotion:
    """The same motion told by a skeleton that rests with the named joints (and what hangs on them) turned."""
    turned = np.broadcast_to(np.eye(3), (1, 22, 3, 3)).copy()
    for name, rotmat in turns.items():
        turned[:, SMPLX_INDEX[name]] = rotmat
    rest_rotmats, rest = pose_tree(PARENTS, turned, motion.skeleton.offsets)
    skeleton = replace(motion.skeleton, offsets=offsets_of(rest[0]))
    return replace(motion, skeleton=skeleton, rotmats=motion.rotmats @ rest_rotmats.swapaxes(-1, -2))


def world_rotmats(poses: np.ndarray) -> np.ndarray:
    local = Rotation.from_rotvec(poses[:, :22].reshape(-1, 3)).as_matrix().reshape(-1, 22, 3, 3)
    return pose_tree(PARENTS, local, np.zeros((22, 3)))[0]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_body_itself_comes_back_unchanged(seed):
    source = body_motion(random_local_rotmats(seed))
    motion = retarget(source)
    np.testing.assert_allclose(world_rotmats(motion.poses), source.rotmats, atol=1e-9)
    assert not motion.poses[:, 22:].any()
    np.testing.assert_allclose(motion.transl + REST_PELVIS, source.positions[:, 0], atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), arms_deg=st.floats(0, 90), legs_deg=st.floats(-10, 25))
def test_the_rest_pose_of_the_source_does_not_matter(seed, arms_deg, legs_deg):
    """Arms hanging or out, legs together or apart: limbs have the same directions and hinges in world."""
    source = body_motion(random_local_rotmats(seed))
    turns = {}
    for side, sign in (("left", 1), ("right", -1)):
        turns[f"{side}_shoulder"] = Rotation.from_euler("z", -sign * arms_deg, degrees=True).as_matrix()
        turns[f"{side}_hip"] = Rotation.from_euler("z", sign * legs_deg, degrees=True).as_matrix()
    told_otherwise = retarget(rerested(source, turns))
    limbs = [
        SMPLX_INDEX[f"{side}_{j}"] for side in ("left", "right") for j in ("hip", "knee", "shoulder", "elbow")
    ]
    np.testing.assert_allclose(
        world_rotmats(told_otherwise.poses)[:, limbs], source.rotmats[:, limbs], atol=1e-9
    )


def test_a_source_that_rests_with_its_arms_forward():
    source = body_motion(random_local_rotmats(7))
    turns = {
        f"{side}_shoulder": Rotation.from_euler("y", -sign * 90, degrees=True).as_matrix()
        for side, sign in (("left", 1), ("right", -1))
    }
    found = world_rotmats(retarget(rerested(source, turns)).poses)
    arms = [
        SMPLX_INDEX[f"{side}_{joint}"]
        for side in ("left", "right")
        for joint in ("shoulder", "elbow", "wrist")
    ]
    np.testing.assert_allclose(found[:, arms], source.rotmats[:, arms], atol=0.05)


def test_an_elbow_hinge_that_rests_rolled_is_found_from_the_motion():
    """CMU skeletons rest with the elbow pit 30 degrees up; the roll is the shoulder's, not the elbow's."""
    source = body_motion(random_local_rotmats(3))
    arm = REST[SMPLX_INDEX["left_elbow"]] - REST[SMPLX_INDEX["left_shoulder"]]
    arm = arm / np.linalg.norm(arm)
    roll = Rotation.from_rotvec(np.deg2rad(30) * arm).as_matrix()
    found = world_rotmats(retarget(rerested(source, {"left_shoulder": roll, "left_wrist": roll.T})).poses)
    joints = [SMPLX_INDEX["left_shoulder"], SMPLX_INDEX["left_elbow"]]
    difference = Rotation.from_matrix(
        (found[:, joints].swapaxes(-1, -2) @ source.rotmats[:, joints]).reshape(-1, 3, 3)
    )
    assert difference.magnitude().max() < np.deg2rad(
        2.5
    )  # arm and forearm of the rest pose are not quite in line


def test_half_of_the_hands_twist_goes_to_the_forearm():
    local = random_local_rotmats(5)
    axis = REST[SMPLX_INDEX["left_wrist"]] - REST[SMPLX_INDEX["left_elbow"]]
    axis = axis / np.linalg.norm(axis)
    local[:, SMPLX_INDEX["left_wrist"]] = Rotation.from_rotvec(0.8 * axis).as_matrix()
    source = body_motion(local)
    motion = retarget(source)
    np.testing.assert_allclose(motion.poses[:, SMPLX_INDEX["left_wrist"]], [0.4 * axis] * 4, atol=1e-9)
    wrist = world_rotmats(motion.poses)[:, SMPLX_INDEX["left_wrist"]]
    np.testing.assert_allclose(wrist, source.rotmats[:, SMPLX_INDEX["left_wrist"]], atol=1e-9)


def test_hips_go_where_the_sources_hips_are_on_a_larger_person():
    source = body_motion(random_local_rotmats(1), rest=REST * 1.2)
    motion = retarget(source)
    assert motion.leg_length == pytest.approx(1.2 * retarget(body_motion(random_local_rotmats(1))).leg_length)
    np.testing.assert_allclose(motion.transl + REST_PELVIS, source.positions[:, 0], atol=1e-9)


@pytest.mark.parametrize("num_source", [1, 2, 4, 5])
def test_spines_of_other_lengths_bend_as_far_in_all(num_source):
    """A spine bent evenly by 60 degrees ends bent by at most that and, in the middle, by half of it."""
    names = ["pelvis", *(f"spine_{k}" for k in range(num_source)), "neck", "head"]
    parents = list(range(-1, len(names) - 1))
    offsets = [(0.0, 0.0, 0.0), *[(0.0, 0.4 / num_source, 0.0)] * num_source, (0, 0.05, 0), (0, 0.1, 0)]
    limbs = {"hip": (0.1, -0.1, 0), "knee": (0, -0.4, 0), "ankle": (0, -0.4, 0), "shoulder": (0.2, 0, 0),
             "elbow": (0.3, 0, 0), "wrist": (0.25, 0, 0)}  # fmt: skip
    for side, sign in (("left", 1), ("right", -1)):
        for joint, (x, y, z) in limbs.items():
            parent = {"hip": 0, "shoulder": num_source}.get(joint, len(names) - 1)
            names.append(f"{side}_{joint}")
            parents.append(parent)
            offsets.append((sign * x, y, z))
    local = np.broadcast_to(np.eye(3), (1, len(names), 3, 3)).copy()
    local[:, 1 : num_source + 1] = Rotation.from_euler("x", 60 / num_source, degrees=True).as_matrix()
    source = skeleton_motion(
        names,
        parents,
        np.array(offsets),
        local,
        np.array([offsets]),
        rate=30.0,
        source=Source("test", "test"),
        up="y",
    )
    world = world_rotmats(retarget(source).poses)
    upright = world[:, 0].swapaxes(-1, -2)
    bend = [
        Rotation.from_matrix(upright @ world[:, SMPLX_INDEX[f"spine{k}"]]).magnitude()[0] for k in (1, 2, 3)
    ]
    first, middle, last = np.rad2deg(bend)
    assert first <= middle <= last <= 60 + 1e-6
    assert last == pytest.approx(60) or num_source > 3
    assert middle == pytest.approx(60 * (num_source + 1) / (2 * num_source))


@pytest.mark.shared
@pytest.mark.parametrize("name", ["asfamc/11_01.amc", "bvh_cgspeed/10_05.bvh"])
def test_the_right_leg_kicks_forward_and_knees_bend_backwards(name):
    path = SHARED / "cmu_mocap" / name
    if not path.exists():
        pytest.skip(f"{name} is not beside the project")
    source = read_amc(path) if path.suffix == ".amc" else read_bvh(path)
    motion = retarget(source)
    ankles = [source.skeleton.roles.limbs[f"{side}_ankle"] for side in ("left", "right")]
    assert source.positions[:, ankles[1], 2].max() > source.positions[:, ankles[0], 2].max() + 0.1
    knees = motion.poses[:, [SMPLX_INDEX["left_knee"], SMPLX_INDEX["right_knee"]]]
    assert (knees[..., 0] > -0.1).all()
    assert np.abs(knees[..., 1:]).max() < 0.1
    assert knees[:, 1, 0].max() > 1.2
