"""Shoes of every kind: around the feet, on the floor, and the skin in them stays in them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial import KDTree

from odah.body.mesh import vertex_normals
from odah.clothing import dress, sample_appearance
from odah.clothing.body_frame import joint_transforms, skin
from odah.clothing.rest_body import RestBody
from odah.clothing.shoes import SHOE_KINDS, collar_height, shoe_surface
from odah.errors import InputError
from odah.names import SMPLX_INDEX

WORN = [kind for kind in SHOE_KINDS if kind != "barefoot"]
GREY = np.full(3, 0.5)


def test_there_are_shoes_to_choose_from():
    assert {"sneaker", "boot", "slip_on", "barefoot"} <= set(SHOE_KINDS)


@pytest.mark.parametrize("kind", WORN)
@pytest.mark.parametrize(("height", "bmi"), [(1.5, 19), (1.95, 33)])
def test_soles_lie_just_under_the_feet(body, kind, height, bmi):
    rest = RestBody.of(body, body.betas_from_attributes(height, bmi, "male"))
    shoes, colors = shoe_surface(rest, kind, GREY, GREY)
    assert shoes.vertices[:, 1].min() == pytest.approx(rest.vertices[:, 1].min() - 0.004, abs=1e-6)
    assert shoes.vertices[:, 1].max() < collar_height(rest, kind) + 0.003
    np.testing.assert_allclose(shoes.weights.sum(1), 1)
    assert colors.shape == shoes.vertices.shape


@pytest.mark.parametrize("kind", WORN)
@pytest.mark.parametrize("bend", [-0.7, 0.0, 0.5])
def test_toes_stay_inside_when_they_bend(body, rest, kind, bend):
    """Of the toes, whose skin is not drawn, at most one vertex in a hundred is 3 mm outside."""
    pose = np.zeros((1, 55, 3))
    for side in ("left", "right"):
        pose[0, SMPLX_INDEX[f"{side}_foot"], 0] = bend
    shoes, _ = shoe_surface(rest, kind, GREY, GREY)
    posed = body(torch.zeros(body.num_betas), torch.as_tensor(pose, dtype=torch.float32))
    transforms = joint_transforms(posed.joint_rotmats.numpy(), posed.joints.numpy(), rest.joints)[0]
    points = skin(shoes.vertices, shoes.weights, transforms)
    normals = vertex_normals(points, shoes.faces)
    toes = posed.vertices[0].numpy()[rest.weight_of("left_foot", "right_foot") > 0.7]
    distance, index = KDTree(points).query(toes)
    height = ((toes - points[index]) * normals[index]).sum(1)
    assert distance.max() < 0.05
    assert (height > 0.003).mean() < 0.01


def test_kinds_reach_higher_or_lower(rest):
    heights = [collar_height(rest, kind) for kind in ("barefoot", "slip_on", "sneaker", "boot")]
    assert heights == sorted(heights)
    assert heights[-1] > heights[-2] + 0.06


def test_bare_feet_are_seen(body, rest):
    look = sample_appearance(np.random.default_rng(0), "male")
    shown = {}
    for kind in ("sneaker", "barefoot"):
        outfit = dress(body, np.zeros(body.num_betas), replace(look, shoe_kind=kind, lower="shorts"))
        shown[kind] = np.unique(outfit.skin_faces)
        assert any(item.name == "shoes" for item in outfit.attached) == (kind == "sneaker")
    toes = np.flatnonzero(rest.weight_of("left_foot") > 0.7)
    assert np.isin(toes, shown["barefoot"]).all()
    assert not np.isin(toes, shown["sneaker"]).any()


def test_an_unknown_shoe_is_refused(body):
    look = replace(sample_appearance(np.random.default_rng(0), "male"), shoe_kind="clog")
    with pytest.raises(InputError, match="shoe_kind: found 'clog'"):
        dress(body, np.zeros(body.num_betas), look)
