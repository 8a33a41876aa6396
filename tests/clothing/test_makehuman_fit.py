"""Garments made for MakeHuman on the open body: where they belong, whatever the shape and the pose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import KDTree
from scipy.spatial.transform import Rotation

from odah.body.mesh import vertex_normals
from odah.clothing import dress, sample_appearance
from odah.clothing.complexion import SkinLook
from odah.clothing.layers import Material
from odah.clothing.makehuman.base_mesh import base_mesh
from odah.clothing.makehuman.fit import fitted, nearest_rotations, thin_soled
from odah.clothing.makehuman.garment import MakeHumanGarment
from odah.clothing.makehuman.look import opaque_faces
from odah.clothing.makehuman.mhclo import Binding
from odah.clothing.makehuman.mhmat import Mhmat
from odah.clothing.makehuman.wear import hidden_skin
from odah.clothing.rest_body import RestBody
from odah.errors import InputError
from odah.names import SMPLX_JOINTS


def shell(rest, chosen, offset=(0.0, 0.0, 0.0), name="shell", reference=(np.nan,) * 3, **fields):
    """A garment that is the skin itself where `chosen` (N,), moved by offset, decimetres, in the A-pose."""
    mesh = base_mesh()
    base_of_skin = np.full(len(rest.vertices), -1)
    on_skin = np.flatnonzero(mesh.skin_vertex >= 0)
    base_of_skin[mesh.skin_vertex[on_skin]] = on_skin
    chosen = chosen & (base_of_skin >= 0)
    faces = rest.faces[chosen[rest.faces].all(1)]
    used, renumbered = np.unique(faces, return_inverse=True)
    bound = base_of_skin[used]
    binding = Binding(
        np.stack([bound] * 3, 1), np.tile([1.0, 0, 0], (len(bound), 1)), np.tile(offset, (len(bound), 1)),
        np.array([[5399, 11998], [791, 881], [962, 5320]]), np.array(reference),
    )  # fmt: skip
    values = {"uv": None, "material": Mhmat(), "deleted": bound[:0], **fields}
    garment = MakeHumanGarment(name, Path("shell.mhclo"), binding, renumbered.reshape(-1, 3), **values)
    return garment, used


def trunk(rest):
    return (rest.weight_of("spine1", "spine2", "spine3", "left_collar", "right_collar") > 0.5) & (
        rest.head_weight < 0.1
    )


def legs(rest):
    return rest.weight_of("left_hip", "right_hip", "left_knee", "right_knee") > 0.5


def feet(rest):
    return rest.weight_of("left_ankle", "right_ankle", "left_foot", "right_foot") > 0.3


@pytest.fixture(scope="module")
def look():
    return sample_appearance(np.random.default_rng(0), "female")


@pytest.fixture
def plain_skin(monkeypatch):
    """Nothing is painted: what is worn does not depend on the skin's picture."""
    unpainted = SkinLook(Material("skin", roughness=0.5), None, None)
    monkeypatch.setattr("odah.clothing.outfit.skin_look", lambda *_: unpainted)


@pytest.mark.parametrize("bmi", [18.5, 24, 34])
def test_the_base_mesh_contains_the_body_of_any_shape(body, bmi):
    rest = RestBody.of(body, body.betas_from_attributes(1.7, bmi, "female"))
    mesh = base_mesh()
    base, is_skin = mesh.vertices(rest.vertices), mesh.skin_vertex >= 0
    assert is_skin.sum() > 13_000
    np.testing.assert_allclose(base[is_skin], rest.vertices[mesh.skin_vertex[is_skin]], atol=1e-5)
    assert np.isfinite(base).all()
    np.testing.assert_allclose(mesh.weights.sum(1), 1)


@pytest.mark.parametrize("bmi", [18.5, 34])
def test_tights_lie_on_the_skin_of_any_shape(body, bmi):
    """helper-tights, vertices 15328 to 18001 of the base mesh, follow a few millimetres off the skin."""
    rest = RestBody.of(body, body.betas_from_attributes(1.7, bmi, "male"))
    tights = base_mesh().vertices(rest.vertices)[15328:18002]
    distance, index = KDTree(rest.vertices).query(tights)
    height = ((tights - rest.vertices[index]) * rest.normals[index]).sum(1)
    assert np.percentile(distance, 95) < 0.03
    assert (height > -0.006).mean() > 0.97


def test_left_is_left(rest):
    mesh = base_mesh()
    x = mesh.vertices(rest.vertices)[:, 0]
    left = mesh.weights @ np.array([name.startswith("left") for name in SMPLX_JOINTS], float)
    right = mesh.weights @ np.array([name.startswith("right") for name in SMPLX_JOINTS], float)
    assert x[left > 0.6].min() > -0.02
    assert x[right > 0.6].max() < 0.02


def test_exact_bindings_lie_on_their_vertices(rest):
    garment, used = shell(rest, trunk(rest))
    np.testing.assert_allclose(fitted(garment, rest).vertices, rest.vertices[used], atol=1e-5)


def test_offsets_turn_with_the_limb(rest):
    """An offset along the A-pose's forearm points along the T-pose's."""
    forearm = rest.weight_of("left_elbow") > 0.95
    along_a_pose = base_mesh().to_t_pose[SMPLX_JOINTS.index("left_elbow")].T @ [1.0, 0, 0]
    assert along_a_pose[1] < -0.4, "MakeHuman's arms hang"
    garment, used = shell(rest, forearm, tuple(0.5 * along_a_pose))
    moved = fitted(garment, rest).vertices - rest.vertices[used]
    np.testing.assert_allclose(moved.mean(0), [0.05, 0, 0], atol=0.003)


