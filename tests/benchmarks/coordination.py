"""What it costs to have clips made side by side: all time of the slots in which nobody fits or renders.

    python tests/benchmarks/coordination.py [--executor local ray] [--workers 2] [--frames 60] [--subjects 2]

Every slot notes when it begins and ends each clip, and how long it fits (the person, the motion, body and
clothes in every frame, the scene) and renders (Blender, masks, videos, until the last file). Reported are
shares of the time that the slots have together, from the first clip's begin to the last one's end:

- `fit`, `render`: the work itself; `fit_again`: the part of `fit` for people whom another slot made, too
- `write`: the rest of what a clip takes: labels, checks, hashes, the person's folder, `dataset.json`
- `between`: from one clip's end to the next one's begin in the same slot: queue, pickles, the main process
- `overhead`: `write`, `between` and `main_s`, the index and card after the last clip. The target is 2 %
- `start`: until each slot began its first clip after the first one had; `tail`: no clips left for it. Neither
  is coordination: the one is paid once a run, the other is less than a clip's time
- `start_s`: seconds from the call to the first clip's begin, with Blender's search, processes, imports
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from odah.config import GenerateConfig
from odah.dataset.plan import ClipPlan
from odah.dataset.schema import DatasetPaths
from odah.pipeline import clips, executors
from odah.pipeline.clip_maker import ClipMaker
from odah.pipeline.clip_work import ClipWork
from odah.pipeline.generate import GenerateOptions, generate_dataset
from odah.pipeline.slots import Outcome
from odah.render import Renderer

LOG = "timings.jsonl"


class TimedWork(ClipWork):
    """Notes what it did when, one line a clip, beside the dataset."""

    def __call__(self, plan: ClipPlan) -> Outcome:
        spent: dict[str, float] = defaultdict(float)
        begin = time.time()
        with (
            stopwatch(ClipMaker, "solve", spent, "fit"),
            stopwatch(ClipMaker, "_new_person", spent, "person"),
            stopwatch(clips, "prepare_clip", spent, "fit"),
            stopwatch(Renderer, "render", spent, "render"),
        ):
            outcome = super().__call__(plan)
        line = {"slot": os.getpid(), "subject": plan.subject, "begin": begin, "end": time.time(), **spent}
        with (self._paths.root.parent / LOG).open("a") as file:
            file.write(json.dumps(line) + "\n")
        return outcome


@contextmanager
def stopwatch(owner: Any, name: str, spent: dict[str, float], stage: str) -> Iterator[None]:
    """Add what each call takes."""
    function: Callable[..., Any] = getattr(owner, name)

    def timed(*arguments: Any, **named: Any) -> Any:
        begin = time.perf_counter()
        try:
            return function(*arguments, **named)
        finally:
            spent[stage] += time.perf_counter() - begin

    setattr(owner, name, timed)
    try:
        yield
    finally:
        setattr(owner, name, function)


def measured(config: GenerateConfig, folder: Path, executor: Any) -> dict[str, float]:
    """Shares of the slots' time, and seconds."""
    executors.ClipWork = TimedWork
    started = time.time()
    paths, failures = generate_dataset(config, Path(), folder / "dataset", GenerateOptions(executor=executor))
    ended = time.time()
    if failures:
        raise SystemExit(str(failures))
    return report(paths, started, ended)


def report(paths: DatasetPaths, started: float, ended: float) -> dict[str, float]:
    rows = [json.loads(line) for line in (paths.root.parent / LOG).read_text().splitlines()]
    slots: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["begin"]):
        slots[row["slot"]].append(row)
    begin, end = min(row["begin"] for row in rows), max(row["end"] for row in rows)
    total = len(slots) * (end - begin)
    made: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if "person" in row:
            made[row["subject"]].append(row["person"])
    again = sum(sum(seconds) - seconds[0] for seconds in made.values())
    fit, render = (sum(row[stage] for row in rows) for stage in ("fit", "render"))
    write = sum(row["end"] - row["begin"] for row in rows) - fit - render
    between = sum(after["begin"] - before["end"] for own in slots.values() for before, after in pairwise(own))
    main_s = ended - end
    seconds = {
        "fit": fit,
        "fit_again": again,
        "render": render,
        "write": write,
        "between": between,
        "overhead": write + between + main_s,
        "start": sum(own[0]["begin"] - begin for own in slots.values()),
        "tail": sum(end - own[-1]["end"] for own in slots.values()),
    }
    shares = {name: value / total for name, value in seconds.items()}
    return {
        "clips": len(rows), "slots": len(slots), "wall_s": ended - started, "start_s": begin - started,
        "main_s": main_s, "s_a_clip": (fit + render + write) / len(rows), **shares,
    }  # fmt: skip


def main() -> None:
    """Measure and print one JSON object for each executor."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executor", nargs="+", default=["local", "ray"])
    for name, value in (("workers", 2), ("frames", 60), ("subjects", 2), ("width", 384), ("height", 256)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--actions", nargs="+", default=["walking", "hand_waving", "sit_down"])
    arguments = parser.parse_args()
    config = GenerateConfig.model_validate(
        {
            "name": "coordination",
            "motion": {"actions": arguments.actions},
            "subjects": {"count": arguments.subjects},
            "clip": {"duration": arguments.frames / 30, "rate": 30},
            "video": {"width": arguments.width, "height": arguments.height},
            "render": {"engine": "cycles", "workers": arguments.workers, "threads": 1},
        }
    )
    for executor in arguments.executor:
        with tempfile.TemporaryDirectory(prefix="odah_coordination_") as folder:
            found = measured(config, Path(folder), executor)
        print(json.dumps({"executor": executor, **{name: round(v, 4) for name, v in found.items()}}))


if __name__ == "__main__":
    main()
