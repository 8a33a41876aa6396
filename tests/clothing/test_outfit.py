"""Dressed people in motion: garments follow, stay outside, and do not flicker."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import KDTree
from scipy.spatial.transform import Rotation

from odah.body.mesh import vertex_normals
from odah.errors import InputError


@pytest.fixture(scope="module")
def layers(outfit, poses):
    stacked = np.stack(list(poses.values()))
    return {layer.name: layer for layer in outfit.layers(stacked, np.zeros((len(stacked), 3)))}


def test_a_person_has_skin_clothes_shoes_and_hair(layers, poses):
    assert list(layers) == ["skin", "lower", "upper", "shoes", "hair"]
    for layer in layers.values():
        assert layer.vertices.shape[0] == len(poses)
        assert layer.vertices.dtype == np.float32
        assert np.isfinite(layer.vertices).all()
        assert layer.faces.max() < layer.vertices.shape[1]
        assert layer.uv is None or layer.uv.shape in ((layer.vertices.shape[1], 2), (len(layer.faces), 3, 2))
        assert layer.colors is None or (layer.colors >= 0).all()
        assert layer.colors is None or layer.material.texture is not None or layer.colors.max() <= 1


@pytest.mark.parametrize("name", ["lower", "upper"])
def test_cloth_stays_outside_the_skin(outfit, layers, body, poses, name):
    """Against the nearest skin that faces the same way: less than 0.5 % of vertices 2 mm inside
    (in one pose up to 1 %: in a deep squat the body cuts into itself)."""
    layer, shares = layers[name], []
    for frame, pose in enumerate(poses):
        skin = layers["skin"].vertices[frame].astype(float)
        cloth = layer.vertices[frame].astype(float)
        skin_normals = vertex_normals(skin, body.faces)
        mesh = outfit.clothes[["lower", "upper"].index(name)].parts[0].mesh
        is_outer = mesh.inset == 0  # the folded side of hems faces the skin
        cloth, cloth_normals = cloth[is_outer], vertex_normals(cloth, layer.faces)[is_outer]
        distance, index = KDTree(skin).query(cloth, k=8)
        facing = np.einsum("nkc,nc->nk", skin_normals[index], cloth_normals) > 0.4
        first = facing.argmax(1)
        rows = np.arange(len(cloth))
        nearest = index[rows, first]
        height = ((cloth - skin[nearest]) * skin_normals[nearest]).sum(1)
        inside = facing.any(1) & (height < -0.002) & (distance[rows, first] < 0.03)
        assert inside.mean() < 0.01, f"{pose}: {100 * inside.mean():.2f} % inside"
        shares.append(inside.mean())
    assert np.mean(shares) < 0.005


def test_the_shirt_lies_over_the_shorts(layers, poses):
    """Standing: going outwards from the trunk's axis, the shirt comes after the waistband."""
    frame = list(poses).index("arms_down")
    upper, lower = (layers[n].vertices[frame].astype(float) for n in ("upper", "lower"))
    hem = np.percentile(upper[:, 1], 3)
    overlap = lower[lower[:, 1] > hem + 0.02]
    assert len(overlap) > 100
    centre = overlap.mean(0) * [1, 0, 1]
    _, index = KDTree(upper).query(overlap)
    radius = [np.linalg.norm((p - centre)[:, [0, 2]], axis=1) for p in (overlap, upper[index])]
    assert ((radius[1] - radius[0]) > 0).mean() > 0.97


def test_moving_the_root_moves_everything_rigidly(outfit, poses):
    pose, turn = poses["walk"], Rotation.from_rotvec([0.3, 1.1, -0.4])
    moved = pose.copy()
    moved[0] = (turn * Rotation.from_rotvec(pose[0])).as_rotvec()
    shift = np.array([1.0, -2.0, 0.5])
    here = outfit.layers(pose[None], np.zeros((1, 3)))
    there = outfit.layers(moved[None], shift[None])
    pelvis = outfit.rest.joint("pelvis")
    for a, b in zip(here, there, strict=True):
        expected = turn.apply(a.vertices[0] - pelvis) + pelvis + shift
        assert np.percentile(np.abs(b.vertices[0] - expected), 99.9) < 2e-4


def test_cloth_does_not_flicker(outfit, poses):
    """In a slow motion, cloth changes its speed by far less between frames than skin moves."""
    blend = np.linspace(0, 1, 24)[:, None, None]
    motion = (1 - blend) * poses["arms_down"] + blend * poses["walk"]
    named = {layer.name: layer.vertices for layer in outfit.layers(motion, np.zeros((24, 3)))}
    fastest_skin = np.linalg.norm(np.diff(named["skin"], axis=0), axis=2).max()
    for name in ("upper", "lower"):
        jerk = np.linalg.norm(np.diff(named[name], n=2, axis=0), axis=2)
        assert np.percentile(jerk, 99.5) < 0.25 * fastest_skin


def test_covered_skin_is_not_drawn(outfit, layers):
    assert len(layers["skin"].faces) < 0.75 * len(outfit.rest.faces)
    assert len(np.unique(layers["skin"].faces)) > 3000


def test_shoes_stand_on_the_floor(outfit, layers):
    soles, skin = layers["shoes"].vertices[0], layers["skin"].vertices[0]
    assert -0.006 < soles[:, 1].min() - skin[:, 1].min() < 0


def test_wrong_motion_shapes_are_refused(outfit):
    with pytest.raises(InputError, match="motion"):
        outfit.layers(np.zeros((2, 24, 3)), np.zeros((2, 3)))
    with pytest.raises(InputError, match="motion"):
        outfit.layers(np.zeros((2, 55, 3)), np.zeros((3, 3)))
