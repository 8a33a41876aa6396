"""A program that answers as the Python of an environment with Pose2Sim would."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

_ANSWERS = """\
import json, shutil, sys, time
from pathlib import Path

SHIPPED = '''
[project]
frame_rate = "auto"
[triangulation]
min_chunk_size = 10
[kinematics]
use_augmentation = true
use_simple_model = false
'''
isolated, driver, task, *rest = sys.argv[1:]
assert (isolated, Path(driver).name) == ("-I", "driver.py")
if task == "about":
    print(json.dumps({"version": "9.8.7", "config": SHIPPED}))
    sys.exit()
project, steps = Path(rest[0]), rest[1:]
print("asked for", *steps, flush=True)
"""


@pytest.fixture
def pretender(tmp_path: Path) -> Callable[[str], Path]:
    """Makes such a program; `running` are the lines that it runs for a trial, of `project` and `steps`."""

    def make(running: str = "") -> Path:
        path = tmp_path / "environment" / "python"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!{sys.executable} -IS\n{_ANSWERS}{running}\n", encoding="utf-8")
        path.chmod(0o755)
        return path

    return make
