"""Scratch goes with its process; what a killed one left goes with the next; what is in use stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from odah import scratch
from odah.scratch import scratch_folder, sweep_scratch

KILLED = """
import os, sys
from pathlib import Path
from odah.scratch import scratch_folder
with scratch_folder("odah-test-", Path(sys.argv[1])) as folder:
    (folder / "file").touch()
    print("there", flush=True)
    os.kill(os.getpid(), 9)
"""


def test_scratch_goes_at_the_end_and_the_scratch_of_the_dead_with_the_next(tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, check=False)
    assert ended.returncode == -signal.SIGKILL
    left = list(tmp_path.iterdir())
    assert len(left) == 1
    (tmp_path / "odah-test-file").touch()
    (tmp_path / "odah-other-abc").mkdir()
    with scratch_folder("odah-test-", tmp_path) as first:
        assert not left[0].exists()
        with scratch_folder("odah-test-", tmp_path) as second:
            assert first.is_dir()
            assert second.is_dir()
        assert first.is_dir()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["odah-other-abc", "odah-test-file"]


def test_a_folder_without_an_owner_goes_when_it_is_old(tmp_path: Path) -> None:
    young, old = tmp_path / "odah-test-young", tmp_path / "odah-test-old"
    for folder in (young, old):
        folder.mkdir()
    os.utime(old, (1e9, 1e9))
    with scratch_folder("odah-test-", tmp_path):
        assert young.is_dir()
        assert not old.exists()


@pytest.mark.skipif(not hasattr(os, "symlink") or os.name == "nt", reason="needs links")
def test_a_link_to_elsewhere_is_left_alone(tmp_path: Path) -> None:
    treasure = tmp_path / "treasure"
    treasure.mkdir()
    (treasure / "owner.lock").touch()
    base = tmp_path / "base"
    base.mkdir()
    (base / "odah-test-link").symlink_to(treasure)
    with scratch_folder("odah-test-", base):
        pass
    assert (treasure / "owner.lock").is_file()
    assert (base / "odah-test-link").is_symlink()


def test_a_sweep_takes_what_is_of_the_dead_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = KILLED.replace("odah-test-", "odah-workers-")
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, check=False)
    (tmp_path / "odah-mine").mkdir()
    monkeypatch.setattr(scratch, "MEMORY", tmp_path)
    with scratch_folder("odah-render-", tmp_path) as in_use:
        assert len(list(tmp_path.iterdir())) == 3
        sweep_scratch()
        assert sorted(tmp_path.iterdir()) == sorted([in_use, tmp_path / "odah-mine"])
