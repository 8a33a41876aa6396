"""Rooms in a real Blender: furniture where the host has it, surroundings, light in bounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from odah.clothing.layers import MeshLayer
from odah.render import Blender, RenderSettings
from odah.render.jobs import write_job
from odah.render.view import views_of
from odah.render.worker_process import WorkerProcess
from odah.scene import PersonBounds, RoomConfig, Scene, SceneConfig, sample_scene
from odah.scene.solids import solid_mesh
from odah.scene.types import Environment, Furniture, RoomKind, Solid, Surface

pytestmark = pytest.mark.blender

RED = Surface("plain", (0.8, 0.0, 0.0), (0.8, 0.0, 0.0), 1.0, 1.0, 0, glow=1.0)
GREY = Surface("paint", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), 2.0, 1.0, 0)


@pytest.fixture(scope="module")
def worker(blender: Blender) -> Iterator[WorkerProcess]:
    process = WorkerProcess(blender, 300)
    yield process
    process.close()


def picture(worker: WorkerProcess, folder: Path, scene: Scene, layers: list[MeshLayer]) -> np.ndarray:
    """(H, W, 3) float RGB of the front view."""
    scene = replace(scene, cameras=scene.cameras[:1])
    settings = RenderSettings("cycles", samples=4, device="cpu")
    views = views_of(scene, layers, None, settings.crop_size)
    worker.send(write_job(folder, scene, layers, views, settings))
    answer = worker.next_answer()
    image = np.array(cv2.imread(answer["path"]), dtype=float)[..., ::-1]
    while worker.next_answer()["event"] == "frame":
        pass
    return image


def scene_of(kind: RoomKind, layers: list[MeshLayer], seed: int = 1) -> Scene:
    bounds = PersonBounds.from_motion(layers[0].vertices, np.array([[1.0, 0.0, 0.0]]))
    config = SceneConfig(picture_size=(96, 64), room=RoomConfig(kinds=(kind,)))
    return sample_scene(np.random.default_rng(seed), config, bounds)


@pytest.mark.parametrize("shape", ["box", "rod", "cylinder", "ball"])
def test_solids_are_drawn_where_the_host_has_them(worker, make_person, tmp_path, shape):
    layers = make_person(1)
    scene = scene_of("plain", layers)
    room = replace(scene.room, floor=GREY, walls=(GREY,) * 4, ceiling=GREY)
    solid = Solid(shape, (0.3, 0.9, 1.3), (0.9, 0.35, 0.6), 0.8, RED)
    scene = replace(scene, room=room, furniture=(Furniture("thing", (solid,)),))
    image = picture(worker, tmp_path, scene, layers)
    red = image[..., 0] > image[..., 1] + 60
    vertices, faces = solid_mesh(solid)
    expected = np.zeros(red.shape, np.uint8)
    for triangle in scene.camera("front").project(vertices)[faces]:
        cv2.fillConvexPoly(expected, np.round(triangle * 16).astype(np.int32), 1, shift=4)
    # the person's red arm is no part of the solid
    near = cv2.dilate(expected, np.ones((3, 3), np.uint8)).astype(bool)
    overlap = (red & near & (expected > 0)).sum() / ((red & near) | (expected > 0)).sum()
    assert expected.sum() > 40
    assert overlap > 0.75


@pytest.mark.parametrize("kind", ["gym", "living_room", "outdoor"])
def test_rooms_are_neither_dark_nor_burnt_and_repeat(worker, make_person, tmp_path, kind):
    layers = make_person(1)
    scene = scene_of(kind, layers, seed=4)
    image = picture(worker, tmp_path, scene, layers)
    luminance = image @ [0.2126, 0.7152, 0.0722] / 255
    assert 0.2 < luminance.mean() < 0.8
    assert (luminance > 0.985).mean() < 0.2
    assert (luminance < 0.02).mean() < 0.1
    again = picture(worker, tmp_path, scene, layers)
    assert np.abs(image - again).mean() < 1


def test_the_surroundings_turn_with_their_yaw(worker, make_person, tmp_path):
    layers = make_person(1)
    scene = scene_of("outdoor", layers)
    images = [
        picture(worker, tmp_path, replace(scene, environment=Environment("courtyard", 4.0, yaw)), layers)
        for yaw in (0.0, 1.0)
    ]
    sky = slice(0, 20)
    assert np.abs(images[0][sky] - images[1][sky]).mean() > 5
