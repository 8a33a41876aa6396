"""Clips made side by side: as many at a time as suit the machine, the same bytes, none that stops others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from odah.config import GenerateConfig
from odah.dataset.reader import Dataset
from odah.errors import OdahError
from odah.pipeline import slots as slots_module
from odah.pipeline.generate import generate_dataset
from odah.pipeline.slots import GIVE_UP_AFTER, Outcome, SlotPlan, in_slots, plan_slots
from odah.render import EngineChoice, RenderSettings

ON_CPU = EngineChoice("cycles", None)
ON_GPU = EngineChoice("eevee", "NVIDIA H200/PCIe/SSE2")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve cores, two graphics processors."""
    monkeypatch.setattr(slots_module, "num_cores", lambda: 12)
    monkeypatch.setattr(slots_module, "visible_gpus", lambda: ["0", "3"])


@pytest.mark.parametrize(
    ("workers", "choice", "num_clips", "count", "threads"),
    [
        (0, ON_CPU, 100, 6, 2),
        (0, ON_CPU, 2, 2, 6),
        (0, ON_GPU, 100, 8, 1),
        (5, ON_GPU, 100, 5, 2),
        (1, ON_CPU, 100, 1, 0),
        (64, ON_CPU, 100, 64, 1),
    ],
)
def test_slots_suit_the_machine(machine, workers, choice, num_clips, count, threads) -> None:
    planned = plan_slots(workers, 4, RenderSettings(), choice, num_clips)
    assert (planned.count, planned.threads) == (count, threads)
    on_both = ({"CUDA_VISIBLE_DEVICES": "0"}, {"CUDA_VISIBLE_DEVICES": "3"})
    assert planned.environments == (on_both if choice is ON_GPU else ())


def test_threads_that_are_asked_for_are_given(machine) -> None:
    assert plan_slots(0, 4, RenderSettings(threads=3), ON_CPU, 100).threads == 3


def test_what_a_machine_lends_bounds_its_slots(machine) -> None:
    planned = plan_slots(0, 4, RenderSettings(), ON_CPU, 100, (3, ["0"]))
    assert (planned.count, planned.threads) == (1, 3)
    assert plan_slots(0, 4, RenderSettings(), ON_GPU, 100, (8, ["0", "1"])).count == 8


def outcome(why: str | None = None, streak: int = 0) -> str:
    """What `eval`, which plays a slot's work, makes an `Outcome` of."""
    return f"__import__('odah.pipeline.slots', fromlist=['']).Outcome({why!r}, {streak})"


def test_a_slot_that_dies_costs_nothing_but_its_own_clip(tmp_path: Path) -> None:
    seen = str(tmp_path / "seen")
    dies_once = f"{outcome()} if os.path.exists({seen!r}) else (open({seen!r}, 'w'), os.kill(os.getpid(), 9))"
    names = {
        "dies once": dies_once.replace("os.", "__import__('os')."),
        "good": outcome(),
        "dies": "__import__('os')._exit(3)",
        "a mistake": "1 / 0",
        "better": outcome(),
    }
    codes = [f"({code}, {name!r})[0]" for name, code in names.items()]
    deaths: list[tuple[str, str]] = []
    told = in_slots(eval, codes, SlotPlan(2, 1), lambda code, death: deaths.append((code, death.why)))
    found = dict(told)
    whys = {name: found[code].why for name, code in zip(names, codes, strict=True)}
    assert [name for name in names if whys[name] is None] == ["dies once", "good", "better"]
    assert "died (status 3)" in str(whys["dies"])
    assert sorted(code for code, _ in deaths) == sorted([codes[0], codes[2]])
    assert {why.split("(")[-1] for _, why in deaths} == {"SIGKILL, perhaps out of memory)", "status 3)"}
    assert "ZeroDivisionError" in str(whys["a mistake"])


