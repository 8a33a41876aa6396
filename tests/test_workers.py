"""Many processes: every item comes back, whatever one of them does; nothing stays behind."""

import multiprocessing
import os
import tempfile
import time
from pathlib import Path

from odah.workers import Death, Failure, in_processes, num_cores


class Deadly:
    """Kills the process that unpickles it, before that has read an item."""

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return os._exit, (3,)

    def __call__(self, item: str) -> str:
        return item


def test_each_result_belongs_to_its_item_and_failures_stay_single() -> None:
    """`eval` is a function that every process knows."""
    items = [
        "6 * 7",
        "1 / 0",
        "__import__('os').kill(__import__('os').getpid(), 9)",
        "open('/no such file')",
        "__import__('os')._exit(3)",
        "__import__('nonsense')",
        "'last'",
    ]
    results = dict(in_processes(eval, items, jobs=2))
    assert sorted(results) == list(range(7))
    assert (results[0], results[6]) == (42, "last")
    whys = {k: result.why for k, result in results.items() if isinstance(result, Failure)}
    assert "ZeroDivisionError: division by zero" in whys[1]
    assert "died (SIGKILL, perhaps out of memory)" in whys[2]
    assert whys[3] == "/no such file: no such file or directory"
    assert "died (status 3)" in whys[4]
    assert "No module named 'nonsense'" in whys[5]
    assert all("\n" not in why for why in whys.values())


def test_a_process_that_dies_before_it_has_read_its_item_costs_no_more_than_that_item() -> None:
    results = dict(in_processes(Deadly(), ["a", "b"], jobs=1))
    assert sorted(results) == [0, 1]
    for result in results.values():
        assert isinstance(result, Death)
        assert "died (status 3)" in result.why


def test_processes_have_one_thread_and_are_no_more_than_wanted(monkeypatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    items = ["(__import__('os').environ['OMP_NUM_THREADS'], __import__('os').getpid())"] * 6
    results = [result for _, result in in_processes(eval, items, jobs=2)]
    assert {threads for threads, _ in results} == {"1"}
    assert 1 <= len({process for _, process in results}) <= 2
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert num_cores() >= 1


def test_who_stops_iterating_stops_the_processes_and_their_scratch_goes(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    slow = "(lambda scratch: __import__('time').sleep(60))(__import__('tempfile').TemporaryDirectory())"
    running = in_processes(eval, ["1", slow], jobs=2)
    assert next(running) == (0, 1)
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob("*/tmp*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(list(tmp_path.glob("*/tmp*"))) == 1
    running.close()
    assert multiprocessing.active_children() == []
    assert list(tmp_path.iterdir()) == []
