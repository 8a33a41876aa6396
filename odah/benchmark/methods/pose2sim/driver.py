"""What the Python of Pose2Sim's environment runs; odah never imports it.

driver.py about: version and shipped Config.toml as JSON. driver.py run PROJECT STEP...: functions of Pose2Sim
by name, one after another.
"""

from __future__ import annotations

import importlib
import json
import sys
from importlib import metadata, util
from pathlib import Path


def _about() -> None:
    spec = util.find_spec("Pose2Sim")
    if spec is None or spec.origin is None:
        sys.exit("no package Pose2Sim")
    shipped = Path(spec.origin).parent / "Demo_SinglePerson" / "Config.toml"
    told = {"version": metadata.version("pose2sim"), "config": shipped.read_text(encoding="utf-8")}
    print(json.dumps(told))


def _run(project: str, steps: list[str]) -> None:
    pose2sim = importlib.import_module("Pose2Sim.Pose2Sim")
    for step in steps:
        getattr(pose2sim, step)(project)


if __name__ == "__main__":
    if sys.argv[1] == "about":
        _about()
    else:
        _run(sys.argv[2], sys.argv[3:])
