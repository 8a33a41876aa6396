"""One running Blender: jobs in, answers out, and an honest end when it crashes or hangs."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Any

from odah.errors import OdahError
from odah.render.blender_env import Blender, missing_library

_HARMLESS = ("EGL_BAD_MATCH", "Saved: ", "Time: ", "Fra:", "CUEW initialization failed")


class BlenderError(OdahError):
    """Blender crashed, hung, or could not do what it was told."""


class WorkerProcess:
    """Blender running `blender_scenes/worker.py` until `close`.

    timeout: longest wait for an answer, s. start_timeout: the same until the first frame is there, if longer:
    Blender's start and the compilation of its shaders take their time.

    Raises:
        BlenderError: it does not start.
    """

    def __init__(self, blender: Blender, timeout: float, *arguments: str, start_timeout: float = 0.0) -> None:
        self._timeout, self._patience = timeout, max(timeout, start_timeout)
        command = blender.command(*arguments)
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            raise BlenderError(f"cannot start {command[0]}: {error.strerror}") from error
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._notes: deque[str] = deque(maxlen=20)
        self._readers = [
            threading.Thread(target=target, daemon=True) for target in (self._read_answers, self._read_notes)
        ]
        for reader in self._readers:
            reader.start()
        try:
            self.about = self.next_answer()
        except BlenderError:
            self.close(patience=0.0)
            raise

    @property
    def process_id(self) -> int:
        """Of Blender itself."""
        return self._process.pid

    def send(self, job: Path) -> None:
        """Name a job file to the worker."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"job": str(job)}) + "\n")
            self._process.stdin.flush()
        except OSError as error:
            raise BlenderError(self._ending()) from error

    def next_answer(self) -> dict[str, Any]:
        """Wait for one answer.

        Raises:
            BlenderError: Blender ended, said nothing in time, or reports that the job failed.
        """
        try:
            answer = self._answers.get(timeout=self._patience)
        except queue.Empty:
            raise BlenderError(f"Blender gave no frame for {self._patience:.0f} s{self._tail()}") from None
        if answer is None:
            raise BlenderError(self._ending())
        if answer["event"] == "failed":
            raise BlenderError(f"Blender could not render the clip: {answer['message']}")
        if answer["event"] == "frame":
            self._patience = self._timeout
        return answer

    def close(self, patience: float = 5.0) -> None:
        """Let the process end, by force after `patience` seconds; safe to call twice."""
        assert self._process.stdin is not None
        with suppress(OSError):  # it died with unread input
            self._process.stdin.close()
        try:
            self._process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for reader in self._readers:
            reader.join(timeout=5)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def _read_answers(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                answer = json.loads(line)
            except json.JSONDecodeError:  # what Blender itself prints before the worker runs
                self._notes.append(line.strip())
                continue
            self._answers.put(answer)
        self._answers.put(None)

    def _read_notes(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if line.strip() and not any(word in line for word in _HARMLESS):
                self._notes.append(line.strip())

    def _ending(self) -> str:
        try:
            status = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return f"Blender closed its output{self._tail()}"
        self._readers[1].join(timeout=5)
        library = missing_library(" ".join(self._notes))
        if library:
            return library
        reason = f"was ended by signal {-status}" if status < 0 else f"ended with exit status {status}"
        return f"Blender {reason}{self._tail()}"

    def _tail(self) -> str:
        return f"; its last words: {' | '.join(list(self._notes)[-5:])}" if self._notes else ""
