"""The body model's interface: what betas, poses and transl do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from odah.body.model import BodyModel, load_body
from odah.body.shape.bone_lengths import BONE_LENGTHS, with_bone_lengths
from odah.errors import InputError, OdahError
from odah.names import SMPLX_INDEX, SMPLX_JOINTS

MIRROR = torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64)


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return load_body(dtype=torch.float64)


def random_inputs(body: BodyModel, frames: int, seed: int = 0) -> tuple[torch.Tensor, ...]:
    rng = np.random.default_rng(seed)
    shapes = ((body.num_betas,), (frames, 55, 3), (frames, 3))
    return tuple(torch.as_tensor(rng.normal(0, s, n)) for s, n in zip((1, 0.3, 1), shapes, strict=True))


def test_zero_pose_is_the_template(body: BodyModel) -> None:
    rest = body()
    torch.testing.assert_close(rest.vertices, body.v_template)
    torch.testing.assert_close(rest.joints, body.joint_template)
    torch.testing.assert_close(rest.joint_rotmats, torch.eye(3).to(body.v_template).expand(55, 3, 3))


def test_root_turns_about_the_pelvis_and_transl_is_added_after(body: BodyModel) -> None:
    betas, poses, transl = random_inputs(body, 1)
    still = poses.clone()
    still[:, 0] = 0
    turn = torch.as_tensor(Rotation.from_rotvec(poses[0, 0].numpy()).as_matrix())
    pelvis = body.joint_template[0] + body.joint_shapedirs[0] @ betas
    expected = (body(betas, still).vertices - pelvis) @ turn.T + pelvis + transl[:, None]
    torch.testing.assert_close(body(betas, poses, transl).vertices, expected)


def test_one_betas_serves_all_frames(body: BodyModel) -> None:
    betas, poses, transl = random_inputs(body, 3)
    together = body(betas, poses, transl)
    each = [body(betas, p, t) for p, t in zip(poses, transl, strict=True)]
    assert together.vertices.shape == (3, body.num_vertices, 3)
    torch.testing.assert_close(together.vertices, torch.stack([e.vertices for e in each]))
    torch.testing.assert_close(together.joints, torch.stack([e.joints for e in each]))
    torch.testing.assert_close(together.vertices, body(betas.expand(3, -1), poses, transl).vertices)


def test_restricted_body_and_joints_agree_with_the_whole(body: BodyModel) -> None:
    betas, poses, transl = random_inputs(body, 2)
    whole = body(betas, poses, transl)
    chosen = np.array([9120, 17, 17, 13000])
    torch.testing.assert_close(
        body.restricted_to(chosen)(betas, poses, transl).vertices, whole.vertices[:, chosen]
    )
    joints, rotmats = body.posed_joints(betas, poses, transl)
    torch.testing.assert_close(joints, whole.joints)
    torch.testing.assert_close(rotmats, whole.joint_rotmats)


def test_mirrored_pose_gives_the_mirrored_body(body: BodyModel) -> None:
    assert body.mirror is not None
    poses = random_inputs(body, 1)[1]
    other_side = [
        SMPLX_INDEX[n.replace("left", "right") if "left" in n else n.replace("right", "left")]
        for n in SMPLX_JOINTS
    ]
    mirrored = poses[:, other_side] * torch.tensor([1.0, -1.0, -1.0])
    difference = body(None, mirrored).vertices[:, body.mirror] * MIRROR - body(None, poses).vertices
    assert difference.norm(dim=-1).mean() < 0.5e-3
    assert difference.norm(dim=-1).max() < 12e-3


def test_gradients_reach_betas_poses_and_transl(body: BodyModel) -> None:
    few = body.restricted_to([5, 4000, 9120])
    inputs = tuple(x.requires_grad_() for x in random_inputs(body, 2))
    assert torch.autograd.gradcheck(lambda *x: few(*x).vertices, inputs, eps=1e-6, atol=1e-5)


def test_animate_gives_every_frame_in_single_precision(body: BodyModel) -> None:
    betas, poses, transl = random_inputs(body, 5)
    clip = body.animate(betas, poses, transl, rate=30.0, chunk=2)
    assert clip.vertices.dtype == np.float32
    assert clip.num_frames == 5
    np.testing.assert_allclose(clip.vertices, body(betas, poses, transl).vertices.numpy(), atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"betas": torch.zeros(10)}, "betas"),
        ({"poses": torch.zeros(24, 3)}, "poses"),
        ({"poses": torch.zeros(165)}, "poses"),
        ({"transl": torch.zeros(2)}, "transl"),
    ],
)
def test_wrong_lengths_are_named(body: BodyModel, arguments: dict, field: str) -> None:
    with pytest.raises(InputError, match=field):
        body(**arguments)


@pytest.mark.parametrize(
    ("betas", "poses", "transl", "field"),
    [
        ((10,), (5, 55, 3), (5, 3), "betas"),
        ((3, 16), (5, 55, 3), (5, 3), "betas: found shape .3, 16., expected one row or 5"),
        ((16,), (5, 55, 3), (4, 3), "transl"),
        ((16,), (55, 3), (1, 3), "poses"),
    ],
)
def test_a_clip_s_arrays_have_the_same_frames(
    body: BodyModel, betas: tuple, poses: tuple, transl: tuple, field: str
) -> None:
    with pytest.raises(InputError, match=field):
        body.animate(torch.zeros(betas), torch.zeros(poses), torch.zeros(transl), rate=30.0, chunk=2)


def test_bone_lengths_are_betas_with_names(body: BodyModel) -> None:
    longer = with_bone_lengths(body)
    assert (body.num_betas, body.bone_lengths) == (16, ())
    assert (longer.num_betas, longer.num_shape_betas) == (25, 16)
    assert longer.beta_names[:2] == ("shape1", "shape2")
    assert longer.beta_names[16:] == BONE_LENGTHS
    assert with_bone_lengths(longer) is longer
    assert longer.restricted_to([0, 1]).bone_lengths == BONE_LENGTHS
    with pytest.raises(InputError, match=r"betas: found 16, expected .* 25"):
        longer(torch.zeros(16))


@pytest.mark.parametrize("is_known", [True, False])
def test_people_of_a_body_with_bone_lengths_have_all_its_betas(body: BodyModel, is_known: bool) -> None:
    longer = with_bone_lengths(body if is_known else replace(body, statistics=None))
    rng = np.random.default_rng(0)
    assert longer.sample_betas(rng).shape == (25,)
    many = longer.sample_betas(rng, size=3)
    assert many.shape == (3, 25)
    assert not many[:, 16:].any()
    if is_known:
        typical = longer.betas_from_attributes(1.7, 24)
        np.testing.assert_array_equal(typical[:16], body.betas_from_attributes(1.7, 24))
        assert not typical[16:].any()
        assert len(typical) == 25


def test_unknown_gender_is_named() -> None:
    with pytest.raises(InputError, match="one of neutral, female, male"):
        load_body(gender="other")


def test_attributes_are_refused_for_a_body_of_unknown_meaning(body: BodyModel) -> None:
    stranger = replace(body, statistics=None, name="SMPLX_NEUTRAL")
    assert stranger.sample_betas(np.random.default_rng(0)).shape == (16,)
    with pytest.raises(OdahError, match="open body only"):
        stranger.betas_from_attributes(1.7, 22)
