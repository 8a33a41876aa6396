"""The body that ships: its geometry, its people, and how it bends."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from odah.body.build.phenotypes import measure
from odah.body.build.poses import random_poses
from odah.body.model import OPEN_BODY_FILE, BodyModel, load_body
from odah.errors import InputError
from odah.names import FINGERS, SIDES, SMPLX_INDEX, SMPLX_PARENTS

BODY = load_body()


def rest_joint(name: str) -> np.ndarray:
    return BODY.joint_template[SMPLX_INDEX[name]].numpy()


def posed(body: BodyModel, betas: np.ndarray) -> np.ndarray:
    return body(torch.as_tensor(betas)).vertices.numpy()


def test_file_is_small_and_its_licence_lies_beside_it() -> None:
    assert OPEN_BODY_FILE.stat().st_size < 12e6
    assert "CC0" in (OPEN_BODY_FILE.parent / "LICENSE").read_text()


def test_surface_is_closed_and_consistently_oriented() -> None:
    edges = np.concatenate([BODY.faces[:, [0, 1]], BODY.faces[:, [1, 2]], BODY.faces[:, [2, 0]]])
    directed = {tuple(e) for e in edges}
    assert len(directed) == len(edges)
    assert all((b, a) in directed for a, b in directed)
    assert len(np.unique(BODY.faces)) == BODY.num_vertices


def test_weights_are_convex_and_few_a_vertex() -> None:
    weights = BODY.lbs_weights.numpy()
    assert weights.min() >= 0
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-5)
    assert (weights > 1e-3).sum(1).max() <= 12


def test_t_pose_is_smplx_s() -> None:
    """Left is +X, up +Y, front +Z; arms level, palms down, legs slightly apart."""
    for side, sign in zip(SIDES, (1, -1), strict=True):
        arm = rest_joint(f"{side}_wrist") - rest_joint(f"{side}_shoulder")
        assert sign * arm[0] > 0.98 * np.linalg.norm(arm)
        thumb_ahead = rest_joint(f"{side}_thumb3") - rest_joint(f"{side}_pinky3")
        assert thumb_ahead[2] > 0.05
        assert 0.03 < sign * rest_joint(f"{side}_ankle")[0] < 0.2
        toes = rest_joint(f"{side}_foot") - rest_joint(f"{side}_ankle")
        assert toes[2] > 0.08
    assert rest_joint("head")[1] > rest_joint("pelvis")[1] > rest_joint("left_knee")[1]
    # A knee bends the foot backwards, an elbow brings the hand forwards.
    poses = torch.zeros(55, 3)
    poses[SMPLX_INDEX["left_knee"], 0] = 1.0
    poses[SMPLX_INDEX["left_elbow"], 1] = -1.0
    joints = BODY(None, poses).joints.numpy()
    assert joints[SMPLX_INDEX["left_ankle"], 2] < rest_joint("left_ankle")[2] - 0.2
    assert joints[SMPLX_INDEX["left_wrist"], 2] > rest_joint("left_wrist")[2] + 0.15


def test_relaxed_fingers_curl_towards_the_palm() -> None:
    poses = torch.zeros(55, 3)
    poses[25:] = torch.as_tensor(BODY.hand_mean)
    joints = BODY(None, poses).joints.numpy()
    for side in SIDES:
        for finger in ("index", "middle", "ring", "pinky"):
            tip = SMPLX_INDEX[f"{side}_{finger}3"]
            assert 0.005 < rest_joint(f"{side}_{finger}3")[1] - joints[tip, 1] < 0.06


def test_template_is_symmetric() -> None:
    vertices = BODY.v_template.numpy()
    np.testing.assert_allclose(vertices[BODY.mirror] * [-1, 1, 1], vertices, atol=1e-5)
    assert np.array_equal(BODY.mirror[BODY.mirror], np.arange(BODY.num_vertices))


def test_joints_lie_inside_the_limbs() -> None:
    """The skin all around a joint: its own vertices on every side of it."""
    vertices, weights = BODY.v_template.numpy(), BODY.lbs_weights.numpy()
    for side in SIDES:
        for name in ("knee", "elbow", "ankle", "wrist", *(f"{f}2" for f in FINGERS)):
            joint = SMPLX_INDEX[f"{side}_{name}"]
            around = vertices[(weights[:, joint] > 0.05) & (weights[:, SMPLX_PARENTS[joint]] > 0.05)]
            offset = around.mean(0) - rest_joint(f"{side}_{name}")
            assert np.linalg.norm(offset) < np.linalg.norm(np.ptp(around, axis=0)) / 2, name


def test_groups_name_what_they_say() -> None:
    groups, vertices = BODY.groups, BODY.v_template.numpy()
    parts = [
        "head",
        "neck",
        "torso",
        *(f"{s}_{p}" for s in SIDES for p in ("hand", "foot", "thigh", "forearm")),
    ]
    for a, b in pairwise(parts):
        assert not np.intersect1d(groups[a], groups[b]).size
    eyes = np.concatenate([groups[g] for g in ("pupil", "iris", "sclera")])
    assert len(np.unique(eyes)) == len(eyes) == (BODY.lbs_weights[:, 23:25].sum(1) > 0.9).sum()
    nose = vertices[groups["landmark_nose"][0]]
    assert vertices[groups["lips"], 1].max() < nose[1] < vertices[groups["eyebrows"], 1].min()
    assert vertices[groups["scalp"], 1].max() == vertices[:, 1].max()
    for side, sign in zip(SIDES, (1, -1), strict=True):
        assert (sign * vertices[groups[f"{side}_nails"], 0] > 0.5).all()
        assert vertices[groups[f"landmark_{side}_heel"][0], 1] < -1.1


@settings(max_examples=15, deadline=None)
@given(
    st.floats(1.5, 1.95), st.floats(18, 34), st.sampled_from(["male", "female", "neutral"]),
    st.floats(0.2, 0.8), st.floats(20, 70),
)  # fmt: skip
def test_attributes_are_met(height: float, bmi: float, gender: str, muscle: float, age: float) -> None:
    betas = BODY.betas_from_attributes(height, bmi, gender, muscle, age)
    measured = measure(posed(BODY, betas)[None], BODY.faces)
    assert measured.height[0] == pytest.approx(height, abs=0.003)
    assert measured.bmi[0] == pytest.approx(bmi, abs=1.2)  # 1.15 at a tall, muscular, heavy woman


@pytest.mark.parametrize(("gender", "mean_height"), [("male", 1.76), ("female", 1.63), ("neutral", 1.695)])
def test_random_adults_are_plausible(gender: str, mean_height: float) -> None:
    betas = BODY.sample_betas(np.random.default_rng(0), gender, 60)
    measured = measure(posed(BODY, betas), BODY.faces)
    assert measured.height.mean() == pytest.approx(mean_height, abs=0.04)
    assert 1.4 < measured.height.min() < measured.height.max() < 2.1
    assert 14 < measured.bmi.min() < measured.bmi.max() < 42
    again = BODY.sample_betas(np.random.default_rng(0), gender, 60)
    np.testing.assert_array_equal(betas, again)


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("height", {"height": 17.0, "bmi": 22}),
        ("bmi", {"height": 1.7, "bmi": 80}),
        ("muscle", {"height": 1.7, "bmi": 22, "muscle": 2}),
        ("age", {"height": 1.7, "bmi": 22, "age": float("nan")}),
        ("gender", {"height": 1.7, "bmi": 22, "gender": "x"}),
    ],
)
def test_impossible_attributes_are_named(field: str, arguments: dict) -> None:
    with pytest.raises(InputError, match=field):
        BODY.betas_from_attributes(**arguments)


def test_no_spikes_in_any_pose() -> None:
    """No edge outside the fingers and face gets longer than the skin could stretch."""
    rng = np.random.default_rng(5)
    poses = torch.as_tensor(random_poses(rng, 12))
    betas = torch.as_tensor(BODY.sample_betas(rng, "neutral", 12))
    edges = np.unique(np.sort(BODY.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0)

    def lengths(vertices: torch.Tensor) -> np.ndarray:
        return (vertices[:, edges[:, 0]] - vertices[:, edges[:, 1]]).norm(dim=-1).numpy()

    growth = lengths(BODY(betas, poses).vertices) - lengths(BODY(betas).vertices)
    assert growth.max() < 0.06
    assert np.quantile(growth, 0.999) < 0.015
