"""Environments that are there, are not, or answer otherwise."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from odah.benchmark.methods.pose2sim.environment import PYTHON_VARIABLE, find_environment
from odah.errors import InputError, OdahError


def test_version_and_shipped_config_are_asked_for(pretender, monkeypatch):
    python = pretender()
    given = find_environment(python)
    assert (given.python, given.version) == (str(python), "9.8.7")
    assert given.shipped["triangulation"] == {"min_chunk_size": 10}
    monkeypatch.setenv(PYTHON_VARIABLE, str(python))
    assert find_environment() == given


def test_what_it_says_is_kept(pretender, tmp_path):
    environment = find_environment(pretender("print(Path.cwd().name)"))
    project, log = tmp_path / "trial", tmp_path / "log"
    project.mkdir()
    environment.run(project, ["triangulation", "kinematics"], log, 20)
    assert log.read_text().split("\n")[:2] == ["asked for triangulation kinematics", "trial"]


def test_failing_is_told_by_the_last_line(pretender, tmp_path):
    lines = "print('Traceback', file=sys.stderr)\nraise Exception('No persons have been triangulated.')"
    environment = find_environment(pretender(lines))
    with pytest.raises(OdahError, match="Pose2Sim failed: Exception: No persons have been") as caught:
        environment.run(tmp_path, ["triangulation"], tmp_path / "log", 20)
    assert not isinstance(caught.value, InputError)
    assert "Traceback" in (tmp_path / "log").read_text()
    silent = find_environment(pretender("import os; os.dup2(os.open(os.devnull, 1), 2); os.abort()"))
    with pytest.raises(OdahError, match="Pose2Sim failed: "):
        silent.run(tmp_path, [], tmp_path / "log", 20)


def test_whoever_takes_too_long_is_ended(pretender, tmp_path):
    environment = find_environment(pretender("time.sleep(600)"))
    with pytest.raises(OdahError, match="not done after 1 s"):
        environment.run(tmp_path, ["kinematics"], tmp_path / "log", 1)
    assert "asked for kinematics" in (tmp_path / "log").read_text()


def test_no_environment(pretender, tmp_path, monkeypatch):
    monkeypatch.delenv(PYTHON_VARIABLE, raising=False)
    with pytest.raises(InputError, match=f"m.python: found nothing, and no {PYTHON_VARIABLE}"):
        find_environment(None, "m.python")
    with pytest.raises(InputError, match="python3, which is no program"):
        find_environment(tmp_path / "python3")
    with pytest.raises(InputError, match="no package Pose2Sim"):
        find_environment(Path(sys.executable))  # ours has none
    python = pretender()
    python.write_text(f"#!{sys.executable}\nprint('[1]')\n")
    with pytest.raises(InputError, match=r"which answers '\[1\]"):
        find_environment(python)
    python.write_text(f"#!{tmp_path / 'nowhere'}\n")
    with pytest.raises(InputError, match="does not answer"):
        find_environment(python)
