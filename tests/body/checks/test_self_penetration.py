"""Self-penetration against exact signed distances of the whole mesh."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import trimesh
from scipy.spatial import KDTree

from odah.body.checks.body_sample import BodySample, part_of_joint, sample_body
from odah.body.checks.self_penetration import self_penetration
from odah.body.model import BodyModel, load_body
from odah.names import SIDES, SMPLX_INDEX, SMPLX_JOINTS

TOLERANCE_MM = 8.0


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return load_body()


@pytest.fixture(scope="module")
def sample(body: BodyModel) -> BodySample:
    return sample_body(body, np.zeros(16))


def pose(**rotvecs: tuple[float, float, float]) -> np.ndarray:
    """(1, 55, 3) the T-pose with some joints turned, arms hanging a little away from the body."""
    poses = np.zeros((1, 55, 3))
    for joint, rotvec in ({"left_shoulder": (0, 0, -1.1), "right_shoulder": (0, 0, 1.1)} | rotvecs).items():
        poses[0, SMPLX_INDEX[joint]] = rotvec
    return poses


def overlaps(sample: BodySample, poses: np.ndarray):
    return self_penetration(sample, *sample.posed(poses, np.zeros((len(poses), 3))))


def winding_numbers(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(P,) generalized winding numbers (Jacobson et al. 2013): 1 inside, 0 outside, holes or not."""
    a, b, c = (triangles[None, :, k] - points[:, None] for k in range(3))
    la, lb, lc = (np.linalg.norm(x, axis=-1) for x in (a, b, c))
    volume = (a * np.cross(b, c)).sum(-1)
    other = la * lb * lc + (a * b).sum(-1) * lc + (b * c).sum(-1) * la + (c * a).sum(-1) * lb
    return 2 * np.arctan2(volume, other).sum(axis=1) / (4 * np.pi)


def exact_depth_mm(body: BodyModel, poses: np.ndarray, part: str) -> float:
    """The greatest depth of a part of one arm below the surface of the body without that arm."""
    vertices = body(None, torch.as_tensor(poses[0])).vertices.double().numpy()
    parts = np.array([part_of_joint(name) for name in SMPLX_JOINTS])[body.lbs_weights.argmax(1).numpy()]
    side = part.split()[0]
    is_off = np.isin(parts, [f"{side} hand", f"{side} forearm", f"{side} upper arm", ""])
    triangles = vertices[body.faces[~is_off[body.faces].any(axis=1)]]
    points = vertices[parts == part][::3]
    near = KDTree(triangles.mean(axis=1)).query(points, k=40)[1]
    closest = trimesh.triangles.closest_point(triangles[near.ravel()], np.repeat(points, 40, axis=0))
    distance = np.linalg.norm(closest.reshape(-1, 40, 3) - points[:, None], axis=-1).min(axis=1)
    return 1e3 * float(np.where(winding_numbers(points, triangles) > 0.5, distance, -distance).max())


def test_the_rest_pose_and_hanging_arms_are_free(sample: BodySample) -> None:
    assert overlaps(sample, np.zeros((1, 55, 3))) == ()
    assert overlaps(sample, pose()) == ()


@pytest.mark.parametrize(
    ("rotvecs", "part", "other"),
    [
        ({"left_shoulder": (0, 0, -1.55)}, "left hand", "left thigh"),
        ({"right_shoulder": (0, 0, 1.7)}, "right forearm", "right thigh"),
        ({"left_shoulder": (0, 0, 0.5), "left_elbow": (0, 0, 2.4)}, "left hand", "head"),
    ],
)
def test_depth_of_an_arm_in_the_body_is_the_exact_one(
    body: BodyModel, sample: BodySample, rotvecs: dict, part: str, other: str
) -> None:
    found = {overlap.part: overlap for overlap in overlaps(sample, pose(**rotvecs)) if overlap.other == other}
    exact = exact_depth_mm(body, pose(**rotvecs), part)
    assert exact > 20, "the pose shows nothing"
    assert found[part].depth_mm == pytest.approx(exact, abs=TOLERANCE_MM)
    assert all(name.startswith(part.split()[0]) for name in found), "the other arm is free"


def test_a_leg_in_the_other_is_found_on_both_sides(sample: BodySample) -> None:
    found = overlaps(sample, pose(left_hip=(0, 0, -0.35)))
    assert {(o.part, o.other) for o in found} >= {
        ("left shank", "right shank"),
        ("right shank", "left shank"),
    }


def test_mirrored_poses_have_mirrored_overlaps(sample: BodySample) -> None:
    left = overlaps(sample, pose(left_shoulder=(0, 0, -1.55)))
    right = overlaps(sample, pose(right_shoulder=(0, 0, 1.55)))
    swapped = {
        tuple(
            name.replace(SIDES[0], "?").replace(SIDES[1], SIDES[0]).replace("?", SIDES[1]) for name in names
        )
        for names in ((o.part, o.other) for o in left)
    }
    assert swapped == {(o.part, o.other) for o in right}
    assert left[0].depth_mm == pytest.approx(right[0].depth_mm, abs=3)


def test_shares_count_frames_and_frames_do_not_depend_on_each_other(sample: BodySample) -> None:
    free, bad = pose(), pose(left_shoulder=(0, 0, -1.55))
    alone = overlaps(sample, bad)[0]
    poses = np.concatenate([free] * 66 + [bad] * 4 + [free] * 10)
    among = overlaps(sample, poses)[0]
    assert among.share == pytest.approx(4 / 80)
    assert among.depth_mm == pytest.approx(alone.depth_mm, abs=1e-3)
    assert (among.part, among.other) == (alone.part, alone.other)


def test_parts_of_joints() -> None:
    assert [
        part_of_joint(name) for name in ("left_collar", "right_foot", "left_pinky2", "jaw", "left_eye")
    ] == [*("trunk", "right foot", "left hand", "head", "")]


def test_the_sample_is_thin_and_its_normals_point_outward(body: BodyModel, sample: BodySample) -> None:
    assert len(sample.parts) < 4000
    points, normals = sample.posed(np.zeros((1, 55, 3)), np.zeros((1, 3)))
    np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1, atol=1e-5)
    vertices, _ = body.shaped(torch.zeros(16))
    triangles = vertices.double().numpy()[body.faces]
    trunk = np.flatnonzero(sample.parts == "trunk")[::10]
    outside = (points + 0.01 * normals)[0, trunk].astype(float)
    assert (winding_numbers(outside, triangles) < 0.5).all()
