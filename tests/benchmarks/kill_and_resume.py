"""Kill a small `odah generate` with SIGKILL at random moments, Blender included, and resume it each time.

    python tests/benchmarks/kill_and_resume.py [--kills 50] [--longest 40] [--seed 0] [--folder FOLDER]

One undisturbed run comes first. Then the same command is started and its whole process group killed after a
random time of at most `--longest` seconds, counted in two runs of five from the start and in the others from
the moment in which the first clip is begun; whenever a dataset is finished before that, it is checked and the
next one begun in a new folder. Meanwhile a thread looks at every folder under `clips/`: it must hold
all files that its record names, with their hashes, and never change or go. At the end of each dataset all
labels, motion, markers and models are compared byte for byte with the undisturbed run's; nothing hidden may
be left.

Prints one JSON object; exit status 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from odah.dataset.schema import file_hash
from odah.locks import take_lock

CONFIG = """
name: killed
motion: {actions: [walking, hand_waving]}
subjects: {count: 2}
clip: {duration: 0.07, rate: 30}
video: {width: 96, height: 64}
render: {engine: cycles, samples: 1, workers: 2}
"""
NUM_CLIPS = 4
SAME = ("labels.npz", "kinematics.mot", "markers.trc")
_FROM_START = 0.4
"""Share of runs whose time until the kill counts from their start."""
_NEW = 2.0
"""s; a hidden folder that is older was left by a run that was killed."""
_ODAH = "import sys; from odah.cli import main; sys.argv[0] = 'odah'; main()"


@dataclass
class Tally:
    """What happened. moments: s after the start of each run that was killed."""

    moments: list[float] = field(default_factory=list)
    clips_before: list[int] = field(default_factory=list)
    finished_datasets: int = 0
    looks: int = 0
    wrong: list[str] = field(default_factory=list)


class Watcher:
    """Looks at the clips of a folder until it is stopped."""

    def __init__(self, out: Path, tally: Tally) -> None:
        self._clips, self._tally = out / "clips", tally
        self._known: dict[str, tuple[int, int]] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def num_clips(self) -> int:
        return len(self._known)

    def stop(self) -> None:
        self._end.set()
        self._thread.join()
        self._look()

    def _run(self) -> None:
        while not self._end.wait(0.01):
            self._look()

    def _look(self) -> None:
        self._tally.looks += 1
        there = {path.name: path for path in self._clips.glob("[!.]*")}
        for name, path in there.items():
            try:
                about = path.stat()
            except FileNotFoundError:
                self._tally.wrong.append(f"{name} went while it was looked at")
                continue
            seen = (about.st_ino, about.st_mtime_ns)
            if self._known.get(name) == seen:
                continue
            if name in self._known:
                self._tally.wrong.append(f"{name} was made again")
            self._tally.wrong += faults(path)
            self._known[name] = seen
        self._tally.wrong += [f"{name} is gone" for name in self._known.keys() - there.keys()]


def faults(clip: Path) -> list[str]:
    """What is missing or altered in a visible clip."""
    try:
        hashes = json.loads((clip / "clip.json").read_text())["sha256"]
        return [f"{clip.name}/{name} is altered" for name in hashes if file_hash(clip / name) != hashes[name]]
    except (OSError, ValueError, KeyError) as error:
        return [f"{clip.name} is visible but not whole: {error}"]


def start(config: Path, out: Path, temporary: Path) -> subprocess.Popen[bytes]:
    temporary.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-c", _ODAH, "generate", str(config), "--out", str(out)],
        env={**os.environ, "TMPDIR": str(temporary), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def whole_run(config: Path, out: Path, temporary: Path, tally: Tally) -> float:
    """Seconds of a run that nothing disturbs."""
    began = time.perf_counter()
    process = start(config, out, temporary)
    error = process.communicate()[1].decode()
    if process.returncode != 0:
        tally.wrong.append(f"exit status {process.returncode}: {error[-300:]}")
    return time.perf_counter() - began


def killed_run(config: Path, out: Path, temporary: Path, wait: float, is_from_start: bool) -> bool:
    """Whether the run was killed `wait` s after its start or first clip; False if it was finished by then."""
    process = start(config, out, temporary)
    try:
        while not is_from_start and process.poll() is None and not is_making(out):
            time.sleep(0.02)
        process.wait(timeout=wait)
        return False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True
    finally:
        if process.stderr is not None:
            process.stderr.close()


def is_making(out: Path) -> bool:
    """Whether a clip is being written, as its hidden folder tells; a killed run's are cleared away first."""
    try:
        return any(time.time() - path.stat().st_mtime < _NEW for path in (out / "clips").glob(".*"))
    except FileNotFoundError:  # it was just finished
        return True


