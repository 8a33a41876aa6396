"""Drawn scenes: cameras see the person, the room holds the cameras, lamps are spread, seeds decide."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odah.errors import InputError
from odah.scene import CameraConfig, PersonBounds, RoomConfig, Scene, SceneConfig, mean_heading, sample_scene
from odah.scene.color import lamp_rgb
from odah.scene.lighting import ambient_radiance


def walking_points(heading: float, distance: float, num_frames: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """(T, P, 3) corners of a walking person's box, asymmetric, and (T, 3) the direction they face."""
    direction = np.array([np.cos(heading), np.sin(heading), 0.0])
    left = np.array([-direction[1], direction[0], 0.0])
    corners = [
        a * direction + b * left + [0, 0, c] for a in (-0.2, 0.4) for b in (-0.3, 0.6) for c in (0, 1.9)
    ]
    steps = np.linspace(0, distance, num_frames)[:, None, None] * direction
    return np.array(corners) + steps, np.tile(direction, (num_frames, 1))


def scene_of(seed: int, heading: float = 0.7, distance: float = 2.0, **camera) -> tuple[Scene, np.ndarray]:
    points, facing = walking_points(heading, distance)
    config = SceneConfig(camera=CameraConfig(**camera), room=RoomConfig(kinds=("plain",)))
    bounds = PersonBounds.from_motion(points, facing)
    return sample_scene(np.random.default_rng(seed), config, bounds), points


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), heading=st.floats(-4, 4), distance=st.floats(0, 6))
def test_every_point_is_in_both_pictures_and_the_room_holds_all(seed, heading, distance):
    scene, points = scene_of(seed, heading, distance)
    assert [camera.name for camera in scene.cameras] == ["front", "side"]
    for camera in scene.cameras:
        assert camera.sees(points, margin=0.06).all()
        assert 1.0 <= camera.position[2] <= 1.2
        assert camera.K[0, 0] == pytest.approx(33 / 36 * camera.width)
        assert scene.room.contains(camera.position, margin=0.3)
    assert scene.room.contains(points, margin=0.3).all()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), heading=st.floats(-4, 4), side=st.sampled_from(["right", "left"]))
def test_front_faces_the_person_and_side_stands_at_their_side(seed, heading, side):
    scene, points = scene_of(seed, heading, 1.0, side=side)
    forward = np.array([np.cos(heading), np.sin(heading), 0.0])
    left = np.array([-forward[1], forward[0], 0.0])
    center = points.mean((0, 1))
    front, other = (scene.camera(name) for name in ("front", "side"))
    assert front.T_world_cam[:3, 2] @ forward < -0.95
    assert (front.position - center) @ forward > 1.5
    # in the front view the person's left is on the right
    assert front.to_cam(center + left)[0] > front.to_cam(center)[0]
    sign = 1 if side == "left" else -1
    assert sign * (other.position - center) @ left > 1.5
    # seen from their right, a person walks to the right of the picture
    assert sign * (other.to_cam(center + forward)[0] - other.to_cam(center)[0]) < 0


def test_the_same_seed_gives_the_same_scene_and_another_one_differs():
    first, again, other = (scene_of(seed)[0].to_dict() for seed in (3, 3, 4))
    assert first == again
    assert first != other
    assert Scene.from_dict(json.loads(json.dumps(first))).to_dict() == first


def test_cameras_stand_no_farther_than_the_margin_asks():
    scene, points = scene_of(1, 0.0, 0.0)
    for camera in scene.cameras:
        assert not camera.sees(points, margin=0.09).all()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_lamps_are_evenly_spread_below_the_ceiling(seed):
    scene, _ = scene_of(seed)
    positions = np.array([light.position for light in scene.lights])
    assert 4 <= len(positions) <= 9
    assert (positions[:, 2] < scene.room.size[2]).all()
    local = (positions[:, :2] - scene.room.center) @ scene.room.axes.T / scene.room.size[:2]
    np.testing.assert_allclose(local.mean(0), 0, atol=0.13)
    gaps = np.linalg.norm(positions[:, None] - positions[None], axis=-1) + 99 * np.eye(len(positions))
    assert gaps.min() > 0.5 * np.sqrt(scene.room.size[0] * scene.room.size[1] / len(positions))
    direct = sum(light.power for light in scene.lights) / (scene.room.size[0] * scene.room.size[1])
    bounced = np.pi * ambient_radiance(scene.room, scene.lights).mean()
    assert 6.8 <= direct + bounced <= 10.2


def test_warm_lamps_are_red_cold_ones_blue_and_all_as_bright():
    warm, white, cold = (lamp_rgb(temperature, 4900) for temperature in (3000, 4900, 7000))
    assert warm[0] > 1.2 > warm[2]
    assert cold[2] > 1.2 > cold[0]
    np.testing.assert_allclose(white, 1, atol=1e-9)
    for color in (warm, cold):
        assert color @ [0.2126, 0.7152, 0.0722] == pytest.approx(1)


def test_ambient_light_follows_the_lamps():
    scene, _ = scene_of(0)
    radiance = ambient_radiance(scene.room, scene.lights)
    np.testing.assert_allclose(ambient_radiance(scene.room, scene.lights * 2), 2 * radiance)
    assert (radiance > 0).all()


def test_mean_heading_of_turns_and_of_lying_people():
    full_turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    facing = np.stack([np.cos(full_turn), np.sin(full_turn), 0 * full_turn], axis=1)
    np.testing.assert_allclose(mean_heading(facing), facing[0, :2], atol=1e-6)
    np.testing.assert_allclose(mean_heading(facing[:15] * [1, 1, 0]), np.full(2, np.sqrt(0.5)), atol=0.06)
    np.testing.assert_allclose(mean_heading(np.tile([0.0, 0.0, 1.0], (5, 1))), [1, 0])


@pytest.mark.parametrize(
    ("points", "facing", "message"),
    [
        (np.full((2, 3, 3), np.nan), np.ones((2, 3)), "not all finite"),
        (np.zeros((0, 3, 3)), np.ones((2, 3)), "0 points"),
        (np.zeros((2, 3, 3)), np.full((2, 3), np.inf), "not finite"),
    ],
)
def test_bad_motion_is_refused(points, facing, message):
    with pytest.raises(InputError, match=message):
        PersonBounds.from_motion(points, facing)


def test_a_motion_too_wide_for_a_picture_and_a_bad_rate_are_refused():
    points, facing = walking_points(0.0, 500.0)
    bounds = PersonBounds.from_motion(points, facing)
    with pytest.raises(InputError, match="fits into a picture"):
        sample_scene(np.random.default_rng(0), SceneConfig(), bounds)
    with pytest.raises(InputError, match="positive number of frames"):
        sample_scene(np.random.default_rng(0), SceneConfig(), bounds, rate=0)


def test_a_scene_with_a_missing_field_is_refused():
    values = scene_of(0)[0].to_dict()
    del values["room"]["yaw"]
    with pytest.raises(InputError, match="yaw"):
        Scene.from_dict(values)


def test_an_unknown_view_is_refused():
    with pytest.raises(InputError, match="'back'"):
        scene_of(0)[0].camera("back")
