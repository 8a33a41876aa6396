"""How long `odah validate` takes: processor seconds a clip, and what that makes for 1,000 clips.

    python tests/benchmarks/audit_speed.py [--frames 600] [--width 1080] [--height 720] [--clips 40]
                                           [--jobs 2] [--dataset DIR]

One clip, the first of a dataset or made without Blender, stands under many names; its files are linked, its
records are their own.
A glance is what every clip gets, a whole look what the sample gets, or with `--deep` all. On a busy machine
only the processor seconds mean something; files are read from memory.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import tempfile
import time
from pathlib import Path

from painted_clips import painted_dataset

from odah.config import GenerateConfig
from odah.dataset.audit import AuditOptions, audit_clip, audit_dataset
from odah.dataset.audit.clip_audit import NUM_LOOKS
from odah.dataset.audit.run import MIN_SAMPLE, SAMPLE_SHARE
from odah.dataset.index import update_index
from odah.dataset.reader import Dataset, open_dataset
from odah.dataset.schema import DatasetPaths

MANY = 1000


def many_clips(dataset: Dataset, count: int) -> Dataset:
    """The dataset with its one clip under `count` names."""
    first = dataset[0].folder
    record = json.loads((first / "clip.json").read_text())
    for k in range(1, count):
        folder = dataset.paths.clip(f"{first.name}_{k:04d}")
        folder.mkdir()
        for path in first.iterdir():
            if path.name != "clip.json":
                os.link(path, folder / path.name)
        (folder / "clip.json").write_text(json.dumps({**record, "clip": folder.name}))
    update_index(dataset.paths)
    return open_dataset(dataset.paths.root)


def seconds_a_clip(dataset: Dataset, num_looks: int | None, count: int) -> float:
    """Processor seconds, in this process, the first clip left out."""
    for k, clip in zip(range(count + 1), dataset, strict=False):
        if k == 1:
            start = time.process_time()
        assert audit_clip(clip, dataset, num_looks).is_valid
    return (time.process_time() - start) / count


def run(dataset: Dataset, options: AuditOptions) -> tuple[float, float]:
    """Wall and processor seconds of an audit, start of its processes included."""
    wall, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    assert audit_dataset(dataset, options).is_valid
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - wall, cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name, default in (("frames", 600), ("width", 1080), ("height", 720), ("clips", 40), ("jobs", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--dataset", type=Path)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report(wanted, one_clip(wanted, Path(folder) / "dataset"))


def one_clip(wanted: argparse.Namespace, out: Path) -> Dataset:
    """A dataset of one clip in a new folder."""
    if wanted.dataset is not None:
        clip = open_dataset(wanted.dataset)[0]
        paths = DatasetPaths(out)
        shutil.copytree(clip.folder, paths.clip(clip.clip_id))
        shutil.copytree(clip.model_path.parent, paths.subject(clip.person))
        shutil.copy(clip.paths.info, paths.info)
        return open_dataset(out)
    config = {
        "name": "audit",
        "motion": {"actions": ["walking"]},
        "subjects": {"count": 1},
        "clip": {"duration": wanted.frames / 60, "rate": 60},
        "video": {"width": wanted.width, "height": wanted.height},
        "render": {"engine": "cycles", "labels": ["parts"]},
    }
    return painted_dataset(GenerateConfig.model_validate(config), out)


def report(wanted: argparse.Namespace, one: Dataset) -> None:
    """Measure and print."""
    size = sum(path.stat().st_size for path in one[0].folder.iterdir())
    camera = next(iter(one[0].cameras.values()))
    pictures = f"{one[0].num_frames} frames of {camera.width}x{camera.height}, {len(one.views)} views"
    print(f"{pictures}, {size / 1e6:.1f} MB a clip")
    dataset = many_clips(one, wanted.clips)
    glance = seconds_a_clip(dataset, NUM_LOOKS, min(10, wanted.clips - 1))
    whole = seconds_a_clip(dataset, None, min(3, wanted.clips - 1))
    print(f"a glance {glance:.2f}, a whole look {whole:.2f} processor seconds a clip")
    sample = max(MIN_SAMPLE, SAMPLE_SHARE * MANY)
    default = (MANY - sample) * glance + sample * whole
    for name, seconds in (("default", default), ("--deep", MANY * whole)):
        minutes = seconds / wanted.jobs / 60
        rate = MANY / minutes / 60
        print(f"{MANY:,} clips, {name}: {minutes:.1f} min on {wanted.jobs} cores, {rate:.2f} clips/s")
    wall, cpu = run(dataset, AuditOptions(jobs=wanted.jobs, sample=round(SAMPLE_SHARE * wanted.clips)))
    print(f"{wanted.clips} clips, 5 % of them wholly, as run: {wall:.0f} s, {cpu:.0f} processor seconds")


if __name__ == "__main__":
    main()