def test_offsets_grow_with_the_body(body):
    """Twice the reference distance, half the unit; a larger head, larger offsets."""
    heights = []
    for height, reference in ((1.6, 2.0), (1.6, 4.0), (1.95, 2.0)):
        rest = RestBody.of(body, body.betas_from_attributes(height, 23, "male"))
        garment, used = shell(rest, trunk(rest), (0.0, 0.3, 0.0), reference=(np.nan, reference, np.nan))
        heights.append((fitted(garment, rest).vertices - rest.vertices[used])[:, 1].mean())
    assert heights[0] == pytest.approx(2 * heights[1], rel=1e-6)
    assert heights[2] > 1.03 * heights[0]


def test_blends_of_rotations_become_rotations():
    pair = Rotation.from_rotvec([[0, 0, 1.0], [0, 0, 0.4]]).as_matrix()
    middle = nearest_rotations(pair.mean(0)[None])[0]
    np.testing.assert_allclose(middle, Rotation.from_rotvec([0, 0, 0.7]).as_matrix(), atol=1e-12)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (trunk, {"upper"}), (legs, {"lower"}), (feet, {"shoes"}),
        (lambda rest: trunk(rest) | legs(rest) | (rest.weight_of("pelvis") > 0.3), {"upper", "lower"}),
        (lambda rest: rest.head_weight > 0.8, {"hair"}),
        (lambda rest: rest.hand_weight > 0.8, set()),
    ],
)  # fmt: skip
def test_what_a_garment_covers_is_where_it_is_bound(rest, place, expected):
    assert shell(rest, place(rest))[0].covers == expected


@pytest.mark.usefixtures("plain_skin")
def test_a_garment_takes_the_place_of_what_it_covers(body, rest, look, outfit):
    suit, _ = shell(rest, trunk(rest) | legs(rest), name="a suit")
    shoes, used = shell(rest, feet(rest), name="boots")
    look = replace(look, hair_style="buzz", has_glasses=False)
    dressed = dress(body, np.zeros(body.num_betas), look, (suit, shoes))
    parts = [part.name for cloth in dressed.clothes for part in cloth.parts]
    assert parts
    assert all(name.startswith("a_suit") for name in parts)
    assert [item.name for item in dressed.attached] == ["shoes", "hair"]
    assert dressed.attached[0].surface.num_vertices == len(used)
    assert dressed.appearance.garments == ("a suit", "boots")
    assert outfit.appearance.garments == ()


@pytest.mark.usefixtures("plain_skin")
def test_deleted_skin_is_not_drawn(body, rest, look):
    chosen, look = trunk(rest) | legs(rest), replace(look, hair_style="shaved", facial_hair="none")
    whole, used = shell(rest, chosen)
    bare, _ = shell(rest, chosen, deleted=whole.binding.index[:, 0])
    np.testing.assert_array_equal(np.flatnonzero(hidden_skin(bare)), used)
    shown = [len(dress(body, np.zeros(body.num_betas), look, [g]).skin_faces) for g in (whole, bare)]
    assert shown[1] < shown[0] - 1000


@pytest.mark.usefixtures("plain_skin")
@pytest.mark.parametrize("height", [1.5, 1.95])
def test_cloth_stays_outside_the_skin_of_any_shape(body, rest, look, poses, height):
    """Even a garment that is drawn 2 cm inside the body comes out."""
    garment, _ = shell(rest, trunk(rest), (0.0, 0.0, -0.2), name="thin")
    look = replace(look, lower="shorts", hair_style="shaved", facial_hair="none", shoe_kind="barefoot")
    outfit = dress(body, body.betas_from_attributes(height, 30, "male"), look, [garment])
    chosen = [poses[name] for name in ("walk", "arms_up")]
    layers = {x.name: x for x in outfit.layers(np.stack(chosen), np.zeros((2, 3)))}
    for frame in range(2):
        skin, cloth = (layers[n].vertices[frame].astype(float) for n in ("skin", "thin"))
        normals = vertex_normals(skin, body.faces)
        _, index = KDTree(skin).query(cloth)
        height_over = ((cloth - skin[index]) * normals[index]).sum(1)
        assert (height_over < -0.002).mean() < 0.01


@pytest.mark.parametrize("drop", [-0.5, 0.0, 0.1])
def test_soles_stay_on_the_floor(body, rest, drop):
    garment, _ = shell(rest, feet(rest), (0.0, drop, 0.0))
    for height in (1.5, 1.95):
        tall = RestBody.of(body, body.betas_from_attributes(height, 24, "male"))
        below = tall.vertices[:, 1].min() - thin_soled(fitted(garment, tall), tall).vertices[:, 1].min()
        assert below == pytest.approx(0.004)


def test_pictures_lie_where_the_map_says():
    picture = np.zeros((4, 8, 4), np.uint8)
    picture[:2, :, 3] = 255  # the upper half is opaque
    uv = np.array([[[0.1, 0.9], [0.2, 0.9], [0.1, 0.7]], [[0.1, 0.2], [0.2, 0.2], [0.1, 0.1]]])
    np.testing.assert_array_equal(opaque_faces(picture, uv), [True, False])


def test_only_the_open_body_wears_them(body, rest, look):
    garment, _ = shell(rest, trunk(rest))
    with pytest.raises(
        InputError, match="bound to MakeHuman's base mesh, which body SMPLX_MALE does not carry"
    ):
        dress(replace(body, name="SMPLX_MALE"), np.zeros(body.num_betas), look, [garment])


def test_two_garments_of_one_kind_are_refused(body, rest, look):
    pairs = [shell(rest, feet(rest), name=name)[0] for name in ("left", "other")]
    with pytest.raises(InputError, match="shoes once more"):
        dress(body, np.zeros(body.num_betas), look, pairs)
