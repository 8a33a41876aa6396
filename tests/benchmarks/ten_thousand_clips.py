"""Planning, resuming and describing a folder of many clips: seconds of each step, and the peak of memory.

    python tests/benchmarks/ten_thousand_clips.py [CLIPS [KILOBYTES]]

The clips are records only (`clip.json` of KILOBYTES, 30 if not said), made in a process of their own.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from odah.config import GenerateConfig
from odah.dataset.describe import describe_dataset
from odah.dataset.file_hashes import FileHashes
from odah.dataset.index import update_index
from odah.dataset.index_columns import BUDGET
from odah.dataset.inputs import with_inputs
from odah.dataset.plan import ClipPlan, plan_clips
from odah.dataset.reader import open_dataset
from odah.dataset.resume import find_clips
from odah.dataset.schema import DatasetPaths, clip_files

ACTIONS = (
    "running", "jogging", "jumping", "sideways", "scratching_head", "hand_clapping", "walking", "kicking",
    "pointing", "stretching",
)  # fmt: skip


def config_of(num_clips: int) -> GenerateConfig:
    return GenerateConfig.model_validate(
        {
            "name": "many",
            "motion": {"actions": ACTIONS},
            "subjects": {"count": max(1, num_clips // len(ACTIONS))},
        }
    )


def plans_with_inputs(config: GenerateConfig, folder: Path) -> list[ClipPlan]:
    plans = plan_clips(config, folder)
    return with_inputs(plans, plans, config, folder, FileHashes(folder / "hashes.json"))


def make_records(folder: Path, num_clips: int, kilobytes: float) -> None:
    """A dataset of records alone, such as the pipeline writes them."""
    from odah.dataset.writer import start_dataset
    from odah.osim import full_body_model

    config = config_of(num_clips)
    plans = plans_with_inputs(config, folder)
    paths = start_dataset(folder / "dataset", config, full_body_model(), plans=plans)
    info = json.loads(paths.info.read_text())
    furniture = _furniture(kilobytes)
    for number, plan in enumerate(plans):
        path = paths.clip(plan.clip_id) / "clip.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(record_of(plan, info, number) | {"scene": furniture}, indent=1))
    update_index(paths)


def _furniture(kilobytes: float) -> dict[str, Any]:
    """Numbers in lists of three, as scenes have them."""
    rng = np.random.default_rng(0)
    solid = {
        "shape": "box",
        "position": rng.normal(size=3).tolist(),
        "size": rng.random(3).tolist(),
        "yaw": 0.1,
    }
    count = round(kilobytes * 1024 / (len(json.dumps(solid, indent=1)) * 1.3))
    cameras = [{"name": "front", "width": 1080, "height": 720}]
    return {
        "cameras": cameras,
        "room": {"kind": "gym"},
        "furniture": [{"kind": "shelf", "solids": [solid] * count}],
    }


def record_of(plan: ClipPlan, info: dict[str, Any], number: int) -> dict[str, Any]:
    return {
        "clip": plan.clip_id, "subject": plan.subject, "person": plan.person, "bmi_variant": plan.variant,
        "action": plan.action, "split": plan.split, "subsets": list(plan.subsets), "inputs": plan.inputs,
        "num_frames": 600, "rate": 60.0, "seed": 0,
        "source": {"path": f"builtin:{plan.action}:{number}", "format": "builtin", "licence": "Apache-2.0"},
        "body": {"kind": "open", "licence": "CC0-1.0", "gender": "female", "age": 30.0, "height": 1.7,
                 "mass": 60.0, "bmi": 20.8},
        "textures": {"licence": "Apache-2.0, procedural"},
        "error_budget": {column.name: number % 17 / 3 for column in BUDGET},
        "flags": [], "notes": ["arms moved by up to 7 degrees, so that hands and forearms clear the body"],
        "render": {"engine": "eevee", "device": "gpu", "blender_version": "4.5.15 LTS"},
        "sha256": dict.fromkeys(clip_files(info), f"{number:064x}"),
    }  # fmt: skip


def timed(name: str, step: Callable[[], Any]) -> Any:
    start = time.perf_counter(), time.process_time()
    result = step()
    tell(name, start)
    return result


def tell(name: str, start: tuple[float, float]) -> None:
    """Seconds since the start, those of them in which the processor worked for this, and the peak so far."""
    spent = time.perf_counter() - start[0], time.process_time() - start[1]
    print(f"{name:<48}{spent[0]:8.2f}{spent[1]:8.2f}{peak_mib():8.0f}", flush=True)


def peak_mib() -> float:
    """The most that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def change(paths: DatasetPaths, plans: Sequence[ClipPlan]) -> None:
    for plan in plans:
        path = paths.clip(plan.clip_id) / "clip.json"
        path.write_text(path.read_text().replace('"num_frames": 600', '"num_frames": 601'))


def main(num_clips: int, kilobytes: float) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        maker = multiprocessing.get_context("spawn").Process(
            target=make_records, args=(folder, num_clips, kilobytes)
        )
        maker.start()
        maker.join()
        if maker.exitcode:
            raise SystemExit(maker.exitcode)
        measure(folder, config_of(num_clips))


def measure(folder: Path, config: GenerateConfig) -> None:
    paths = DatasetPaths(folder / "dataset")
    size = next(paths.clips.glob("*/clip.json")).stat().st_size
    print(f"records of {size / 1024:.0f} KB; {peak_mib():.0f} MiB when all is imported")
    print(f"{'':<48}{'s':>8}{'CPU s':>8}{'MiB':>8}")
    start = time.perf_counter(), time.process_time()
    plans = timed("plan: who does what, digests of inputs", lambda: plans_with_inputs(config, folder))
    ids = {plan.clip_id for plan in plans}
    found = timed("resume with an index", lambda: find_clips(paths, plans, ids))
    assert len(found.finished) == len(plans), "clips whose inputs are the same count as finished"
    change(paths, plans[:100])
    update = timed("index after 100 clips changed", lambda: update_index(paths))
    assert (update.num_clips, update.num_read) == (len(plans), 100)
    timed("index, card and Croissant of a finished run", lambda: describe_dataset(paths))
    clips = timed("names of all clips for a reader", lambda: open_dataset(paths.root).clips)
    assert len(clips) == len(plans)
    tell(f"all of it, {len(plans)} clips", start)
    paths.index.unlink()
    timed("index made anew", lambda: update_index(paths))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000, float(sys.argv[2]) if len(sys.argv) > 2 else 30)
