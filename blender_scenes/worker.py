"""The program inside Blender's Python: reads names of job files on stdin, answers JSON lines on stdout.

Run as `python worker.py` where Python has bpy, or `blender --background --python worker.py`. With the
argument `--probe FOLDER` it says what OpenGL is there, with `--devices FOLDER` what Cycles can run on, and
ends. A job file holds the scene, the layers' arrays (names of .npy files beside it), the views, the engine
and the settings; one line answers every frame.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import TextIO

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import engines
import furniture
import numpy as np
import people
import rooms
from surfaces import SurfaceMaterials


def main(arguments: list[str]) -> None:
    """Answer a question, or jobs until stdin ends."""
    replies = _claim_stdout()
    about = {"event": "ready", "blender": bpy.app.version_string}
    if arguments[:1] == ["--probe"]:
        about["event"] = "probe"
        _reply(replies, about | engines.probe_gl(str(Path(arguments[1]) / "probe.bmp")))
        return
    if arguments[:1] == ["--devices"]:
        _reply(replies, about | {"devices": engines.gpu_names()})
        return
    _end_with_parent()
    _reply(replies, about)
    for line in sys.stdin:
        try:
            _run_job(Path(json.loads(line)["job"]), replies)
        except Exception as error:  # noqa: BLE001 - whatever failed, the host gets one line and decides
            traceback.print_exc()
            _reply(replies, {"event": "failed", "message": f"{type(error).__name__}: {error}"})


def _end_with_parent() -> None:
    """Have the kernel end this process with the one that gave the jobs, even in the middle of a frame.

    Elsewhere than on Linux the next answer, which nobody reads, ends it.
    """
    if sys.platform == "linux":
        set_parent_death_signal = 1  # PR_SET_PDEATHSIG of <linux/prctl.h>
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


def _claim_stdout() -> TextIO:
    """Keep stdout for answers; what Blender prints goes to stderr from here on."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return replies


def _reply(replies: TextIO, message: dict) -> None:
    replies.write(json.dumps(message) + "\n")
    replies.flush()


def _run_job(path: Path, replies: TextIO) -> None:
    job = json.loads(path.read_text(encoding="utf-8"))
    started = time.perf_counter()
    clear()
    layers, views = build(job, path.parent)
    for frame in range(job["num_frames"]):
        posed = None
        for view in views:
            if view.vertices is not posed:
                view.pose(layers, frame)
                posed = view.vertices
            picture = path.parent / f"{view.name}_{frame:06d}.bmp"
            view.render(frame, picture)
            answer = {"event": "frame", "view": view.name, "frame": frame, "path": str(picture)}
            _reply(replies, answer)
    clear()
    gpus = engines.gpu_names() if job["settings"]["device"] == "gpu" else []
    _reply(replies, {"event": "done", "seconds": time.perf_counter() - started, "gpus": gpus})


def build(job: dict, folder: Path) -> tuple[list[people.LayerMesh], list[View]]:
    """Put a job's scene into an empty Blender."""
    description = job["scene"]
    shared = SurfaceMaterials(description["environment"])
    rooms.build_room(description["room"], shared)
    furniture.build_furniture(description["furniture"], shared)
    rooms.build_lights(description["lights"])
    layers = [people.LayerMesh(values, folder) for values in job["layers"]]
    engines.apply_settings(job)
    usual, exposure = [layer.vertices for layer in layers], description["exposure"]
    return layers, [View(values, usual, folder, exposure) for values in job["views"]]


class View:
    """One camera, whose lens may change from frame to frame, and where the layers are when it looks."""

    def __init__(self, values: dict, usual: list[np.ndarray], folder: Path, exposure: float) -> None:
        self.name, self._values = values["name"], values
        self._exposure = exposure + values["exposure"]
        self._camera = rooms.build_camera(values)
        self.vertices = usual
        if any(values["vertices"]):
            self.vertices = [
                np.load(folder / own, mmap_mode="r", allow_pickle=False) if own else vertices
                for own, vertices in zip(values["vertices"], usual, strict=True)
            ]

    def pose(self, layers: list[people.LayerMesh], frame: int) -> None:
        """Move the layers to where this camera sees them."""
        for layer, vertices in zip(layers, self.vertices, strict=True):
            layer.vertices = vertices
            layer.pose(frame)

    def render(self, frame: int, picture: Path) -> None:
        """One finished picture."""
        values, scene = self._values, bpy.context.scene
        if values["K_by_frame"]:
            rooms.set_lens(self._camera, values["K_by_frame"][frame], values["width"], values["height"])
        scene.camera = self._camera
        scene.render.resolution_x, scene.render.resolution_y = values["width"], values["height"]
        scene.render.pixel_aspect_x, scene.render.pixel_aspect_y = rooms.pixel_aspect(values)
        scene.view_settings.exposure = self._exposure
        scene.render.filepath = str(picture)
        bpy.ops.render.render(write_still=True)


def clear() -> None:
    """Remove everything of the last job; meshes and pictures are the large part."""
    for kind in ("objects", "meshes", "materials", "images", "lights", "cameras"):
        items = getattr(bpy.data, kind)
        bpy.data.batch_remove([item for item in items if item.name != "Render Result"])
    bpy.data.orphans_purge(do_recursive=True)


if __name__ == "__main__":
    separator = sys.argv.index("--") + 1 if "--" in sys.argv else 1
    main(sys.argv[separator:])
