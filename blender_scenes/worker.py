"""The program inside Blender's Python: reads names of job files on stdin, answers JSON lines on stdout.

Run as `python worker.py` where Python has bpy, or `blender --background --python worker.py`. With the
argument `--probe FOLDER` it says what OpenGL is there, and ends. A job file holds the scene, the layers'
arrays (names of .npy files beside it), the engine and the settings; one line answers every frame.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import TextIO

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import engines
import people
import rooms


def main(arguments: list[str]) -> None:
    """Answer the probe, or jobs until stdin ends."""
    replies = _claim_stdout()
    about = {"event": "ready", "blender": bpy.app.version_string}
    if arguments[:1] == ["--probe"]:
        about["event"] = "probe"
        _reply(replies, about | engines.probe_gl(str(Path(arguments[1]) / "probe.bmp")))
        return
    _reply(replies, about)
    for line in sys.stdin:
        try:
            _run_job(Path(json.loads(line)["job"]), replies)
        except Exception as error:  # noqa: BLE001 - whatever failed, the host gets one line and decides
            traceback.print_exc()
            _reply(replies, {"event": "failed", "message": f"{type(error).__name__}: {error}"})


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
    description = job["scene"]
    rooms.build_room(description["room"])
    rooms.build_lights(description["lights"])
    layers = [people.LayerMesh(values, path.parent) for values in job["layers"]]
    engines.apply_settings(job)
    views = [(values, rooms.build_camera(values)) for values in description["cameras"]]
    for frame in range(job["num_frames"]):
        for layer in layers:
            layer.pose(frame)
        for values, camera in views:
            picture = path.parent / f"{values['name']}_{frame:06d}.bmp"
            _render(camera, values, picture)
            answer = {"event": "frame", "view": values["name"], "frame": frame, "path": str(picture)}
            _reply(replies, answer)
    clear()
    _reply(replies, {"event": "done", "seconds": time.perf_counter() - started})


def _render(camera: bpy.types.Object, values: dict, picture: Path) -> None:
    """One finished picture: it gets its name when it is whole."""
    scene = bpy.context.scene
    scene.camera = camera
    scene.render.resolution_x, scene.render.resolution_y = values["width"], values["height"]
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
