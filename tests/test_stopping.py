"""A signal leaves in order, a second request at once, and what a program ignores stays ignored."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

import pytest

from odah.stopping import stoppable

SIGNALS = [signal.SIGINT, signal.SIGTERM]
REPEATED = """
import signal, sys, time
from odah import stopping
stopping._SAME_REQUEST = float(sys.argv[1])
with stopping.stoppable():
    try:
        signal.raise_signal(signal.SIGTERM)
    finally:
        time.sleep(0.01)
        signal.raise_signal(signal.SIGTERM)
        print("cleared up", flush=True)
"""


@pytest.mark.parametrize("sent", SIGNALS)
def test_a_signal_leaves_the_block_in_order(sent: signal.Signals) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    before, cleared = signal.getsignal(sent), []

    def work() -> None:
        try:
            signal.raise_signal(sent)
            cleared.append("never")
        finally:
            cleared.append("all")

    with pytest.raises(SystemExit) as left, stoppable():
        work()
    assert left.value.code == 128 + sent
    assert cleared == ["all"]
    assert signal.getsignal(sent) == before


@pytest.mark.parametrize(("same_request", "said"), [(60.0, "cleared up\n"), (0.0, "")])
def test_a_second_request_ends_at_once_and_a_repeated_one_does_not(same_request: float, said: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", REPEATED, str(same_request)], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (128 + signal.SIGTERM, said)


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with stoppable():
            signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_in_another_thread_the_block_just_runs() -> None:
    done: list[bool] = []

    def work() -> None:
        with stoppable():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
