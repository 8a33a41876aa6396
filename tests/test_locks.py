"""A lock keeps others out and ends with its holder; where there are none, work goes on."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from odah import locks
from odah.locks import NoLocks, locked, take_lock

HOLDER = """
import sys, time
from pathlib import Path
from odah.locks import take_lock
file = take_lock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


def test_a_lock_is_one_holders_and_ends_with_it_even_if_it_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True)
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert take_lock(path) is None
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        mine = take_lock(path)
    assert mine is not None
    assert take_lock(path) is None
    mine.close()
    with locked(path) as is_held:
        assert is_held
        assert take_lock(path) is None
    again = take_lock(path)
    assert again is not None
    again.close()


def test_what_is_written_into_a_lock_stays(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_text("who")
    file = take_lock(path)
    assert file is not None
    assert path.read_text() == "who"
    file.close()


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_where_there_are_no_locks_work_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(locks, "_lock", refuse)
    with pytest.raises(NoLocks):
        take_lock(tmp_path / "lock")
    with locked(tmp_path / "lock") as is_held:
        assert not is_held


def test_other_failures_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(locks, "_lock", fail)
    with pytest.raises(OSError, match="broken"):
        take_lock(tmp_path / "lock")
