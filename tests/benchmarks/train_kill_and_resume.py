"""Stop a tiny `odah train` again and again, by SIGINT and by SIGKILL, and go on each time: same weights?

    PYTHONPATH=tests python tests/benchmarks/train_kill_and_resume.py [--stops 6] [--seed 0] [--folder FOLDER]

One undisturbed run comes first. Then the same command is stopped after random times, the signals in turns,
until so many are done; the last one is left to its end and compared. Prints one JSON object; exit status 1
if anything was wrong.
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
import time
from pathlib import Path

import torch
from estimator.tiny_training import tiny_config, tiny_dataset

from odah.dataset.packed import pack
from odah.dataset.squares import CropSettings
from odah.estimator.checkpoint import load_checkpoint
from odah.estimator.config import TrainConfig
from odah.estimator.config_file import write_train_config

_ODAH = "import sys; from odah.cli import main; sys.argv[0] = 'odah'; main()"
_WAITED = 600.0
"""s, at most, for a run to begin or to end."""
_CONFIG: TrainConfig = tiny_config(frame={"epochs": 8, "batch": 2}, temporal={"epochs": 8, "batch": 1})


def start(folder: Path, out: str) -> subprocess.Popen[str]:
    """The same command each time."""
    command = [sys.executable, "-c", _ODAH, "train", "tiny.yaml", "--data", "dataset", "--out", out]
    return subprocess.Popen(
        [*command, "--device", "cpu", "--threads", "1"], cwd=folder, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def finished(folder: Path, out: str) -> tuple[int, str]:
    process = start(folder, out)
    _, told = process.communicate(timeout=_WAITED)
    return process.returncode, told


def stop(folder: Path, number: signal.Signals, after: float) -> tuple[int, str, bool]:
    """Status, what was told, and whether the run was over before. after: s from when it has an epoch more."""
    curves = folder / "run" / "curves.csv"
    before = curves.stat().st_mtime_ns if curves.is_file() else 0
    process = start(folder, "run")
    deadline = time.monotonic() + _WAITED
    while process.poll() is None and time.monotonic() < deadline:
        if curves.is_file() and curves.stat().st_mtime_ns > before:
            break
        time.sleep(0.01)
    time.sleep(after)
    is_over = process.poll() is not None
    if not is_over:
        os.killpg(process.pid, number)
    _, told = process.communicate(timeout=_WAITED)
    return process.returncode, told, is_over


def differing(one: Path, other: Path) -> list[str]:
    """Names of weights that are not the same to the last bit."""
    own, others = (load_checkpoint(path).network.state_dict() for path in (one, other))
    return [name for name in own if not torch.equal(own[name], others[name])]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--stops", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="train_kill_"))
    made = tiny_dataset(folder / "dataset")
    pack(made, settings=CropSettings(_CONFIG.data.size), jobs=1)
    write_train_config(folder / "tiny.yaml", _CONFIG)
    wrong: list[str] = []
    status, told = finished(folder, "whole")
    if status:
        wrong.append(f"undisturbed: status {status}: {told[-300:]}")
    rng, stopped = random.Random(arguments.seed), []
    for turn in range(arguments.stops):
        number = (signal.SIGINT, signal.SIGKILL)[turn % 2]
        status, told, is_over = stop(folder, number, rng.uniform(0, 0.3))
        if is_over:
            break
        stopped.append(number.name)
        if status != (130 if number == signal.SIGINT else -number):
            wrong.append(f"{number.name}: status {status}: {told[-300:]}")
        if "Traceback" in told:
            wrong.append(f"{number.name}: {told[-300:]}")
    status, told = finished(folder, "run")
    if status:
        wrong.append(f"the last: status {status}: {told[-300:]}")
    else:
        wrong += differing(folder / "run" / "model.pt", folder / "whole" / "model.pt")
    print(json.dumps({"stopped": stopped, "wrong": wrong, "folder": str(folder)}, indent=1))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
