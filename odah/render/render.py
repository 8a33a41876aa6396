"""Clips to videos and masks: Blender renders in its own process while this one encodes and draws masks."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from odah.clothing.layers import MeshLayer
from odah.errors import OdahError
from odah.files import atomic_path
from odah.render.blender_env import Blender, find_blender, print_to_stderr
from odah.render.engine import EngineChoice, choose_engine
from odah.render.jobs import check_clip, write_job
from odah.render.masks import draw_masks
from odah.render.settings import RenderSettings
from odah.render.video import VideoWriter
from odah.render.worker_process import WorkerProcess
from odah.scene.camera import Camera
from odah.scene.types import Scene


@dataclass(frozen=True)
class RenderResult:
    """What was made of a clip, by view name, and by what.

    gl_renderer: the OpenGL driver's own name; None where no OpenGL was asked.
    seconds: from the call to the last file.
    """

    videos: dict[str, Path]
    masks: dict[str, Path]
    engine: str
    gl_renderer: str | None
    blender_version: str
    seconds: float


class Renderer:
    """Keeps one Blender warm across clips; use it as a context manager.

    say: takes the lines that tell what renders and what is being installed.
    """

    def __init__(
        self,
        settings: RenderSettings | None = None,
        blender: Blender | None = None,
        say: Callable[[str], None] = print_to_stderr,
    ) -> None:
        self.settings = settings or RenderSettings()
        self._say = say
        self._blender = blender
        self._choice: EngineChoice | None = None
        self._worker: WorkerProcess | None = None
        self._clips_done = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self, patience: float = 5.0) -> None:
        """End Blender, by force after `patience` seconds; the next clip starts another one."""
        if self._worker is not None:
            self._worker.close(patience)
        self._worker, self._clips_done = None, 0

    def render(self, scene: Scene, layers: Sequence[MeshLayer], out_dir: str | Path) -> RenderResult:
        """Write `<view>.mp4` (H264) and `<view>_mask.mkv` (FFV1) of every camera into `out_dir`.

        Raises:
            InputError: the clip cannot be rendered, see `check_clip`.
            OdahError: no Blender, no OpenGL for an engine that needs it, Blender crashed or hung.
        """
        started = time.perf_counter()
        check_clip(scene, layers)
        worker, choice = self._warm_worker()
        views = [camera.name for camera in scene.cameras]
        videos = {view: Path(out_dir) / f"{view}.mp4" for view in views}
        masks = {view: Path(out_dir) / f"{view}_mask.mkv" for view in views}
        with tempfile.TemporaryDirectory(prefix="odah-render-") as folder:
            job = write_job(Path(folder), scene, layers, choice.engine, self.settings)
            try:
                worker.send(job)
                self._encode(worker, scene, layers, videos, masks)
            except BaseException:  # also when the user interrupts: it still renders, so it must go
                self.close(patience=0.0)
                raise
        self._clips_done += 1
        return RenderResult(
            videos=videos,
            masks=masks,
            engine=choice.engine,
            gl_renderer=choice.gl_renderer,
            blender_version=worker.about["blender"],
            seconds=time.perf_counter() - started,
        )

    def _warm_worker(self) -> tuple[WorkerProcess, EngineChoice]:
        if self._blender is None:
            self._blender = find_blender(say=self._say)
        if self._choice is None:
            self._choice = choose_engine(self._blender, self.settings.engine, self._say)
        if self._clips_done >= self.settings.clips_per_worker:
            self.close()
        if self._worker is None:
            self._worker = WorkerProcess(self._blender, self.settings.timeout)
        return self._worker, self._choice

    def _encode(
        self,
        worker: WorkerProcess,
        scene: Scene,
        layers: Sequence[MeshLayer],
        videos: dict[str, Path],
        masks: dict[str, Path],
    ) -> None:
        """Draw masks in one thread and encode in another, while frames arrive."""
        num_frames = len(layers[0].vertices)
        with ExitStack() as files, ExitStack() as pools:  # the pools end before the files close
            writers = {
                camera.name: files.enter_context(
                    _atomic_video(videos[camera.name], "libx264", camera, scene.rate, self.settings.crf)
                )
                for camera in scene.cameras
            }
            mask_pool, frame_pool = (pools.enter_context(ThreadPoolExecutor(1)) for _ in range(2))
            for pool in (mask_pool, frame_pool):
                pools.callback(pool.shutdown, cancel_futures=True)
            tasks: list[Future[None]] = []
            for camera in scene.cameras:
                file = files.enter_context(_atomic_video(masks[camera.name], "ffv1", camera, scene.rate))
                tasks.append(mask_pool.submit(_encode_masks, file, layers, camera))
            while (answer := worker.next_answer())["event"] == "frame":
                tasks.append(frame_pool.submit(_encode_frame, writers[answer["view"]], Path(answer["path"])))
            for task in tasks:
                task.result()
            for view, writer in writers.items():
                if writer.num_frames != num_frames:
                    raise OdahError(f"{view}: Blender gave {writer.num_frames} frames of {num_frames}")


def render_clip(
    scene: Scene,
    layers: Sequence[MeshLayer],
    out_dir: str | Path,
    settings: RenderSettings | None = None,
    say: Callable[[str], None] = print_to_stderr,
) -> RenderResult:
    """Render one clip with a Blender of its own; see `Renderer.render`. For many clips keep a `Renderer`."""
    with Renderer(settings, say=say) as renderer:
        return renderer.render(scene, layers, out_dir)


@contextmanager
def _atomic_video(
    path: Path, codec: str, camera: Camera, rate: float, crf: int = 23
) -> Iterator[VideoWriter]:
    with (
        atomic_path(path) as temporary,
        VideoWriter(temporary, codec, (camera.width, camera.height), rate, crf) as writer,
    ):
        yield writer


def _encode_masks(writer: VideoWriter, layers: Sequence[MeshLayer], camera: Camera) -> None:
    for mask in draw_masks(layers, camera):
        writer.write(mask.astype(np.uint8) * 255)


def _encode_frame(writer: VideoWriter, picture: Path) -> None:
    frame = cv2.imread(str(picture), cv2.IMREAD_COLOR)
    if frame is None:
        raise OdahError(
            f"Blender wrote no readable picture {picture.name}: is the disk of {picture.parent} full?"
        )
    writer.write(frame)
    picture.unlink()
