"""What people's shaders do in a real Blender."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from odah.clothing.layers import MeshLayer
from odah.clothing.textures import Texture, texture_relief
from odah.render import Blender, Renderer, RenderSettings, read_frames
from odah.scene import Scene

pytestmark = pytest.mark.blender

SCALE, CROP = 6.0, 14
"""Times life size is the knit, so that its stitches are larger than pixels; a crop of so many px is drawn."""


@pytest.fixture(scope="module")
def renderer(blender: Blender) -> Iterator[Renderer]:
    settings = RenderSettings("cycles", samples=4, threads=1, crf=0, labels=(), crop_size=64, device="cpu")
    with Renderer(settings, blender, say=lambda line: None) as renderer:
        yield renderer


def picture(renderer: Renderer, scene: Scene, layer: MeshLayer, folder: Path) -> np.ndarray:
    """(64, 64, 3) float RGB of the chest, seen from the front."""
    camera = scene.cameras[0]
    u, v = camera.project(np.array([[0.0, 0.0, 1.2]]))[0]
    crops = {camera.name: np.array([[u - CROP / 2, v - CROP / 2, CROP]])}
    result = renderer.render(replace(scene, cameras=(camera,)), [layer], folder, crops=crops)
    return next(read_frames(result.videos[camera.name])).astype(float)


def test_relief_shades_and_is_nothing_where_it_is_even(
    renderer: Renderer,
    make_person: Callable[..., list[MeshLayer]],
    make_scene: Callable[..., Scene],
    tmp_path: Path,
) -> None:
    """A knit, twice as deep as it is, with its heights, without them, and with the same height everywhere."""
    (puppet,) = make_person(1)
    scene = make_scene([puppet], 64, 64)
    heights, depth = texture_relief(Texture("knit", 3, ((120, 120, 120),)), 256)
    assert heights is not None

    def shaded(name: str, relief: np.ndarray | None) -> np.ndarray:
        material = replace(puppet.material, relief=relief, relief_depth=2 * SCALE * depth)
        uv = puppet.vertices[0][:, 1:] / (0.2 * SCALE)
        layer = replace(puppet, material=material, uv=uv, colors=np.full_like(puppet.vertices[0], 0.5))
        return picture(renderer, scene, layer, tmp_path / name)

    flat, even, knitted = (
        shaded("flat", None),
        shaded("even", np.full_like(heights, 90)),
        shaded("knit", heights),
    )
    changed = np.abs(knitted - flat).mean(2)
    assert np.abs(even - flat).max() <= 3
    assert (changed > 4).sum() > 200
    assert abs(knitted.mean() - flat.mean()) < 5
