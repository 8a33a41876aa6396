"""The videos of a clip while they are written: pictures as they arrive, labels drawn beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from odah.errors import OdahError
from odah.files import atomic_path
from odah.render.label_codes import encode_depth_mm, encode_normals
from odah.render.parts import part_under
from odah.render.picture_labels import LabelKinds, PictureLabels, draw_picture_labels
from odah.render.settings import RenderSettings
from odah.render.video import VideoWriter
from odah.render.view import View
from odah.scene.lens import LensMap
from odah.scene.solids import room_mesh, solid_mesh
from odah.scene.types import Scene


class ClipFiles:
    """`<view>.mp4`, `<view>_mask.mkv` and the wanted labels of every view; they appear when all are whole.

    Pictures are encoded in one thread and labels drawn in another. Use it as a context manager.
    """

    def __init__(
        self,
        scene: Scene,
        views: Sequence[View],
        folder: Path,
        settings: RenderSettings,
        keypoints: Mapping[str, np.ndarray] | None,
    ) -> None:
        self._scene, self._views, self._folder, self._settings = scene, views, folder, settings
        self._keypoints = keypoints or {}
        self._files, self._pools = ExitStack(), ExitStack()
        self._tasks: list[Future[None]] = []
        self._lenses = {view.name: view.lens for view in views}
        self.part_at: dict[str, np.ndarray] = {}

    def __enter__(self) -> Self:
        crf = self._settings.crf
        self._writers = {
            view.name: self._open(view, "", "libx264", crf if view.camera.crf is None else view.camera.crf)
            for view in self._views
        }
        self._frame_pool, label_pool = (ThreadPoolExecutor(1) for _ in range(2))
        for pool in (self._frame_pool, label_pool):
            self._pools.callback(pool.shutdown, cancel_futures=True)
        static = [room_mesh(self._scene.room)]
        static += [solid_mesh(solid) for thing in self._scene.furniture for solid in thing.solids]
        for view in self._views:
            labels = _LabelFiles(
                {kind: self._open(view, kind, codec) for kind, codec in self._label_codecs().items()}
            )
            self._tasks.append(label_pool.submit(self._draw_labels, view, static, labels))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pools.__exit__(kind, error, trace)  # before the files close
        self._files.__exit__(kind, error, trace)

    @property
    def paths(self) -> dict[str, dict[str, Path]]:
        """Files by kind ("" for the pictures) and view."""
        kinds = ("", *self._label_codecs())
        return {kind: {view.name: self._path(view, kind) for view in self._views} for kind in kinds}

    def add_picture(self, view: str, picture: Path) -> None:
        """Take the next frame of a view; its file is removed once it is encoded."""
        self._tasks.append(self._frame_pool.submit(self._encode_picture, view, picture))

    def finish(self) -> None:
        """Wait until everything is written.

        Raises:
            OdahError: there were not as many pictures as frames, or one was unreadable.
        """
        for task in self._tasks:
            task.result()
        for view in self._views:
            count, expected = self._writers[view.name].num_frames, len(view.pinholes)
            if count != expected:
                raise OdahError(f"{view.name}: Blender gave {count} frames of {expected}")

    def _label_codecs(self) -> dict[str, str]:
        codecs = {"parts": "ffv1", "depth": "ffv1 16 bit", "normals": "ffv1 color"}
        return {"mask": "ffv1"} | {kind: codecs[kind] for kind in self._settings.labels}

    def _path(self, view: View, kind: str) -> Path:
        return self._folder / (f"{view.name}_{kind}.mkv" if kind else f"{view.name}.mp4")

    def _open(self, view: View, kind: str, codec: str, crf: int = 23) -> VideoWriter:
        temporary = self._files.enter_context(atomic_path(self._path(view, kind)))
        return self._files.enter_context(VideoWriter(temporary, codec, view.size, self._scene.rate, crf))

    def _encode_picture(self, view: str, picture: Path) -> None:
        frame = cv2.imread(str(picture), cv2.IMREAD_COLOR)
        if frame is None:
            raise OdahError(
                f"Blender wrote no readable picture {picture.name}: is the disk of {picture.parent} full?"
            )
        lens = self._lenses[view]
        self._writers[view].write(frame if lens is None else lens.picture(frame))
        picture.unlink()

    def _draw_labels(self, view: View, static: list, files: _LabelFiles) -> None:
        wanted = LabelKinds(**{kind: kind in self._settings.labels for kind in ("parts", "depth", "normals")})
        keypoints = self._keypoints.get(view.name)
        under = []
        for frame, labels in enumerate(draw_picture_labels(view.layers, static, view.pinholes, wanted)):
            seen = labels if view.lens is None else _through_lens(labels, view.lens)
            files.write(seen)
            if keypoints is not None:
                under.append(part_under(seen.parts, keypoints[frame]))
        if keypoints is not None:
            self.part_at[view.name] = np.stack(under)


class _LabelFiles:
    """The label videos of one view."""

    def __init__(self, writers: Mapping[str, VideoWriter]) -> None:
        self._writers = writers

    def write(self, labels: PictureLabels) -> None:
        pictures = {"mask": labels.person.astype(np.uint8) * 255, "parts": labels.parts}
        if labels.depth is not None:
            pictures["depth"] = encode_depth_mm(labels.depth)
        if labels.normals is not None:
            pictures["normals"] = encode_normals(labels.normals)
        for kind, writer in self._writers.items():
            writer.write(pictures[kind])


def _through_lens(labels: PictureLabels, lens: LensMap) -> PictureLabels:
    return PictureLabels(
        person=lens.labels(labels.person),
        parts=lens.labels(labels.parts),
        depth=None if labels.depth is None else lens.labels(labels.depth),
        normals=None if labels.normals is None else lens.labels(labels.normals),
    )
