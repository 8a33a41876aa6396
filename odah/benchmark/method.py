"""The one interface of all methods: recording in, motion out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from odah.benchmark.recording import Motion, Recording


class Method(Protocol):
    """Something that estimates a motion.

    name: in tables. facts: versions, weights' digests, settings: all that its answers depend on but the
    recording, as JSON values.
    """

    @property
    def name(self) -> str: ...

    @property
    def facts(self) -> Mapping[str, Any]: ...

    def estimate(self, recording: Recording, views: Sequence[str], folder: Path) -> Motion:
        """The motion seen by those cameras; frames as in the recording.

        folder: empty, the method's own; its files (`.osim`, `.mot`) stay for the user to look at.

        Raises:
            OdahError: it failed on this recording; the message becomes the table's.
        """
        ...
