"""What the host does when Blender answers, fails, crashes or hangs; Blender is played by small programs."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from odah.errors import InputError, OdahError
from odah.render import (
    Blender,
    BlenderError,
    Renderer,
    RenderSettings,
    choose_engine,
    engine,
    read_depth,
    read_frames,
    read_masks,
    read_normals,
)
from odah.render.engine import GraphicsProbe
from odah.render.worker_process import WorkerProcess

READY = 'import sys, os, time; print(\'{"event": "ready", "blender": "4.5"}\', flush=True); '


PAINTER = """
import json, os, sys
from pathlib import Path
import cv2, numpy as np
print(json.dumps({"event": "ready", "blender": f"4.5 {os.getpid()}"}), flush=True)
for line in sys.stdin:
    path = Path(json.loads(line)["job"])
    job = json.loads(path.read_text())
    for frame in range(job["num_frames"]):
        for k, camera in enumerate(job["views"]):
            picture, grey = path.parent / f"{k}_{frame}.bmp", 60 * frame + 40 * k
            cv2.imwrite(str(picture), np.full((camera["height"], camera["width"], 3), grey, np.uint8))
            answer = {"event": "frame", "view": camera["name"], "frame": frame, "path": str(picture)}
            print(json.dumps(answer), flush=True)
    print(json.dumps({"event": "done", "seconds": 0.1}), flush=True)
