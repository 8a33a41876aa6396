"""OpenCV in forked processes: its threads do not follow them, and who waits for those waits for ever."""

from __future__ import annotations

import os

import cv2

_counts: list[int] = []


def _stop_threads() -> None:
    _counts.append(cv2.getNumThreads())
    cv2.setNumThreads(1)


def _start_threads_again() -> None:
    cv2.setNumThreads(_counts.pop())


if hasattr(os, "register_at_fork"):
    # PyTorch forks its data workers; they keep to one thread, for there are as many of them as cores.
    os.register_at_fork(before=_stop_threads, after_in_parent=_start_threads_again)
