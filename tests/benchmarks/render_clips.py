"""Clips for the renderer's benchmarks: a bumpy shape as fine as a person, in any room."""

from __future__ import annotations

import numpy as np
import trimesh

from odah.clothing.layers import Material, MeshLayer
from odah.scene import PersonBounds, Scene, SceneConfig, sample_scene
from odah.scene.config import RoomConfig


def walking_blob(num_frames: int, fineness: int = 5) -> MeshLayer:
    """A bumpy standing shape that moves 1.2 m forward: of 20,480 triangles, as many as a person has."""
    ball = trimesh.creation.icosphere(subdivisions=fineness)
    bumps = 1 + 0.2 * np.sin(9 * ball.vertices).prod(1, keepdims=True)
    shape = ball.vertices * bumps * [0.25, 0.35, 0.9] + [0, 0, 0.95]
    path = np.linspace(0, 1.2, num_frames)[:, None, None] * [1.0, 0.0, 0.0]
    return MeshLayer("blob", (shape + path).astype(np.float32), ball.faces, Material("skin", (0.5, 0.3, 0.2)))


def scene_around(
    layers: list[MeshLayer], width: int, height: int, seed: int = 0, kinds: tuple = ("plain",)
) -> Scene:
    """Two views of a room of one of these kinds."""
    points = np.concatenate([layer.vertices for layer in layers], axis=1)
    bounds = PersonBounds.from_motion(points, np.array([[1.0, 0.0, 0.0]]))
    config = SceneConfig(picture_size=(width, height), room=RoomConfig(kinds=kinds))
    return sample_scene(np.random.default_rng(seed), config, bounds)
