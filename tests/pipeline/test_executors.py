"""Clips made in shards, as a batch system does it: the same bytes as in one run."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from odah.config import GenerateConfig
from odah.dataset.reader import Dataset
from odah.pipeline.generate import GenerateOptions, generate_dataset

SCRIPT = Path(__file__).parents[2] / "docs" / "generate.sbatch"
bash = pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")


@pytest.mark.blender
def test_two_shards_make_the_same_bytes_as_one_run(
    tiny_dataset: Dataset,
    tiny_config: GenerateConfig,
    tmp_path: Path,
    same_labels: Callable[[Path, Path], None],
) -> None:
    for part, count in (("2/2", 1), ("1/2", 2)):
        paths, failures = generate_dataset(tiny_config, Path(), tmp_path / "d", GenerateOptions(shard=part))
        assert not failures
        made = sorted(folder.name for folder in paths.clips.iterdir())
        assert made == ["subject001_hand_waving", "subject001_walking"][:count]
    same_labels(paths.root, tiny_dataset.paths.root)


@bash
def test_the_slurm_script_is_sound_bash() -> None:
    subprocess.run(["bash", "-n", SCRIPT], check=True)


@bash
@pytest.mark.parametrize(("statuses", "status"), [("0", 0), ("1 0", 0), ("1 1", 1), ("2", 2), ("143", 143)])
def test_the_slurm_script_makes_its_shard_and_tries_failed_clips_once_more(
    tmp_path: Path, statuses: str, status: int
) -> None:
    """`srun` is played by a script that notes its arguments and ends with one status after the other."""
    (tmp_path / "srun").write_text(
        '#!/usr/bin/env bash\necho "$@" >> "$NOTES"\n'
        'set -- $STATUSES\nshift $(($(wc -l < "$NOTES") - 1))\nexit "$1"\n'
    )
    (tmp_path / "srun").chmod(0o755)
    notes = tmp_path / "notes"
    played = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "NOTES": str(notes), "STATUSES": statuses}
    done = subprocess.run(
        ["bash", SCRIPT, "my config.yaml", "/d", "16"],
        env={**os.environ, **played, "SLURM_ARRAY_TASK_ID": "3"},
        check=False,
    )
    assert done.returncode == status
    call = "odah generate my config.yaml --out /d --shard 3/16"
    assert notes.read_text().splitlines() == [call] * len(statuses.split())


@bash
def test_the_slurm_script_asks_for_what_is_missing() -> None:
    done = subprocess.run(["bash", SCRIPT, "c.yaml"], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "the folder of the dataset" in done.stderr
