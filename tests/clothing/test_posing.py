"""Cloth between two parts of a body gives way to both."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.spatial import KDTree
from scipy.spatial.transform import Rotation

from odah.body.mesh import vertex_normals
from odah.clothing.body_frame import BodyFrame, joint_transforms, skin
from odah.clothing.limbs import Limb, drawn_in, foreign_limbs
from odah.clothing.patterns import garment_pattern
from odah.clothing.posing import FollowingCloth
from odah.clothing.surface import grid_faces
from odah.clothing.tailor import sew
from odah.names import SMPLX_INDEX


def upright_tube(radius, x, rows=60, columns=48, height=1.0):
    """Vertices and outward normals of a tube around (x, y), z up."""
    z, phi = np.mgrid[0 : height : rows * 1j, 0 : 2 * np.pi * (1 - 1 / columns) : columns * 1j]
    points = np.stack([x + radius * np.cos(phi), radius * np.sin(phi), -z], -1).reshape(-1, 3)
    return points, vertex_normals(points, grid_faces(rows, columns))


@pytest.mark.parametrize("gap", [0.002, 0.01, 0.018])
def test_cloth_stays_between_side_and_arm(gap):
    """A wall at x = 0, cloth 2 to 6 cm off it, an arm of radius 4 cm that leaves less room."""
    y, z = (k.ravel() for k in np.meshgrid(np.linspace(-0.1, 0.1, 21), np.linspace(-0.7, -0.3, 21)))
    wall = np.stack([0 * y, y, z], 1)
    cloth = wall + np.stack([0.04 + 0.02 * np.sin(30 * z), 0 * y, 0 * z], 1)
    arm, normals = upright_tube(0.04, 0.04 + gap)
    limb = Limb(np.arange(len(arm)), np.arange(len(cloth)))
    turn = Rotation.from_rotvec([0.3, -0.8, 0.5]).as_matrix()
    moved, is_moved = drawn_in(
        cloth @ turn.T,
        wall @ turn.T,
        (limb,),
        arm @ turn.T,
        normals @ turn.T,
        sp.csr_matrix(sp.eye(len(cloth))),
    )
    moved = moved @ turn
    distance = np.hypot(moved[:, 0] - 0.04 - gap, moved[:, 1]) - 0.04
    assert distance.min() > -0.0015
    assert (moved[:, 0] >= -1e-9).all()
    was_near = np.hypot(cloth[:, 0] - 0.04 - gap, cloth[:, 1]) < 0.04
    assert is_moved[was_near].all()
    np.testing.assert_allclose(moved[~is_moved], cloth[~is_moved], atol=1e-12)


def test_a_sleeve_is_no_stranger_to_its_own_arm(rest):
    weights = np.zeros((2, 55))
    weights[0, SMPLX_INDEX["left_elbow"]] = weights[1, SMPLX_INDEX["spine2"]] = 1
    limbs = foreign_limbs(rest, weights)
    strangers = {1: 0, 0: 0}
    for limb in limbs:
        for vertex in limb.cloth:
            strangers[int(vertex)] += 1
    assert strangers == {0: 4, 1: 4}
    left_arm = next(limb for limb in limbs if 0 not in limb.cloth)
    assert (rest.vertices[rest.skin_patch.index[left_arm.skin], 0] > 0).all()


def test_the_trunk_is_strange_to_sleeves_only(rest):
    weights = np.zeros((3, 55))
    for vertex, joint in enumerate(("left_elbow", "right_hip", "spine2")):
        weights[vertex, SMPLX_INDEX[joint]] = 1
    trunk = foreign_limbs(rest, weights)[-1]
    assert trunk.cloth.tolist() == [0]
    skin = rest.vertices[rest.skin_patch.index[trunk.skin]]
    assert np.abs(skin[:, 0]).max() < rest.joint("left_shoulder")[0] + 0.05


def test_the_neck_takes_the_collar_along(rest):
    """A neck that bends sideways by 0.6 rad stays within the collar, which moves with it."""
    following = FollowingCloth.of(sew(rest, garment_pattern("shirt")), rest)
    rotmats, joints = np.tile(np.eye(3), (1, 55, 1, 1)), rest.joints[None].copy()
    turn = Rotation.from_rotvec([0, 0, 0.6]).as_matrix()
    neck, head = (SMPLX_INDEX[name] for name in ("neck", "head"))
    above = [neck, head, *(SMPLX_INDEX[name] for name in ("jaw", "left_eye", "right_eye"))]
    rotmats[0, above] = turn
    joints[0, above] = (joints[0, above] - joints[0, neck]) @ turn.T + joints[0, neck]
    transforms = joint_transforms(rotmats, joints, rest.joints)[0]
    body = skin(rest.vertices, rest.sparse_weights, transforms)
    start = following.garment.collar_from
    assert start is not None
    collar = following.posed(BodyFrame.of(rest, body, transforms))[start:]
    at_rest = following.garment.surface.vertices[start:]
    normals = vertex_normals(body, rest.faces)
    nearest = rest.trunk_and_limbs[KDTree(body[rest.trunk_and_limbs]).query(collar)[1]]
    height = ((collar - body[nearest]) * normals[nearest]).sum(1)
    assert (height < -0.002).mean() < 0.005
    assert np.linalg.norm(collar - at_rest, axis=1).max() > 0.01
