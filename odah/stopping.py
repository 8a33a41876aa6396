"""Leaving in order when asked to: by Ctrl-C, `kill`, a job scheduler, or the end of the terminal."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_SAME_REQUEST = 1.0
"""s within which a second signal is part of the first request: schedulers send several at once."""


class Stopped(SystemExit):
    """A signal asked for the end; the status is that which a shell gives to it."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.signal = signal.Signals(number)


@contextmanager
def stoppable() -> Iterator[None]:
    """Let SIGINT, SIGTERM and SIGHUP leave the block in order; a second one ends the process at once.

    What is ignored already, as under `nohup`, stays so. Only the main thread can do this; in others the block
    runs as it is.

    Raises:
        Stopped: on a signal, with the status that a shell gives to it: 130, 143, 129.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked_at: list[float] = []

    def leave(number: int, _: object) -> None:
        if not asked_at:
            asked_at.append(time.monotonic())
            raise Stopped(number)
        if time.monotonic() - asked_at[0] > _SAME_REQUEST:
            os._exit(128 + number)

    wanted = [getattr(signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGHUP")]
    before = {number: signal.getsignal(number) for number in wanted if number is not None}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, leave)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