"""


def silent(line: str) -> None:
    """Take a note and drop it."""


@dataclass(frozen=True)
class Actor(Blender):
    """Runs `code` in this Python instead of the worker in Blender."""

    code: str = ""

    def command(self, *arguments: str) -> list[str]:
        return [str(self.executable), "-u", "-c", self.code, *arguments]


def actor(code: str) -> Actor:
    return Actor(Path(sys.executable), is_program=False, code=code)


def test_a_crash_is_told_with_the_last_words():
    code = "import sys, os; print('Segfault ahead', file=sys.stderr, flush=True); os.abort()"
    with pytest.raises(OdahError, match=r"ended by signal 6; its last words: .*Segfault ahead"):
        WorkerProcess(actor(code), timeout=20)


def test_harmless_noise_is_not_told():
    code = "import sys; print('EGL Error (0x3009): EGL_BAD_MATCH', file=sys.stderr); sys.exit(3)"
    with pytest.raises(OdahError, match=r"^Blender ended with exit status 3$"):
        WorkerProcess(actor(code), timeout=20)


def test_a_hanging_blender_is_ended(tmp_path):
    process = WorkerProcess(actor(READY + "sys.stdin.readline(); time.sleep(60)"), timeout=1)
    process.send(tmp_path / "job.json")
    with pytest.raises(OdahError, match="no frame for 1 s"):
        process.next_answer()
    process.close(patience=0.0)
    process.close()


def test_what_blender_prints_before_the_worker_is_no_answer():
    code = "print('Blender 4.5.1 (hash)')\n" + READY
    process = WorkerProcess(actor(code), timeout=20)
    assert process.about["blender"] == "4.5"
    process.close()


def test_frames_land_in_their_view_in_order_and_blender_is_renewed(make_person, make_scene, tmp_path):
    layers = make_person(3)
    scene = make_scene(layers)
    settings = RenderSettings("cycles", clips_per_worker=2)
    with Renderer(settings, actor(PAINTER), say=silent) as renderer:
        results = [renderer.render(scene, layers, tmp_path) for _ in range(3)]
    versions = [result.blender_version for result in results]
    assert versions[0] == versions[1] != versions[2]
    for k, view in enumerate(("front", "side")):
        brightness = [frame.mean() for frame in read_frames(results[2].videos[view])]
        np.testing.assert_allclose(brightness, [40 * k, 60 + 40 * k, 120 + 40 * k], atol=6)
        assert read_masks(results[2].masks[view]).shape == (3, 64, 96)
    assert len(list(tmp_path.iterdir())) == 6


def test_a_library_that_went_missing_is_told_with_the_apt_line():
    code = "raise ImportError('libSM.so.6: cannot open shared object file: No such file or directory')"
    with pytest.raises(OdahError, match=r"libSM\.so\.6: apt-get install"):
        WorkerProcess(actor(code), timeout=20)


def test_two_cameras_of_one_name_are_refused(make_person, make_scene, tmp_path):
    layers = make_person()
    scene = make_scene(layers)
    scene = replace(scene, cameras=scene.cameras[:1] * 2)
    with Renderer(blender=actor("")) as renderer, pytest.raises(InputError, match="different names"):
        renderer.render(scene, layers, tmp_path)


def test_a_failed_job_is_one_sentence(make_person, make_scene, tmp_path):
    reply = 'print(\'{"event": "failed", "message": "MemoryError: out of memory"}\', flush=True); '
    renderer = Renderer(RenderSettings("cycles"), actor(READY + "sys.stdin.readline(); " + reply), say=silent)
    layers = make_person()
    with renderer, pytest.raises(OdahError, match="could not render the clip: MemoryError: out of memory"):
        renderer.render(make_scene(layers), layers, tmp_path)
    assert not list(tmp_path.iterdir())


def test_too_few_frames_are_an_error_and_leave_no_files(make_person, make_scene, tmp_path):
    reply = 'print(\'{"event": "done", "seconds": 0}\', flush=True); '
    renderer = Renderer(RenderSettings("cycles"), actor(READY + "sys.stdin.readline(); " + reply), say=silent)
    layers = make_person()
    with renderer, pytest.raises(OdahError, match="0 frames of 2"):
        renderer.render(make_scene(layers), layers, tmp_path)
    assert not list(tmp_path.glob("*.mp4"))


GPU = GraphicsProbe("NVIDIA H200/PCIe", is_software=False)
SOFTWARE = GraphicsProbe("llvmpipe (LLVM 15)", is_software=True)
NOTHING = GraphicsProbe(None, is_software=False)


@pytest.mark.parametrize(
    ("settings", "probe", "devices", "expected", "line"),
    [
        (RenderSettings(), GPU, [], ("eevee", True), "EEVEE on NVIDIA"),
        (RenderSettings(), SOFTWARE, [], ("cycles", False), "software OpenGL, llvmpipe"),
        (RenderSettings(), NOTHING, [], ("cycles", False), "no OpenGL"),
        (RenderSettings(), NOTHING, ["H200 (OPTIX)"], ("cycles", True), "Cycles on H200"),
        (RenderSettings(device="cpu"), NOTHING, ["H200 (OPTIX)"], ("cycles", False), "Cycles on the CPU"),
        (
            RenderSettings("eevee", allow_software_gl=True),
            SOFTWARE,
            [],
            ("eevee", False),
            "software and slow",
        ),
        (RenderSettings("cycles"), None, [], ("cycles", False), "Cycles on the CPU"),
        (RenderSettings("cycles", device="gpu"), None, ["A", "A"], ("cycles", True), "Cycles on A"),
    ],
)
def test_the_engine_follows_the_graphics(monkeypatch, settings, probe, devices, expected, line):
    monkeypatch.setattr(engine, "probe_graphics", lambda blender: probe)
    monkeypatch.setattr(engine, "probe_devices", lambda blender: devices)
    said: list[str] = []
    choice = choose_engine(actor(""), settings, said.append)
    assert (choice.engine, choice.is_on_gpu) == expected
    assert choice.gl_renderer == (probe.renderer if probe else None)
    assert len(said) == 1
    assert line in said[0]


@pytest.mark.parametrize("wanted", ["eevee", "workbench"])
def test_software_opengl_is_refused_unless_allowed(monkeypatch, wanted):
    monkeypatch.setattr(engine, "probe_graphics", lambda blender: SOFTWARE)
    with pytest.raises(OdahError, match=rf"{wanted} .*llvmpipe \(LLVM 15\).*allow_software_gl: true"):
        choose_engine(actor(""), RenderSettings(wanted), silent)


def test_a_missing_gpu_is_told_where_one_was_asked_for(monkeypatch):
    monkeypatch.setattr(engine, "probe_devices", lambda blender: [])
    with pytest.raises(OdahError, match="device gpu was asked for"):
        choose_engine(actor(""), RenderSettings("cycles", device="gpu"), silent)


def test_devices_are_those_that_blender_names(monkeypatch):
    monkeypatch.setattr(engine.sys, "platform", "darwin")  # where no file tells that there is none
    assert engine.probe_devices(actor('print(\'{"event": "ready", "devices": ["M4 (METAL)"]}\')')) == [
        "M4 (METAL)"
    ]
    assert engine.probe_devices(actor("raise SystemExit(4)")) == []


def test_an_engine_that_needs_opengl_says_how_to_get_it(monkeypatch):
    code = 'print(\'{"event": "probe", "renderer": null, "missing": "libEGL.so.1: cannot open"}\')'
    with pytest.raises(OdahError, match=r"eevee needs OpenGL: libEGL.*apt-get install .*libegl1"):
        choose_engine(actor(code), RenderSettings("eevee"), silent)


def test_the_start_may_take_longer_than_a_frame(tmp_path):
    frame = 'print(\'{"event": "frame"}\', flush=True); '
    code = "import time; time.sleep(1.5); " + READY + "time.sleep(1.5); " + frame + "time.sleep(60)"
    process = WorkerProcess(actor(code), timeout=1, start_timeout=30)
    assert process.next_answer()["event"] == "frame"
    with pytest.raises(BlenderError, match="no frame for 1 s"):
        process.next_answer()
    process.close(patience=0.0)


HANGS_ONCE = """
import sys
from pathlib import Path
flag = Path({flag!r})
if not flag.exists():
    flag.touch()
    print('{{"event": "ready", "blender": "4.5"}}', flush=True)
    sys.stdin.readline()
    import time
    time.sleep(60)