@pytest.mark.parametrize("count", [1, 2])
def test_a_mistake_of_ours_costs_one_clip_in_any_number_of_slots(count: int) -> None:
    codes = ["1 / 0", "open('/no such file')", outcome()]
    found = dict(in_slots(eval, codes, SlotPlan(count, 1)))
    assert "ZeroDivisionError" in str(found[codes[0]].why)
    assert found[codes[1]].why == "/no such file: no such file or directory"
    assert found[codes[2]] == Outcome()


@pytest.mark.parametrize("count", [1, 2])
def test_a_blender_that_fails_clip_after_clip_stops_the_run(count: int) -> None:
    codes = [outcome("crash", 1), outcome(), *(outcome("crash", k) for k in range(1, 40))]
    seen = []

    def run() -> None:
        for _, found in in_slots(eval, codes, SlotPlan(count, 1)):
            seen.append(found)

    with pytest.raises(OdahError, match=rf"{GIVE_UP_AFTER} clips in a row.*stay; the last one: crash"):
        run()
    assert Outcome() in seen or count == 2  # the other slot may not even have started
    assert len(seen) < 25


@pytest.mark.blender
def test_two_slots_make_the_same_bytes_as_one(
    tiny_dataset: Dataset,
    tiny_config: GenerateConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    same_labels: Callable[[Path, Path], None],
) -> None:
    monkeypatch.setattr("odah.pipeline.executors.plan_slots", lambda *_: SlotPlan(2, 1))
    paths, failures = generate_dataset(tiny_config, Path(), tmp_path / "d")
    assert not failures
    assert len(list(paths.clips.iterdir())) == 2
    same_labels(paths.root, tiny_dataset.paths.root)


def children_of(session: int) -> list[str]:
    """Command lines of the processes of a session that still live."""
    listed = subprocess.run(
        ["ps", "-ww", "-o", "pid=,stat=,args=", "--sid", str(session)],
        capture_output=True,
        text=True,
        check=False,
    )
    return [line for line in listed.stdout.splitlines() if line.split()[1][0] != "Z"]


ENDLESS = """
import sys
import numpy as np
import trimesh
from odah.clothing.layers import Material, MeshLayer
from odah.pipeline.slots import Outcome, SlotPlan, in_slots
from odah.render import Renderer, RenderSettings
from odah.scene import PersonBounds, SceneConfig, sample_scene

def render(folder):
    ball = trimesh.creation.icosphere(subdivisions=4, radius=0.5)
    still = np.repeat(ball.vertices[None].astype(np.float32) + [0, 0, 1], 2000, axis=0)
    layers = [MeshLayer("ball", still, ball.faces, Material("cloth"))]
    bounds = PersonBounds.from_motion(still[:2], np.array([[1.0, 0.0, 0.0]]))
    scene = sample_scene(np.random.default_rng(0), SceneConfig(), bounds)
    with Renderer(RenderSettings("cycles", threads=1)) as renderer:
        renderer.render(scene, layers, folder)
    return Outcome()

if __name__ == "__main__":
    list(in_slots(render, sys.argv[1:], SlotPlan(2, 1)))
"""


@pytest.mark.blender
@pytest.mark.skipif(sys.platform != "linux", reason="asks ps for a session's processes")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_who_ends_the_run_ends_all_slots_and_their_blenders(
    blender: None, tmp_path: Path, sent: signal.Signals
) -> None:
    (tmp_path / "run.py").write_text(ENDLESS)
    command = [sys.executable, str(tmp_path / "run.py"), str(tmp_path / "a"), str(tmp_path / "b")]
    running = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        assert wait_until(lambda: sum("worker.py" in line for line in children_of(running.pid)) == 2)
        running.send_signal(sent)
        assert running.wait(timeout=60) != 0
        assert wait_until(lambda: not children_of(running.pid)), children_of(running.pid)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)


def wait_until(is_so: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 240
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.1)
    return is_so()
