"""Clips to videos and labels: Blender renders in its own process while this one encodes and draws labels."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from odah.clothing.layers import MeshLayer
from odah.render.blender_env import Blender, find_blender, print_to_stderr
from odah.render.clip_files import ClipFiles
from odah.render.engine import EngineChoice, choose_engine
from odah.render.frame_folder import frame_folder
from odah.render.jobs import check_clip, write_job
from odah.render.settings import RenderSettings
from odah.render.view import View, views_of
from odah.render.worker_process import BlenderError, WorkerProcess
from odah.scene.types import Scene
from odah.scratch import MEMORY, scratch_folder


@dataclass(frozen=True)
class RenderResult:
    """What was made of a clip, by view name, and by what.

    parts, depth, normals: empty unless wanted. part_at: (T, J) uint8 number of the part under each keypoint,
    see `part_under`; empty without keypoints.
    gl_renderer: the OpenGL driver's own name; None where no OpenGL was asked. device: what Cycles ran on;
    None for other engines. seconds: from the call to the last file.
    """

    videos: dict[str, Path]
    masks: dict[str, Path]
    parts: dict[str, Path]
    depth: dict[str, Path]
    normals: dict[str, Path]
    part_at: dict[str, np.ndarray]
    engine: str
    gl_renderer: str | None
    device: str | None
    blender_version: str
    seconds: float


class Renderer:
    """Keeps one Blender warm across clips; use it as a context manager.

    say: takes the lines that tell what renders and what is being installed. choice: of the engine, where
    it has been made already. memory: a folder for pictures on their way, taken if it has room.
    """

    def __init__(
        self,
        settings: RenderSettings | None = None,
        blender: Blender | None = None,
        say: Callable[[str], None] = print_to_stderr,
        choice: EngineChoice | None = None,
        memory: Path = MEMORY,
    ) -> None:
        self.settings = settings or RenderSettings()
        self._say = say
        self._blender = blender
        self._choice = choice
        self._memory = memory
        self._worker: WorkerProcess | None = None
        self._clips_done = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def process_id(self) -> int | None:
        """Of the Blender that is running, if one is."""
        return None if self._worker is None else self._worker.process_id

    def close(self, patience: float = 5.0) -> None:
        """End Blender, by force after `patience` seconds; the next clip starts another one."""
        if self._worker is not None:
            self._worker.close(patience)
        self._worker, self._clips_done = None, 0

    def render(
        self,
        scene: Scene,
        layers: Sequence[MeshLayer],
        out_dir: str | Path,
        keypoints: Mapping[str, np.ndarray] | None = None,
        crops: Mapping[str, np.ndarray] | None = None,
    ) -> RenderResult:
        """Write `<view>.mp4` (H264), `<view>_mask.mkv` (FFV1) and the wanted labels of every camera.

        Args:
            out_dir: for the files, all of them or, after an error, none.
            keypoints: by view (T, J, 2), px of the written pictures; the part under each is told.
            crops: by view (T, 3), edges of the square of each frame that is rendered, as square pictures of
                `settings.crop_size`: left, top and side, px of the full picture.

        Raises:
            InputError: the clip cannot be rendered, see `check_clip` and `views_of`.
            BlenderError: Blender crashed or hung, also when tried again.
            OdahError: no Blender, or no OpenGL or device for what was asked.
        """
        started = time.perf_counter()
        check_clip(scene, layers)
        views = views_of(scene, layers, crops, self.settings.crop_size)
        tries_left = self.settings.retries
        while True:
            files = ClipFiles(scene, views, Path(out_dir), self.settings, keypoints)
            try:
                return self._try(scene, layers, views, files, started)
            except BlenderError as error:
                if not tries_left:
                    raise
                tries_left -= 1
                self._say(f"{error}; starting Blender again")

    def _try(
        self,
        scene: Scene,
        layers: Sequence[MeshLayer],
        views: Sequence[View],
        files: ClipFiles,
        started: float,
    ) -> RenderResult:
        worker, choice = self._warm_worker()
        with files:
            gpus = self._run(worker, choice, scene, layers, views, files)
        self._clips_done += 1
        paths = files.paths
        return RenderResult(
            videos=paths[""],
            masks=paths["mask"],
            parts=paths.get("parts", {}),
            depth=paths.get("depth", {}),
            normals=paths.get("normals", {}),
            part_at=files.part_at,
            engine=choice.engine,
            gl_renderer=choice.gl_renderer,
            device=", ".join(gpus) or choice.device_name,
            blender_version=worker.about["blender"],
            seconds=time.perf_counter() - started,
        )

    def _warm_worker(self) -> tuple[WorkerProcess, EngineChoice]:
        if self._blender is None:
            self._blender = find_blender(say=self._say)
        if self._choice is None:
            self._choice = choose_engine(self._blender, self.settings, self._say)
        if self._clips_done >= self.settings.clips_per_worker:
            self.close()
        if self._worker is None:
            settings = self.settings
            self._worker = WorkerProcess(
                self._blender, settings.timeout, start_timeout=settings.start_timeout
            )
        return self._worker, self._choice

    def _run(
        self,
        worker: WorkerProcess,
        choice: EngineChoice,
        scene: Scene,
        layers: Sequence[MeshLayer],
        views: Sequence[View],
        files: ClipFiles,
    ) -> list[str]:
        """Have Blender render everything once; the graphics processors that Cycles used."""
        settings = replace(self.settings, engine=choice.engine, device=choice.device)
        base = frame_folder(layers, views, self._memory)
        with scratch_folder("odah-render-", base) as folder:
            job = write_job(folder, scene, layers, views, settings)
            try:
                worker.send(job)
                while (answer := worker.next_answer())["event"] == "frame":
                    files.add_picture(answer["view"], Path(answer["path"]))
                files.finish()
                return answer.get("gpus", [])
            except BaseException:  # also when the user interrupts: it still renders, so it must go
                self.close(patience=0.0)
                raise


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
