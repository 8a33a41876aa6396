"""A jointless puppet with its left arm up, a scene for it, and a Blender where there is one."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pytest
import trimesh

from odah.clothing.layers import Material, MeshLayer
from odah.errors import OdahError
from odah.render import Blender, find_blender
from odah.scene import PersonBounds, RoomConfig, Scene, SceneConfig, sample_scene

GREEN, RED = (0.02, 0.6, 0.02), (0.7, 0.01, 0.01)

# start, end (m; facing +x, left is +y), radius, linear RGB
LIMBS = (
    ((0, 0, 1.55), (0, 0, 1.65), 0.11, GREEN),
    ((0, 0, 1.0), (0, 0, 1.35), 0.17, GREEN),
    ((0, 0.2, 1.4), (0, 0.4, 1.95), 0.06, RED),
    ((0, -0.24, 1.4), (0.25, -0.28, 1.0), 0.06, GREEN),
    ((0, 0.1, 0.95), (0, 0.12, 0.09), 0.08, GREEN),
    ((0, -0.1, 0.95), (0, -0.12, 0.09), 0.08, GREEN),
)


def _capsule(start: tuple, end: tuple, radius: float) -> trimesh.Trimesh:
    axis = np.subtract(end, start)
    mesh = trimesh.creation.capsule(height=float(np.linalg.norm(axis)), radius=radius, count=[20, 20])
    mesh.apply_translation(-mesh.bounds.mean(0))
    mesh.apply_transform(trimesh.geometry.align_vectors([0, 0, 1], axis))
    mesh.apply_translation(np.add(start, end) / 2)
    return mesh


@pytest.fixture(scope="session")
def make_person() -> Callable[..., list[MeshLayer]]:
    """`make_person(num_frames)`: one layer that faces +x and walks 0.1 m a frame."""

    def make(num_frames: int = 2, step: float = 0.1) -> list[MeshLayer]:
        meshes = [_capsule(*limb[:3]) for limb in LIMBS]
        vertices = np.concatenate([mesh.vertices for mesh in meshes])
        offsets = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
        faces = np.concatenate([mesh.faces + offset for mesh, offset in zip(meshes, offsets, strict=False)])
        colors = np.concatenate(
            [np.tile(limb[3], (len(mesh.vertices), 1)) for mesh, limb in zip(meshes, LIMBS, strict=True)]
        )
        path = np.arange(num_frames)[:, None, None] * [step, 0.0, 0.0]
        moving = (vertices + path).astype(np.float32)
        return [MeshLayer("puppet", moving, faces, Material("cloth", roughness=0.9), colors=colors)]

    return make


@pytest.fixture(scope="session")
def make_scene() -> Callable[..., Scene]:
    """`make_scene(layers, width, height)` around layers that face +x."""

    def make(layers: list[MeshLayer], width: int = 96, height: int = 64, seed: int = 0) -> Scene:
        points = np.concatenate([layer.vertices for layer in layers], axis=1)
        bounds = PersonBounds.from_motion(points, np.array([[1.0, 0.0, 0.0]]))
        config = SceneConfig(picture_size=(width, height), room=RoomConfig(kinds=("plain",)))
        return sample_scene(np.random.default_rng(seed), config, bounds)

    return make


@pytest.fixture(scope="session", params=os.environ.get("ODAH_BLENDERS", "").split(os.pathsep))
def blender(request: pytest.FixtureRequest) -> Blender:
    """Each of the Blenders that ODAH_BLENDERS lists, or the one that is installed; none is installed for a
    test."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param:
            patch.setenv("ODAH_BLENDER", request.param)
        try:
            return find_blender(install=False)
        except OdahError as error:
            pytest.skip(str(error))
