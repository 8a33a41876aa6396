"""Light: as much as asked, from lamps, windows and surroundings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odah.scene import PersonBounds, RoomConfig, Scene, SceneConfig, sample_scene
from odah.scene.config import LightConfig
from odah.scene.lighting import ambient_radiance, sample_environment, sample_lights
from odah.scene.types import RoomKind

ROOMS: tuple[RoomKind, ...] = ("gait_lab", "clinic", "gym", "living_room")


def scene_of(kind: RoomKind, seed: int = 0) -> Scene:
    """A scene around somebody 1.9 m high who faces +x."""
    points = np.array([(x, y, z) for x in (-0.2, 1.4) for y in (-0.3, 0.6) for z in (0, 1.9)])
    bounds = PersonBounds.from_motion(points[None], np.array([[1.0, 0.0, 0.0]]))
    return sample_scene(np.random.default_rng(seed), SceneConfig(room=RoomConfig(kinds=(kind,))), bounds)


@settings(max_examples=12, deadline=None)
@given(kind=st.sampled_from((*ROOMS, "plain")), seed=st.integers(0, 2**32))
def test_all_lights_together_give_what_was_asked(kind, seed):
    scene = scene_of(kind, seed)
    direct = sum(light.power for light in scene.lights) / (scene.room.size[0] * scene.room.size[1])
    bounced = np.pi * ambient_radiance(scene.room, scene.lights).mean()
    assert 6.8 <= direct + bounced <= 10.2
    assert all(light.power > 0 for light in scene.lights)
    assert scene.room.contains(np.array([light.position for light in scene.lights])).all()


def test_windows_shine_into_the_room_and_lamps_at_the_ceiling():
    pitches = set()
    for seed in range(8):
        scene = scene_of("living_room", seed)
        panes = [s for thing in scene.furniture for s in thing.solids if s.surface.pattern == "window"]
        windows = [light for light in scene.lights if light.pitch == np.pi / 2]
        assert len(windows) == len(panes)
        assert (scene.environment is not None) == bool(panes)
        for light in windows:
            ahead = np.array([np.cos(light.yaw), np.sin(light.yaw), 0.0])
            inside = np.array([light.position, light.position + 0.5 * ahead])
            assert scene.room.contains(inside).all()
            assert not scene.room.contains(light.position - 0.5 * ahead)
        pitches |= {light.pitch for light in scene.lights}
    assert pitches == {0.0, np.pi / 2, np.pi}


def test_the_open_has_no_lamps_and_only_the_surroundings_asked_for():
    scene = scene_of("outdoor")
    assert sample_lights(np.random.default_rng(0), LightConfig(), scene.room) == ()
    assert (ambient_radiance(scene.room, ()) == 0).all()
    for seed in range(5):
        rng = np.random.default_rng(seed)
        surroundings = sample_environment(rng, LightConfig(hdris=("night", "studio")), scene.room, ())
        assert surroundings is not None
        assert surroundings.hdri == "night"
    only = sample_environment(np.random.default_rng(0), LightConfig(hdris=("studio",)), scene.room, ())
    assert only is not None
    assert only.hdri == "studio"


@pytest.mark.parametrize(
    ("field", "value"), [("number", (0, 3)), ("daylight", (0.6, 0.2)), ("hdris", ("moon",))]
)
def test_bad_ranges_are_refused(field, value):
    with pytest.raises(ValueError, match=field):
        LightConfig(**{field: value})
