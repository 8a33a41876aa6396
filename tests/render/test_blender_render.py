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
from odah.render import Blender, Renderer, RenderSettings, draw_masks, probe_graphics, read_frames, read_masks
from odah.render.jobs import write_job
from odah.render.settings import Engine
from odah.render.view import views_of
from odah.render.worker_process import BlenderError, WorkerProcess
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
    return replace(scene, room=room, lights=lights, furniture=())


def pictures(
    worker: WorkerProcess, folder: Path, scene: Scene, layers: list[MeshLayer], engine: Engine
) -> dict[str, np.ndarray]:
    """First frame of each view, (H, W, 3) float RGB, as Blender wrote it."""
    settings = RenderSettings(engine, samples=4, device="cpu")
    path = write_job(folder, scene, layers, views_of(scene, layers, None, settings.crop_size), settings)
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
        "front.mp4", "front_mask.mkv", "front_parts.mkv", "side.mp4", "side_mask.mkv", "side_parts.mkv",
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
        assert overlap(seen, mask) >= 0.97, view


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
    front, side = scene.cameras
    # Later ones have their lens off centre, and pixels that are not square.
    lenses = [(front, (0, 0), 1.0), (side, (0, 0), 1.0), (front, (31, -17), 1.0)]
    for camera, shift, stretch in [*lenses, (front, (0, 0), 0.8), (side, (-19, 23), 1.25)]:
        K, T_world_cam = camera.K.copy(), camera.T_world_cam.copy()
        K[:2, 2] += shift
        K[1, 1] *= stretch
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


def test_a_crash_is_tried_again_in_a_fresh_blender(blender, make_person, make_scene, tmp_path):
    layers = make_person(1)
    scene = make_scene(layers, 32, 32)
    said: list[str] = []
    with Renderer(RenderSettings("cycles", samples=1), blender, say=said.append) as renderer:
        renderer.render(scene, layers, tmp_path)
        assert renderer._worker is not None
        renderer._worker._process.kill()
        assert renderer.render(scene, layers, tmp_path).videos["front"].stat().st_size > 0
        assert "ended by signal 9; starting Blender again" in said[-1]
        renderer._worker._process.kill()
        renderer.settings = replace(renderer.settings, retries=0)
        with pytest.raises(BlenderError, match="signal 9"):
            renderer.render(scene, layers, tmp_path)


def still(renderer: Renderer, scene: Scene, layers: list[MeshLayer], folder: Path, crops=None) -> np.ndarray:
    """Nearly lossless frames (T, H, W, 3) of the front view."""
    renderer.settings = replace(renderer.settings, crf=1, crop_size=64)
    result = renderer.render(scene, layers, folder, crops=crops)
    return np.stack(list(read_frames(result.videos["front"]))).astype(float)


def test_a_crop_shows_what_is_there_in_the_full_picture(renderer, make_person, make_scene, tmp_path):
    """As many pixels as in the full picture, so that every pixel has its twin; a window that moves."""
    layers = make_person(2)
    scene = grey(make_scene(layers, 192, 128))
    scene = replace(scene, cameras=scene.cameras[:1])
    renderer.settings = replace(renderer.settings, samples=64)
    full = still(renderer, scene, layers, tmp_path / "full")
    corners = np.array([[64, 20], [70, 33]])
    crops = {"front": np.column_stack([corners, [64, 64]]).astype(float)}
    cropped = still(renderer, scene, layers, tmp_path / "crop", crops)
    masks = {name: read_masks(tmp_path / name / "front_mask.mkv") for name in ("full", "crop")}
    assert cropped.shape == (2, 64, 64, 3)
    for frame, (left, top) in enumerate(corners):
        window = np.s_[frame, top : top + 64, left : left + 64]
        np.testing.assert_array_equal(masks["crop"][frame], masks["full"][window])
        assert 100 < masks["crop"][frame].sum() < 64 * 64
        difference = np.abs(cropped[frame] - full[window]).mean()
        shifted = np.abs(cropped[frame][:, 1:] - full[window][:, :-1]).mean()
        assert difference < 4.0
        assert difference < 0.5 * shifted
    renderer.settings = replace(renderer.settings, samples=4)


