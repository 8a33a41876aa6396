"""One whole run at a time, or different shards of one number; who is refused is told by whom."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from odah.dataset import run_lock as module
from odah.dataset.run_lock import run_lock
from odah.dataset.schema import DatasetPaths
from odah.errors import OdahError
from odah.locks import NoLocks


def quiet(line: str) -> None:
    raise AssertionError(f"nothing to say, but {line!r}")


@pytest.fixture
def hold(tmp_path: Path):
    """Hold `tmp_path` in this process: shard, subset, whether alone."""

    def start(shard: str | None = None, subset: str | None = None, is_alone: bool = False):
        return run_lock(DatasetPaths(tmp_path), shard, subset, quiet, is_alone)

    return start


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (None, None),
        (None, "1/2"),
        ("1/2", None),
        ("1/2", "1/2"),
        ("1/2", "2/3"),
        ("01/2", "1/2"),
        (("1/2", "small"), "2/2"),
        (("1/2", "small"), ("2/2", "large")),
        (("1/2", "small"), ("1/2", "small")),
    ],
)
def test_rivals_are_refused_and_then_let_in(hold: Callable, tmp_path: Path, first, second) -> None:
    first, second = (who if isinstance(who, tuple) else (who,) for who in (first, second))
    with hold(*first):
        what = "a whole run" if first[0] is None else f"the shard {first[0].lstrip('0')}"
        with pytest.raises(OdahError) as refused, hold(*second):
            pass
        assert str(refused.value).startswith(f"{tmp_path}: {what}")
        assert f"({socket.gethostname()}, process {os.getpid()}, since 2" in str(refused.value)
        assert "\n" not in str(refused.value)
    with hold(*second):
        pass
    assert [path.name for path in (tmp_path / ".odah").glob("*run*")] == []
    assert [path.name for path in (tmp_path / ".odah").glob("shard*")] == []


def test_shards_of_one_number_work_side_by_side(hold: Callable) -> None:
    with hold("1/3"), hold("3/3"), hold("2/3"):
        pass
    with hold("1/2", "small"), hold("2/2", "small"):
        pass


def test_who_changes_the_config_must_be_alone(hold: Callable) -> None:
    with (
        hold("1/2"),
        pytest.raises(OdahError, match="the shard 1/2 is making clips"),
        hold("2/2", None, True),
    ):
        pass


def test_the_lock_of_a_killed_run_is_no_lock(hold: Callable, tmp_path: Path) -> None:
    killed = (
        "import os, sys; from pathlib import Path; from odah.dataset.run_lock import run_lock;"
        "from odah.dataset.schema import DatasetPaths;"
        "held = run_lock(DatasetPaths(Path(sys.argv[1])), None, None, print);"
        "held.__enter__(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", killed, str(tmp_path)], check=False)
    assert (tmp_path / ".odah" / "run.lock").is_file()
    with hold("2/2"):
        assert not (tmp_path / ".odah" / "run.lock").exists()
        told = json.loads((tmp_path / ".odah" / "shard-2-of-2.lock").read_text())
    assert told["process"] == os.getpid()
    assert re.fullmatch(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC", told["since"])


def test_a_holder_that_does_not_say_who_it_is_still_holds(hold: Callable, tmp_path: Path) -> None:
    with hold():
        (tmp_path / ".odah" / "run.lock").write_text("[]")
        with pytest.raises(OdahError, match="a whole run is making clips here; wait"), hold():
            pass


def test_where_there_are_no_locks_that_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise NoLocks(1, "none")

    said: list[str] = []
    monkeypatch.setattr(module, "take_lock", refuse)
    with run_lock(DatasetPaths(tmp_path), None, None, said.append):
        pass
    assert len(said) == 1
    assert "no locks" in said[0]
