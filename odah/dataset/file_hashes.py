"""SHA-256 of files, remembered between runs, so that a thousand recordings are not read at each resume."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

from odah.dataset.schema import file_hash
from odah.files import atomic_path
from odah.locks import locked

UNREADABLE = "unreadable"
"""In place of the hash of a file that cannot be read; the clip that needs it will say why."""
_SETTLED = 2.0
"""s; a file that changed less long ago may change again with its time of change staying the same."""


class FileHashes:
    """The memory is a JSON file. It knows a file by a digest of its path, its size and its time of change, so
    that nobody reads there where files lie."""

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        self._known = _read(memory)
        self._new: dict[str, str] = {}

    def of(self, path: Path) -> str:
        """SHA-256 of the file, hexadecimal, or `UNREADABLE`."""
        try:
            about = path.stat()
            told = f"{path.absolute()}\0{about.st_size}\0{about.st_mtime_ns}"
            key = hashlib.sha256(told.encode(errors="surrogateescape")).hexdigest()[:32]
            known = self._known.get(key) or self._new.get(key)
            if known is None:
                known = file_hash(path)
                if time.time() - about.st_mtime > _SETTLED:
                    self._new[key] = known
        except OSError:
            return UNREADABLE
        return known

    def save(self) -> None:
        """Write down what was new; others may have written meanwhile."""
        if self._new:
            with locked(self._memory.with_suffix(".lock")), atomic_path(self._memory) as temporary:
                temporary.write_text(json.dumps(_read(self._memory) | self._new))


def _read(memory: Path) -> dict[str, str]:
    try:
        known = json.loads(memory.read_text())
    except (OSError, ValueError, RecursionError):  # none yet, or damaged: it is only a memory
        return {}
    if not isinstance(known, dict):
        return {}
    return {key: value for key, value in known.items() if isinstance(value, str)}
