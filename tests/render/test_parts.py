"""Sides and segments of the part table, and which joints count as visible."""

from __future__ import annotations

import numpy as np
import pytest

from odah.errors import InputError
from odah.names import SMPLX_INDEX, SMPLX_JOINTS, side_of
from odah.osim import full_body_model
from odah.render import BODY_PARTS, joint_visibility, part_colors, part_under
from odah.render.parts import OCCLUDED, OUTSIDE, PART_NUMBER, part_of_joint, parts_at_joints

JOINTS = full_body_model().joint_names


@pytest.mark.parametrize(
    ("joint", "part"),
    [
        ("pelvis", "pelvis"),
        ("left_hip", "left_thigh"),
        ("right_knee", "right_shank"),
        ("left_ankle", "left_foot"),
        ("left_foot", "left_foot"),
        ("spine1", "abdomen"),
        ("spine2", "thorax"),
        ("spine3", "thorax"),
        ("right_collar", "thorax"),
        ("right_shoulder", "right_upper_arm"),
        ("left_elbow", "left_forearm"),
        ("right_wrist", "right_hand"),
        ("left_thumb3", "left_hand"),
        ("jaw", "head"),
        ("left_eye", "head"),
    ],
)
def test_a_joint_moves_its_segment(joint, part):
    assert BODY_PARTS[part_of_joint[SMPLX_INDEX[joint]]] == part


def test_every_joint_has_a_part_and_every_part_a_joint():
    used = {BODY_PARTS[number] for number in part_of_joint}
    assert part_of_joint.shape == (55,)
    assert used == set(BODY_PARTS) - {"background", "other"}
    for joint, number in zip(SMPLX_JOINTS, part_of_joint, strict=True):
        assert side_of(BODY_PARTS[number]) in ("middle", side_of(joint))


def test_parts_at_a_joint_are_never_of_the_other_side():
    for joint, parts in parts_at_joints(JOINTS).items():
        sides = {side_of(BODY_PARTS[part]) for part in parts}
        assert sides <= {"middle", side_of(joint)} or joint == "ground_pelvis"
        assert not parts & {0, PART_NUMBER["other"], OUTSIDE}


def test_left_and_right_are_mirror_images():
    parts = parts_at_joints(JOINTS)
    for joint in JOINTS:
        if joint.endswith("_l"):
            mirrored = {BODY_PARTS[p].replace("left", "right") for p in parts[joint]}
            assert mirrored == {BODY_PARTS[p] for p in parts[f"{joint[:-2]}_r"]}


def test_a_knee_is_visible_behind_its_own_leg_only():
    names = ["walker_knee_l", "walker_knee_r", "elbow_r"]
    numbers = [
        PART_NUMBER[name] for name in ("left_thigh", "left_shank", "right_thigh", "background", "other")
    ]
    part_at = np.repeat(np.array([*numbers, OUTSIDE], dtype=np.uint8)[:, None], 3, axis=1)
    expected = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]], dtype=bool)
    np.testing.assert_array_equal(joint_visibility(part_at, names), expected)


def test_joints_of_another_model_are_named():
    with pytest.raises(InputError, match="'jaw'"):
        joint_visibility(np.zeros((2, 1), np.uint8), ["jaw"])


def test_the_part_under_a_point_is_its_pixels():
    parts = np.arange(12, dtype=np.uint8).reshape(3, 4)
    points = [
        [0, 0],
        [3, 2],
        [1.4, 0.6],
        [-0.4, 0],
        [3.4, 2.4],
        [-0.6, 0],
        [0, 2.6],
        [3.6, 0],
        [np.nan, 0],
        [1e30, 0],
    ]
    expected = [0, 11, 5, 0, 11, *(OUTSIDE,) * 5]
    found = part_under(parts, np.array(points))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, expected)


def test_every_part_has_a_color_of_its_own():
    picture = part_colors(np.arange(len(BODY_PARTS), dtype=np.uint8)[None])
    assert picture.shape == (1, len(BODY_PARTS), 3)
    assert len(np.unique(picture[0], axis=0)) == len(BODY_PARTS)
    assert not picture[0, 0].any()
    hidden = part_colors(np.array([[OCCLUDED]], dtype=np.uint8))[0, 0]
    assert 0 < hidden.max() < 100
    assert not (picture[0] == hidden).all(-1).any()
    for side, warm in (("left", True), ("right", False)):
        limbs = picture[0, [n for n, name in enumerate(BODY_PARTS) if side_of(name) == side]].astype(int)
        assert ((limbs[:, 0] > limbs[:, 2]) == warm).all()
