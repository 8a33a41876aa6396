"""Whole clips without Blender: real skeletons, bodies, labels and masks; only the pictures are painted."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from odah.clothing.layers import MeshLayer
from odah.config import GenerateConfig
from odah.dataset.describe import describe_dataset
from odah.dataset.plan import plan_clips
from odah.dataset.reader import Dataset, open_dataset
from odah.dataset.writer import start_dataset
from odah.osim import full_body_model
from odah.pipeline.clip_maker import ClipMaker
from odah.pipeline.clips import make_clip
from odah.pipeline.executors import render_settings
from odah.pipeline.subjects import write_subject
from odah.render import Renderer, RenderResult
from odah.render.clip_files import ClipFiles
from odah.render.view import View, views_of
from odah.scene import Scene


class PaintedRenderer(Renderer):
    """Writes every file that a renderer writes; its pictures are light hulls of the person on noise."""

    def render(
        self,
        scene: Scene,
        layers: Sequence[MeshLayer],
        out_dir: str | Path,
        keypoints: Mapping[str, np.ndarray] | None = None,
        crops: Mapping[str, np.ndarray] | None = None,
    ) -> RenderResult:
        views = views_of(scene, layers, crops, self.settings.crop_size)
        files = ClipFiles(scene, views, Path(out_dir), self.settings, keypoints)
        with tempfile.TemporaryDirectory() as folder, files:
            for view in views:
                for path in _paint(view, Path(folder)):
                    files.add_picture(view.name, path)
            files.finish()
        kinds = {kind: files.paths.get(kind, {}) for kind in ("parts", "depth", "normals")}
        about = {"engine": "painted", "gl_renderer": None, "device": None, "blender_version": "none"}
        paths = files.paths
        return RenderResult(paths[""], paths["mask"], **kinds, part_at=files.part_at, **about, seconds=0.0)


def _paint(view: View, folder: Path) -> list[Path]:
    width, height = view.size
    rng, paths = np.random.default_rng(len(view.name)), []
    wall = cv2.resize(rng.integers(40, 90, (height // 8, width // 8, 3), np.uint8), view.size)
    for frame, camera in enumerate(view.pinholes):
        picture = wall.copy()
        points = np.concatenate([layer.vertices[frame, ::97] for layer in view.layers])
        pixels = camera.project(points)
        hull = cv2.convexHull(np.rint(pixels[np.isfinite(pixels).all(axis=-1)]).astype(np.int32))
        cv2.fillConvexPoly(picture, hull, (150, 180, 210))
        path = folder / f"{view.name}_{frame}.png"
        cv2.imwrite(str(path), picture)
        paths.append(path)
    return paths


def painted_dataset(config: GenerateConfig, out: Path) -> Dataset:
    """The dataset of a config, made in this process and without Blender."""
    plans = plan_clips(config, Path())
    maker = ClipMaker(config, plans)
    model = maker.fitter.registration.calibrated(full_body_model())
    paths = start_dataset(out, config, model, maker.views, plans)
    for plan in plans:
        solved = maker.solve(plan)
        folder = paths.subject(plan.subject)
        write_subject(solved.subject, solved.outfit.appearance, config.body, folder)
        make_clip(paths, plan, maker, solved, PaintedRenderer(render_settings(config)))
    describe_dataset(paths)
    return open_dataset(out)
