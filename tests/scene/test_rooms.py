"""Furnished rooms: nothing in the person's, a camera's or another thing's way, and nobody hidden."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.spatial import ConvexHull

from odah.errors import InputError
from odah.scene import PersonBounds, RoomConfig, Scene, SceneConfig, sample_scene
from odah.scene.rooms import stool
from odah.scene.rooms.arrange import CAMERA_MARGIN, PERSON_MARGIN
from odah.scene.rooms.kinds import STYLES
from odah.scene.rooms.occlusion import Occlusion, SweptView
from odah.scene.solids import solid_corners, solid_mesh
from odah.scene.types import Environment, Furniture, RoomKind, Solid, Surface

ROOMS: tuple[RoomKind, ...] = ("gait_lab", "clinic", "gym", "living_room")
FLAT = ("skirting", "wall cover", "floor")
GREY = Surface("plain", (0.5, 0.5, 0.5), (0.4, 0.4, 0.4), 1.0, 0.5, 0)


def bounds_of(heading: float = 0.4, distance: float = 2.0) -> PersonBounds:
    """A person 1.9 m high, wider to the left, who walks."""
    forward = np.array([np.cos(heading), np.sin(heading), 0.0])
    left = np.array([-forward[1], forward[0], 0.0])
    box = [a * forward + b * left + [0, 0, c] for a in (-0.2, 0.4) for b in (-0.3, 0.6) for c in (0, 1.9)]
    return PersonBounds.from_motion(np.array([box, box + distance * forward]), forward[None])


def scene_of(kind: RoomKind, seed: int = 0, heading: float = 0.4, props: tuple = (), **room) -> Scene:
    config = SceneConfig(picture_size=(96, 64), room=RoomConfig(kinds=(kind,), **room))
    return sample_scene(np.random.default_rng(seed), config, bounds_of(heading), props=props)


def local_box(scene: Scene, thing: Furniture) -> tuple[np.ndarray, np.ndarray]:
    corners = np.concatenate([solid_corners(solid) for solid in thing.solids])
    flat = (corners[:, :2] - scene.room.center) @ scene.room.axes.T
    local = np.column_stack([flat, corners[:, 2]])
    return local.min(0), local.max(0)


@settings(max_examples=16, deadline=None)
@given(kind=st.sampled_from(ROOMS), seed=st.integers(0, 2**32), heading=st.floats(-4, 4))
def test_things_touch_neither_walls_nor_each_other_nor_cameras(kind, seed, heading):
    scene = scene_of(kind, seed, heading)
    length, width, height = scene.room.size
    boxes = [(thing.kind, *local_box(scene, thing)) for thing in scene.furniture if thing.kind not in FLAT]
    for index, (name, low, high) in enumerate(boxes):
        assert (low[:2] >= [-length / 2 - 1e-6, -width / 2 - 1e-6]).all(), name
        assert (high <= [length / 2 + 1e-6, width / 2 + 1e-6, height]).all(), name
        assert low[2] >= -1e-9
        for other, other_low, other_high in boxes[:index]:
            assert ((low >= other_high - 1e-6) | (high <= other_low + 1e-6)).any(), (name, other)
        for camera in scene.cameras:
            lens = (camera.position[:2] - scene.room.center) @ scene.room.axes.T
            assert np.abs(lens - np.clip(lens, low[:2], high[:2])).max() >= CAMERA_MARGIN - 1e-6


@settings(max_examples=4, deadline=None)
@given(kind=st.sampled_from(ROOMS), seed=st.integers(0, 2**32))
def test_the_person_has_room_and_is_never_hidden(kind, seed):
    scene, bounds = scene_of(kind, seed), bounds_of()
    things = [thing for thing in scene.furniture if thing.kind not in FLAT]
    outline = ConvexHull(bounds.points[:, :2]).equations
    weights = np.random.default_rng(0).dirichlet(np.full(4, 0.4), size=50)
    for thing in things:
        corners = np.array([solid_corners(solid) for solid in thing.solids])
        low = corners[corners[..., 2].min(1) < 1.9, :4, :2]
        footprint = np.concatenate([(weights @ low).reshape(-1, 2), low.reshape(-1, 2)])
        beyond = (footprint @ outline[:, :2].T + outline[:, 2]).max(1)
        assert (beyond > 0.7 * PERSON_MARGIN).all(), thing.kind
    solids = [solid for thing in things for solid in thing.solids]
    for camera in scene.cameras:
        assert not SweptView(bounds.points, camera).hidden_by(solids).any()


@pytest.mark.parametrize("kind", ROOMS)
def test_each_room_has_things_of_many_kinds_that_rest_on_something(kind):
    for seed in range(3):
        scene = scene_of(kind, seed)
        kinds = {thing.kind for thing in scene.furniture} - set(FLAT)
        assert len(kinds) >= 6, kinds
        standing = [
            t for t in scene.furniture if t.kind in ("sofa", "couch", "bench", "cupboard", "desk", "chair")
        ]
        assert standing
        for thing in standing:
            assert local_box(scene, thing)[0][2] == pytest.approx(0, abs=1e-9)
        doors = [local_box(scene, thing) for thing in scene.furniture if thing.kind == "door"]
        assert all(2.0 <= high[2] <= 2.1 for _, high in doors)


def test_rooms_differ_by_seed_and_repeat_for_the_same():
    first, again, other = (scene_of("gym", seed).to_dict() for seed in (5, 5, 6))
    assert first == again
    assert first["furniture"] != other["furniture"]


def test_the_plain_scene_is_bare_and_the_outdoors_open():
    plain = scene_of("plain")
    assert {thing.kind for thing in plain.furniture} == {"skirting"}
    assert plain.environment is None
    outside = scene_of("outdoor")
    assert outside.room.is_open
    assert not outside.lights
    assert outside.environment is not None
    assert outside.room.contains(np.array([[1e3, 1e3, 1e3]])).all()


def test_density_0_leaves_doors_and_windows():
    kinds = {thing.kind for thing in scene_of("living_room", 1, density=0.0).furniture}
    assert kinds <= {"skirting", "wall cover", "door", "window", "floor"}


def test_furniture_survives_json():
    for kind in (*ROOMS, "outdoor"):
        values = scene_of(kind, 3).to_dict()
        assert Scene.from_dict(json.loads(json.dumps(values))).to_dict() == values
    del values["furniture"], values["environment"]
    assert Scene.from_dict(values).furniture == ()


def test_an_occluder_is_measured_by_what_it_hides():
    bounds = bounds_of(distance=0.0)
    scene = scene_of("plain")
    camera = scene.camera("front")
    view = SweptView(bounds.points, camera)
    towards = bounds.center - camera.position
    middle = camera.position + 0.5 * towards
    wall = Solid("box", tuple(middle), (6.0, 6.0, 6.0), 0.0, GREY)
    behind = Solid("box", tuple(camera.position + 1.6 * towards), (1.0, 1.0, 1.0), 0.0, GREY)
    assert view.hidden_by([wall]).all()
    assert not view.hidden_by([behind]).any()
    left = np.cross([0, 0, 1], towards / np.linalg.norm(towards))
    half = Solid(
        "box", tuple(middle + 2.0 * left), (0.05, 4.0, 9.0), np.arctan2(towards[1], towards[0]), GREY
    )
    share = view.hidden_by([half]).mean()
    assert 0.35 < share < 0.65
    occlusion = Occlusion(bounds.points, scene.cameras, max_share=0.2)
    assert not occlusion.accept([half])
    assert occlusion.shares == [0.0, 0.0]
    assert Occlusion(bounds.points, [camera], max_share=0.9).accept([half])


def test_hidden_rays_agree_with_the_picture():
    """The rays that a ball's box hides are those whose pixels its mesh covers, but for the rim."""
    bounds = bounds_of(distance=0.0)
    camera = scene_of("plain").camera("side")
    place = camera.position + 0.6 * (bounds.center - camera.position)
    box = Solid("box", tuple(place), (0.3, 0.2, 0.4), 0.7, GREY)
    view = SweptView(bounds.points, camera)
    ahead = view.rays @ camera.T_world_cam[:3, :3]
    pixels = ahead[:, :2] / ahead[:, 2:] * np.diag(camera.K)[:2] + camera.K[:2, 2]
    outline = ConvexHull(camera.project(solid_mesh(box)[0])).equations
    covered = (pixels @ outline[:, :2].T + outline[:, 2] <= 0).all(1)
    hidden = view.hidden_by([box])
    assert hidden[covered].all()
    assert 0 < covered.sum() < hidden.sum() < 1.6 * covered.sum()


def test_props_stay_where_they_are_and_nothing_else_comes_there():
    seat = stool((1.0, 0.4), 0.47, 0.3, GREY)
    scene = scene_of("clinic", 2, props=(seat,))
    assert scene.furniture[0] == seat
    low, high = local_box(scene, seat)
    assert high[2] == pytest.approx(0.47)
    for thing in scene.furniture[1:]:
        if thing.kind not in FLAT:
            other_low, other_high = local_box(scene, thing)
            assert ((low >= other_high) | (high <= other_low)).any()


def test_unknown_names_are_answered_with_those_there_are():
    with pytest.raises(ValidationError, match="'gym'"):
        RoomConfig(kinds=("cellar",))  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match="forest"):
        Environment("moon", 1.0, 0.0)
    assert set(STYLES) == {"plain", "gait_lab", "clinic", "gym", "living_room", "outdoor", "studio"}
