"""Masks, parts, depth and normals of people: what hides what, and which side is which."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import trimesh

from odah.body.model import load_body
from odah.clothing import Material, MeshLayer, dress, sample_appearance
from odah.names import SMPLX_INDEX
from odah.render import (
    BODY_PARTS,
    LabelKinds,
    PictureLabels,
    draw_masks,
    draw_picture_labels,
    joint_visibility,
    part_under,
)
from odah.render.parts import OCCLUDED, PART_NUMBER
from odah.scene import Camera, look_at

ALL = LabelKinds(parts=True, depth=True, normals=True)
FRONT = Camera.from_lens("front", look_at([3.0, 0.0, 1.0], [0.0, 0.0, 1.0]), 120, 80)
RIGHT = Camera.from_lens("side", look_at([0.0, -3.0, 1.0], [0.0, 0.0, 1.0]), 120, 80)


def box(name: str, center: list[float], size: list[float], joint: str | None, kind="cloth") -> MeshLayer:
    """One frame of a box that moves with a joint, for a person who faces +x; left is +y."""
    mesh = trimesh.creation.box(extents=size)
    owners = None if joint is None else np.full(len(mesh.vertices), SMPLX_INDEX[joint])
    vertices = (mesh.vertices + center)[None].astype(np.float32)
    return MeshLayer(name, vertices, mesh.faces, Material(kind), owners=owners)


TRUNK = box("trunk", [0, 0, 1.2], [0.2, 0.4, 0.5], "spine3")
LEFT_ARM = box("arm", [0.2, 0.05, 1.2], [0.06, 0.4, 0.06], "left_elbow")
RIGHT_HAND = box("hand", [0.0, -0.3, 0.9], [0.08, 0.05, 0.1], "right_wrist")
CASE = [TRUNK, LEFT_ARM, RIGHT_HAND]


def labels_of(layers, camera=FRONT, static=(), wanted=ALL) -> PictureLabels:
    (labels,) = draw_picture_labels(layers, static, [camera], wanted)
    return labels


def part_at(labels: PictureLabels, camera: Camera, points: list) -> list[str]:
    names = dict(enumerate(BODY_PARTS)) | {OCCLUDED: "occluded"}
    return [names[number] for number in part_under(labels.parts, camera.project(points)).tolist()]


def test_the_left_arm_before_the_trunk_hides_it_from_the_front():
    labels = labels_of(CASE)
    points = [[0, 0.2, 1.2], [0, -0.1, 1.2], [0, -0.1, 1.4], [0, -0.3, 0.9], [0, 0.3, 0.9]]
    assert part_at(labels, FRONT, points) == [
        "left_forearm",
        "left_forearm",
        "thorax",
        "right_hand",
        "background",
    ]
    columns = {
        name: np.nonzero(labels.parts == PART_NUMBER[name])[1].mean() for name in ("thorax", "right_hand")
    }
    assert columns["right_hand"] < columns["thorax"], "from the front, the right is on the picture's left"
    np.testing.assert_array_equal(labels.person, labels.parts > 0)


def test_from_the_right_the_hand_is_seen_and_the_arm_only_beside_the_trunk():
    labels = labels_of(CASE, RIGHT)
    points = [[0, -0.3, 0.9], [0, 0.25, 1.2], [0.2, 0.0, 1.2]]
    assert part_at(labels, RIGHT, points) == ["right_hand", "thorax", "left_forearm"]


def test_visible_joints_are_those_with_only_their_own_parts_before_them():
    names = ["back", "elbow_l", "radius_hand_r"]
    joints = np.array([[0.0, -0.1, 1.2], [0.2, 0.2, 1.2], [0.0, -0.3, 0.9]])
    trunk = replace(TRUNK, owners=np.full(TRUNK.vertices.shape[1], SMPLX_INDEX["spine1"]))
    for layers, expected in (([trunk, *CASE[1:]], [0, 1, 1]), ([trunk, RIGHT_HAND], [1, 0, 1])):
        under = part_under(labels_of(layers).parts, FRONT.project(joints))
        np.testing.assert_array_equal(joint_visibility(under[None], names)[0], np.array(expected, bool))


def test_furniture_before_the_person_hides_and_behind_does_not():
    alone = labels_of(CASE)
    for x, hides in ((1.0, True), (-1.0, False)):
        table = trimesh.creation.box(extents=[0.1, 2.0, 0.4])
        labels = labels_of(CASE, static=[(np.add(table.vertices, [x, 0, 1.0]), table.faces)])
        if hides:
            assert 0.1 < labels.person.sum() / alone.person.sum() < 0.6
            assert part_at(labels, FRONT, [[0, -0.3, 0.9], [0, 0.1, 1.4]]) == ["occluded", "thorax"]
            np.testing.assert_array_equal(labels.parts != 0, alone.person)
            np.testing.assert_array_equal((labels.parts == OCCLUDED), alone.person & ~labels.person)
            assert np.isinf(labels.depth[~labels.person]).all()
            assert not labels.normals[~labels.person].any()
        else:
            np.testing.assert_array_equal(labels.parts, alone.parts)


def test_several_static_meshes_count_and_are_drawn_again_when_the_camera_moves():
    table = trimesh.creation.box(extents=[0.1, 0.3, 2.0])
    static = [(np.add(table.vertices, [1.0, y, 1.0]), table.faces) for y in (-0.3, 0.3)]
    people = [replace(layer, vertices=np.repeat(layer.vertices, 3, axis=0)) for layer in CASE]
    K = FRONT.K * [[2.0], [2.0], [1.0]]
    cameras = [FRONT, replace(FRONT, K=K), replace(FRONT, K=FRONT.K.copy())]
    together = list(draw_picture_labels(people, static, cameras, ALL))
    for labels, camera in zip(together, cameras, strict=True):
        np.testing.assert_array_equal(labels.parts, labels_of(CASE, camera, static).parts)
    assert together[1].person.sum() > 1.5 * together[0].person.sum()
    assert together[0].person.sum() < labels_of(CASE, FRONT, static[:1]).person.sum()


def test_a_moving_crop_shows_that_part_of_the_whole_picture():
    table = trimesh.creation.box(extents=[0.1, 0.3, 2.0])
    static = [(np.add(table.vertices, [1.0, 0.2, 1.0]), table.faces)]
    corners = [(30, 10), (33, 21)]
    people = [replace(layer, vertices=np.repeat(layer.vertices, 2, axis=0)) for layer in CASE]
    crops = [FRONT.cropped(left, top, 48, 48) for left, top in corners]
    whole = labels_of(CASE, FRONT, static)
    for labels, (left, top) in zip(draw_picture_labels(people, static, crops, ALL), corners, strict=True):
        window = (slice(top, top + 48), slice(left, left + 48))
        np.testing.assert_array_equal(labels.parts, whole.parts[window])
        np.testing.assert_allclose(labels.depth, whole.depth[window], rtol=1e-6)
        np.testing.assert_allclose(labels.normals, whole.normals[window], atol=1e-5)
        assert 0.05 < labels.person.mean() < 0.9


def test_what_has_no_owners_is_a_part_of_its_own_and_hair_is_the_heads():
    hat = box("bag", [0, 0, 1.2], [0.2, 0.2, 0.2], None)
    braid = box("braid", [0.3, 0, 1.2], [0.05, 0.05, 0.1], "spine3", kind="hair")
    labels = labels_of([hat, braid])
    assert set(np.unique(labels.parts)) == {PART_NUMBER[name] for name in ("background", "other", "head")}


@pytest.mark.parametrize("corners", [(0, 1, 2), (1, 2, 0), (2, 0, 1)])
def test_parts_meet_halfway_between_their_corners(corners):
    """Of a triangle with one corner of another part, that part has the quarter at this corner."""
    vertices = np.array([[[0, -1.2, 0], [0, 1.2, 0], [0, 0, 2]]], dtype=np.float32)
    order = np.argsort(corners)
    for joints, shares in (
        (("left_hip", "left_knee", "left_knee"), {"left_thigh": 1 / 4, "left_shank": 3 / 4}),
        (
            ("left_hip", "left_knee", "right_knee"),
            dict.fromkeys(("left_thigh", "left_shank", "right_shank"), 1 / 3),
        ),
        (("left_hip", "left_ankle", "left_foot"), {"left_thigh": 1 / 4, "left_foot": 3 / 4}),
    ):
        owners = np.array([SMPLX_INDEX[joint] for joint in joints])[list(corners)]
        layer = MeshLayer(
            "one", vertices[:, list(corners)], np.array([order]), Material("skin"), owners=owners
        )
        labels = labels_of([layer])
        found = np.bincount(labels.parts[labels.person], minlength=len(BODY_PARTS)) / labels.person.sum()
        for name, share in shares.items():
            assert found[PART_NUMBER[name]] == pytest.approx(share, abs=0.03)
        assert part_at(labels, FRONT, [[0, -1.1, 0.05]]) == ["left_thigh"]


def test_a_ball_has_the_depth_and_the_normals_of_a_sphere():
    ball = trimesh.creation.icosphere(subdivisions=4, radius=0.5)
    center = np.array([0.0, 0.3, 1.1])
    layer = MeshLayer("ball", (ball.vertices + center)[None].astype(np.float32), ball.faces, Material("skin"))
    camera = replace(FRONT, K=FRONT.K * [[1.0], [1.4], [1.0]])
    labels = labels_of([layer], camera)
    rows, columns = np.nonzero(labels.person)
    pixels = np.stack([columns, rows, np.ones_like(rows)])
    points = (np.linalg.inv(camera.K) @ pixels).T * labels.depth[rows, columns, None]
    outward = points - camera.to_cam(center)
    np.testing.assert_allclose(np.linalg.norm(outward, axis=1), 0.5, atol=2e-3)
    np.testing.assert_allclose(labels.normals[rows, columns], outward / 0.5, atol=0.02)
    leftmost = labels.normals[rows[columns.argmin()], columns.min()]
    assert leftmost[0] < -0.8
    assert labels.normals[rows.min(), columns[rows.argmin()], 1] < -0.8
    np.testing.assert_array_equal(np.isfinite(labels.depth), labels.person)


def test_the_inside_of_a_cloth_faces_the_camera_too():
    square = np.array([[[0, -1, 0], [0, 1, 0], [0, 1, 2], [0, -1, 2]]], dtype=np.float32)
    for faces in ([[0, 1, 2], [0, 2, 3]], [[0, 2, 1], [0, 3, 2]]):
        labels = labels_of([MeshLayer("cloth", square, np.array(faces), Material("cloth"))])
        np.testing.assert_allclose(
            labels.normals[labels.person], [[0, 0, -1]] * labels.person.sum(), atol=1e-5
        )


def test_what_is_not_wanted_is_not_drawn():
    labels = labels_of(CASE, wanted=LabelKinds())
    assert labels.depth is None
    assert labels.normals is None


def test_layers_are_joined_frame_by_frame(make_person, make_scene):
    (puppet,) = make_person(3)
    camera = make_scene([puppet]).camera("front")
    alone = list(draw_masks([puppet], camera))
    twice = list(draw_masks([puppet, puppet], camera))
    assert len(alone) == 3
    np.testing.assert_array_equal(alone, twice)
    assert (alone[0] != alone[2]).any()


@pytest.fixture(scope="module")
def standing() -> tuple[list[MeshLayer], dict[str, np.ndarray]]:
    """A dressed person who faces -y with hanging arms, the left one a little forward; their joints."""
    body = load_body()
    poses = np.zeros((1, 55, 3))
    poses[0, 0] = [np.pi / 2, 0, 0]
    poses[0, SMPLX_INDEX["left_shoulder"]] = [0, -0.2, -1.25]
    poses[0, SMPLX_INDEX["right_shoulder"]] = [0, 0, 1.25]
    outfit = dress(body, np.zeros(body.num_betas), sample_appearance(np.random.default_rng(0), "male"))
    layers = outfit.layers(poses, np.zeros((1, 3)))
    joints = body(poses=torch.as_tensor(poses, dtype=body.dtype)).joints[0].numpy()
    names = {"acromial": "shoulder", "elbow": "elbow", "radius_hand": "wrist", "walker_knee": "knee"}
    pairs = {
        f"{osim}_{side[0]}": joints[SMPLX_INDEX[f"{side}_{smplx}"]]
        for osim, smplx in names.items()
        for side in ("left", "right")
    }
    return layers, pairs


@pytest.mark.parametrize("view", ["front", "side"])
def test_from_its_right_a_person_shows_no_left_arm(standing, view):
    layers, joints = standing
    middle = layers[0].vertices[0].mean(0)
    position = middle + {"front": [0, -3.5, 0], "side": [-3.5, 0, 0]}[view]
    camera = Camera.from_lens(view, look_at(position, middle), 180, 160)
    labels = labels_of(layers, camera)
    names = list(joints)
    under = part_under(labels.parts, camera.project(np.stack(list(joints.values()))))
    visible = dict(zip(names, joint_visibility(under[None], names)[0], strict=True))
    left_arm = {"acromial_l", "elbow_l", "radius_hand_l"}
    if view == "front":
        assert all(visible.values()), visible
    else:
        assert not any(visible[name] for name in left_arm), visible
        assert all(visible[name] for name in names if name.endswith("_r")), visible