def compare(out: Path, reference: Path, temporary: Path, tally: Tally) -> None:
    """Everything in a finished dataset against the undisturbed one, and what was left behind."""
    found, wanted = ({path.name: path for path in (root / "clips").iterdir()} for root in (out, reference))
    if found.keys() != wanted.keys():
        tally.wrong.append(f"clips {sorted(found)}")
    for name in found.keys() & wanted.keys():
        for file in SAME:
            if (found[name] / file).read_bytes() != (wanted[name] / file).read_bytes():
                tally.wrong.append(f"{name}/{file} differs")
        records = [json.loads((root[name] / "clip.json").read_text()) for root in (found, wanted)]
        if records[0] != records[1]:
            keys = [key for key in records[0] if records[0][key] != records[1].get(key)]
            tally.wrong.append(f"{name}/clip.json differs in {keys}")
    for model in (reference / "subjects").glob("*/model.osim"):
        if model.read_bytes() != (out / model.relative_to(reference)).read_bytes():
            tally.wrong.append(f"{model.parent.name}/model.osim differs")
    hidden = [path for path in out.rglob(".*") if path.name != ".odah"]
    nobodys = [path for path in Path("/dev/shm").glob("odah-clips-*/owner.lock") if is_free(path)]
    tally.wrong += [f"{path} is left" for path in (*hidden, *nobodys, *temporary.glob("odah*"))]


def is_free(lock: Path) -> bool:
    try:
        file = take_lock(lock)
    except OSError:
        return False
    if file is not None:
        file.close()
    return file is not None


def kill_and_resume(folder: Path, kills: int, longest: float, rng: random.Random, tally: Tally) -> float:
    """Until there were that many kills and the last dataset is finished; seconds of the undisturbed run."""
    config, reference, temporary = folder / "config.yaml", folder / "reference", folder / "tmp"
    config.write_text(CONFIG)
    seconds = whole_run(config, reference, temporary, tally)
    while len(tally.moments) < kills:
        out = folder / f"dataset{tally.finished_datasets}"
        watcher = Watcher(out, tally)
        while len(tally.moments) < kills:
            moment, is_from_start = rng.uniform(0, longest), rng.random() < _FROM_START
            began = time.perf_counter()
            if not killed_run(config, out, temporary, moment, is_from_start):
                break
            tally.moments.append(round(time.perf_counter() - began, 1))
            tally.clips_before.append(watcher.num_clips)
            told = f"kill {len(tally.moments)} after {tally.moments[-1]} s, {watcher.num_clips} clips"
            print(told, file=sys.stderr, flush=True)
        whole_run(config, out, temporary, tally)
        watcher.stop()
        compare(out, reference, temporary, tally)
        tally.finished_datasets += 1
    return seconds


def main() -> None:
    """Run and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--longest", type=float, default=40.0, help="s")
    parser.add_argument("--folder", type=Path, help="Where datasets stay; the undisturbed one is taken up.")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="kill-and-resume-") as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        rng = random.Random(arguments.seed)
        seconds = kill_and_resume(folder, arguments.kills, arguments.longest, rng, tally)
    by_clips = {str(k): tally.clips_before.count(k) for k in range(NUM_CLIPS + 1)}
    told = {
        "undisturbed_seconds": round(seconds, 1),
        "kills": len(tally.moments),
        "moments": sorted(tally.moments),
        "kills_by_finished_clips": by_clips,
        "finished_datasets": tally.finished_datasets,
        "looks_at_clips": tally.looks,
        "wrong": tally.wrong[:50],
    }
    print(json.dumps(told, indent=1))
    sys.exit(1 if tally.wrong else 0)


if __name__ == "__main__":
    main()