"""


def test_a_hang_is_tried_again_once(make_person, make_scene, tmp_path):
    layers = make_person()
    scene = make_scene(layers)
    settings = RenderSettings("cycles", timeout=2, start_timeout=2, labels=())
    code = HANGS_ONCE.format(flag=str(tmp_path / "flag")) + PAINTER
    said: list[str] = []
    with Renderer(settings, actor(code), say=said.append) as renderer:
        renderer.render(scene, layers, tmp_path / "out")
    assert said[1:] == ["Blender gave no frame for 2 s; starting Blender again"]
    assert len(list((tmp_path / "out").iterdir())) == 4
    (tmp_path / "flag").unlink()
    with (
        Renderer(replace(settings, retries=0), actor(code), say=silent) as renderer,
        pytest.raises(BlenderError, match="no frame for 2 s"),
    ):
        renderer.render(scene, layers, tmp_path / "other")
    assert not list((tmp_path / "other").iterdir())


def test_a_blender_that_does_not_start_is_tried_again(make_person, make_scene, tmp_path):
    flag = tmp_path / "flag"
    code = (
        f"import pathlib, sys\nflag = pathlib.Path({str(flag)!r})\n"
        "if not flag.exists():\n    flag.touch()\n    sys.exit(3)\n"
    )
    layers, said = make_person(), []
    with Renderer(RenderSettings("cycles", labels=()), actor(code + PAINTER), say=said.append) as renderer:
        renderer.render(make_scene(layers), layers, tmp_path / "out")
    assert said[1:] == ["Blender ended with exit status 3; starting Blender again"]
    assert len(list((tmp_path / "out").iterdir())) == 4


def test_wanted_labels_are_written_and_read_back(make_person, make_scene, tmp_path):
    layers = make_person(2)
    scene = make_scene(layers)
    settings = RenderSettings("cycles", labels=("depth", "normals"))
    keypoints = {camera.name: camera.project(layers[0].vertices[:, :3]) for camera in scene.cameras}
    with Renderer(settings, actor(PAINTER), say=silent) as renderer:
        result = renderer.render(scene, layers, tmp_path, keypoints)
    assert result.parts == {}
    for view in ("front", "side"):
        camera, person = scene.camera(view), read_masks(result.masks[view])
        depth = np.stack(list(read_depth(result.depth[view])))
        np.testing.assert_array_equal(np.isfinite(depth), person)
        distances = camera.to_cam(layers[0].vertices)[..., 2]
        assert distances.min() - 0.01 < depth[person].min() < depth[person].max() < distances.max() + 0.01
        normals = np.stack(list(read_normals(result.normals[view])))
        np.testing.assert_allclose(np.linalg.norm(normals[person], axis=-1), 1.0, atol=0.02)
        assert normals[person][:, 2].max() < 0.1
        assert not normals[~person].any()
        assert result.part_at[view].shape == (2, 3)


@pytest.mark.parametrize(
    ("crops", "message"),
    [
        ({"front": np.ones((2, 3))}, "also those of the view side"),
        ({"front": np.ones((1, 3)), "side": np.ones((2, 3))}, r"shape \(1, 3\), expected \(2, 3\)"),
        ({"front": np.zeros((2, 3)), "side": np.ones((2, 3))}, "a crop of 0.0 px"),
    ],
)
def test_crops_that_fit_nothing_are_refused(make_person, make_scene, tmp_path, crops, message):
    layers = make_person(2)
    with Renderer(blender=actor("")) as renderer, pytest.raises(InputError, match=message):
        renderer.render(make_scene(layers), layers, tmp_path, crops=crops)


def test_a_probe_that_dies_means_no_opengl():
    probe = engine.probe_graphics(actor("import os; os.abort()"))
    assert probe.renderer is None
    assert "signal 6" in probe.reason


def broken(layers: list, **changes) -> list:
    return [replace(layers[0], **changes)]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda x: [], "at least one mesh"),
        (lambda x: broken(x, vertices=np.where(x[0].vertices > 1.9, np.nan, x[0].vertices)), "frame 0"),
        (lambda x: broken(x, vertices=x[0].vertices[:0]), "vertices of shape"),
        (lambda x: [*x, *broken(x, vertices=x[0].vertices[:1])], "1 frames, expected 2"),
        (lambda x: broken(x, faces=x[0].faces + 1), "vertex numbers from 1"),
        (lambda x: broken(x, faces=x[0].faces[:, :2]), "faces of shape"),
        (lambda x: broken(x, uv=np.zeros((3, 2))), "uv: found shape"),
        (lambda x: broken(x, vertices=x[0].vertices * [20, 1, 1]), "from the lens"),
    ],
)
def test_bad_layers_are_refused_before_blender_starts(make_person, make_scene, tmp_path, spoil, message):
    layers = make_person()
    scene = make_scene(layers)
    with Renderer(blender=actor("raise SystemExit(9)")) as renderer, pytest.raises(InputError, match=message):
        renderer.render(scene, spoil(layers), tmp_path)


def test_odd_pictures_and_bad_settings_are_refused(make_person, make_scene, tmp_path):
    layers = make_person()
    with Renderer(blender=actor("")) as renderer, pytest.raises(InputError, match="even width and height"):
        renderer.render(make_scene(layers, 97, 64), layers, tmp_path)
    with pytest.raises(InputError, match="'vray'"):
        RenderSettings(engine="vray")  # type: ignore[arg-type]
    for wrong in (
        {"samples": 0},
        {"labels": ("edges",)},
        {"crop_size": 63},
        {"device": "tpu"},
        {"retries": -1},
    ):
        with pytest.raises(InputError, match=f"render settings, {next(iter(wrong))}"):
            RenderSettings(**wrong)