def test_a_distorted_picture_and_its_mask_agree(renderer, make_person, make_scene, tmp_path):
    layers = make_person(1)
    layers[0] = replace(layers[0], colors=None, material=Material("cloth", GREEN))
    scene = grey(make_scene(layers, 240, 160))
    bent = replace(scene.cameras[0], distortion=(0.9, 0.0, 0.04, -0.03))
    scene = replace(scene, cameras=(bent,))
    (frame,) = still(renderer, scene, layers, tmp_path)
    (mask,) = read_masks(tmp_path / "front_mask.mkv")
    greenness = frame[..., 1] - frame[..., 0]
    seen = greenness > 0.5 * np.median(greenness[mask])
    (straight,) = draw_masks(layers, replace(bent, distortion=()))
    assert overlap(seen, mask) > 0.85  # H264 halves the resolution of colours
    assert overlap(seen, mask) > overlap(seen, straight) + 0.02
    inside = np.rint(bent.project(layers[0].vertices[0])).astype(int)
    assert mask[inside[:, 1], inside[:, 0]].mean() > 0.8


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Intersection over union."""
    return (first & second).sum() / (first | second).sum()


def test_views_differ_in_time_and_exposure(renderer, make_person, make_scene, tmp_path):
    """One camera late by a frame and two stops brighter, one as it should be."""
    layers = make_person(3, step=0.15)
    scene = make_scene(layers)
    side = scene.camera("side")
    late = replace(side, name="late", frame_offset=1, exposure=2.0)
    scene = replace(scene, cameras=(side, late))
    points = np.repeat(layers[0].vertices[:, :5], 2, axis=1)
    keypoints = {camera.name: camera.project(points) for camera in scene.cameras}
    result = renderer.render(scene, layers, tmp_path, keypoints)
    usual, delayed = (read_masks(result.masks[view]) for view in ("side", "late"))
    np.testing.assert_array_equal(delayed, usual[[0, 0, 1]])
    bright, normal = (np.stack(list(read_frames(result.videos[v]))).mean() for v in ("late", "side"))
    assert bright > 1.3 * normal
    assert result.part_at["late"].shape == (3, 10)
    assert (result.part_at["side"] == result.part_at["side"][0]).all()


def raw_frames(worker: WorkerProcess, folder: Path, scene: Scene, layers: list[MeshLayer]) -> np.ndarray:
    """Frames (T, H, W, 3) of the front view as Blender wrote them, seen in a job of its own."""
    settings = RenderSettings("cycles", device="cpu")
    folder.mkdir()
    worker.send(write_job(folder, scene, layers, views_of(scene, layers, None, 64), settings))
    frames = []
    while (answer := worker.next_answer())["event"] == "frame":
        if answer["view"] == "front":
            frames.append(cv2.imread(answer["path"]))
    return np.stack(frames).astype(float)


def test_nothing_flickers(worker, renderer, make_person, make_scene, tmp_path):
    """Frames of a still person, of two jobs, before and after H264."""
    layers = make_person(3, step=0.0)
    scene = make_scene(layers)
    renderer.settings = replace(renderer.settings, crf=23)
    raw = [raw_frames(worker, tmp_path / name, scene, layers) for name in "ab"]
    decoded = [
        np.stack(list(read_frames(renderer.render(scene, layers, tmp_path / name).videos["front"])))
        for name in "cd"
    ]
    for first, second in (raw, np.array(decoded, float)):
        assert np.abs(first - second).mean() <= 1.0
        assert np.abs(np.diff(first, axis=0)).mean((1, 2, 3)).max() <= 1.0
        assert first.std() > 5
