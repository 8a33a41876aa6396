"""Tiny renders with a real Blender: what is where in the pictures, masks, repetition, recovery."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh

from odah.clothing.layers import Material, MeshLayer
from odah.errors import OdahError
from odah.render import Blender, Renderer, RenderSettings, draw_masks, probe_graphics, read_frames, read_masks
from odah.render.jobs import write_job
from odah.render.worker_process import WorkerProcess
from odah.scene import Camera, Scene, Surface

pytestmark = pytest.mark.blender

GREEN = (0.02, 0.6, 0.02)


@pytest.fixture(scope="module")
def renderer(blender: Blender) -> Iterator[Renderer]:
    with Renderer(RenderSettings("cycles", threads=2), blender, say=lambda line: None) as renderer:
        yield renderer


@pytest.fixture(scope="module")
def worker(blender: Blender) -> Iterator[WorkerProcess]:
    process = WorkerProcess(blender, 300)
    yield process
    process.close()


def grey(scene: Scene, albedo: float = 0.6) -> Scene:
    """The same scene without colours, so that only the person has any."""
    color = (albedo, albedo, albedo)
    surface = Surface("paint", color, color, 2.0, 1.0, 0)
    room = replace(scene.room, floor=surface, walls=(surface,) * 4, ceiling=surface)
    lights = tuple(replace(light, color=(1.0, 1.0, 1.0)) for light in scene.lights)
    return replace(scene, room=room, lights=lights)


def pictures(
    worker: WorkerProcess, folder: Path, scene: Scene, layers: list[MeshLayer], engine: str
) -> dict[str, np.ndarray]:
    """First frame of each view, (H, W, 3) float RGB, as Blender wrote it."""
    path = write_job(folder, scene, layers, engine, RenderSettings(samples=4))
    if not scene.lights:  # as bright from every side, so that nothing has a dark one
        path.write_text(json.dumps(json.loads(path.read_text()) | {"ambient": [2.0, 2.0, 2.0]}))
    worker.send(path)
    found = {}
    while (answer := worker.next_answer())["event"] == "frame":
        found[answer["view"]] = np.array(cv2.imread(answer["path"]), dtype=float)[..., ::-1]
    return found


@pytest.fixture(scope="module")
def has_graphics(blender: Blender) -> bool:
    return probe_graphics(blender).renderer is not None


def test_two_views_are_written_and_the_left_arm_is_on_the_right(renderer, make_person, make_scene, tmp_path):
    layers = make_person(2)
    scene = grey(make_scene(layers))
    result = renderer.render(scene, layers, tmp_path)
    assert result.engine == "cycles"
    assert result.blender_version[0] in "45"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "front.mp4", "front_mask.mkv", "side.mp4", "side_mask.mkv",
    ]  # fmt: skip
    for view in ("front", "side"):
        frames, masks = list(read_frames(result.videos[view])), read_masks(result.masks[view])
        assert np.shape(frames) == (2, 64, 96, 3)
        np.testing.assert_array_equal(masks, list(draw_masks(layers, scene.camera(view))))
    # The left arm is red and up. It is on the right of the front view's picture, above the body's middle.
    frame = next(read_frames(result.videos["front"])).astype(float)
    rows, columns = np.nonzero(frame[..., 0] > frame[..., 1] + 40)
    body_row, body_column = np.argwhere(read_masks(result.masks["front"])[0]).mean(0)
    assert len(rows) > 10
    assert columns.mean() > body_column + 3
    assert rows.mean() < body_row


def test_a_still_person_renders_the_same_twice(renderer, make_person, make_scene, tmp_path):
    layers = make_person(2, step=0.0)
    scene = make_scene(layers)
    first, second = (renderer.render(scene, layers, tmp_path / name) for name in "ab")
    for view in ("front", "side"):
        assert first.videos[view].read_bytes() == second.videos[view].read_bytes()
        assert first.masks[view].read_bytes() == second.masks[view].read_bytes()


def test_the_mask_is_blenders_silhouette(worker, has_graphics, make_person, make_scene, tmp_path):
    if not has_graphics:
        pytest.skip("no OpenGL: Workbench draws the sharp silhouettes this test needs")
    layers = make_person(1)
    layers[0] = replace(layers[0], colors=None, material=Material("cloth", GREEN))
    scene = grey(make_scene(layers, 360, 240))
    for view, picture in pictures(worker, tmp_path, scene, layers, "workbench").items():
        (mask,) = draw_masks(layers, scene.camera(view))
        greenness = picture[..., 1] - picture[..., 0]
        seen = greenness > 0.5 * np.median(greenness[mask])
        assert (seen & mask).sum() / (seen | mask).sum() >= 0.97, view


@pytest.mark.parametrize("engine", ["cycles", "workbench"])
def test_points_are_where_the_camera_projects_them(
    worker, has_graphics, make_person, make_scene, tmp_path, engine
):
    if engine == "workbench" and not has_graphics:
        pytest.skip("no OpenGL")
    # High up in a large black room that lights evenly, so that no side of a ball is dark.
    scene = replace(grey(make_scene(make_person(1), 360, 240), albedo=0.001), lights=())
    scene = replace(scene, room=replace(scene.room, size=(60.0, 60.0, 60.0)))
    lift = np.array([0.0, 0.0, 30.0])
    cameras = []
    for camera, shift in zip([*scene.cameras, scene.cameras[0]], [(0, 0), (0, 0), (31, -17)], strict=True):
        K, T_world_cam = camera.K.copy(), camera.T_world_cam.copy()
        K[:2, 2] += shift  # the third camera has its lens off centre
        T_world_cam[:3, 3] += lift
        cameras.append(Camera(f"view_{len(cameras)}", K, T_world_cam, 360, 240, 33.0, 36.0))
    scene = replace(scene, cameras=tuple(cameras))
    balls = dict(enumerate(np.array([[0.1, 0.55, 1.5], [-0.1, -0.5, 0.7], [0.2, 0.2, 0.35]]) + lift))
    layers = []
    for channel, center in balls.items():
        ball = trimesh.creation.icosphere(subdivisions=3, radius=0.08)
        vertices = (ball.vertices + center)[None].astype(np.float32)
        color = ((0.5, 0.01, 0.01), (0.01, 0.5, 0.01), (0.01, 0.01, 0.5))[channel]
        layers.append(MeshLayer(f"ball {channel}", vertices, ball.faces, Material("leather", color, 1.0)))
    for view, picture in pictures(worker, tmp_path, scene, layers, engine).items():
        for channel, center in balls.items():
            others = np.delete(picture, channel, axis=-1).max(-1)
            rows, columns = np.nonzero(picture[..., channel] > others + 25)
            error = [columns.mean(), rows.mean()] - scene.camera(view).project(center)

            assert np.abs(error).max() < 0.3, (view, channel, error)


def test_after_a_crash_the_next_clip_gets_a_fresh_blender(blender, make_person, make_scene, tmp_path):
    layers = make_person(1)
    scene = make_scene(layers, 32, 32)
    with Renderer(RenderSettings("cycles", samples=1), blender, say=lambda line: None) as renderer:
        renderer.render(scene, layers, tmp_path)
        assert renderer._worker is not None
        renderer._worker._process.kill()
        with pytest.raises(OdahError, match="Blender"):
            renderer.render(scene, layers, tmp_path)
        assert renderer.render(scene, layers, tmp_path).videos["front"].stat().st_size > 0
