"""A take: one recorded motion of a collection, found in a folder, not yet read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from odah.motion.types import Gender


@dataclass(frozen=True)
class Take:
    """path: of the motion file. subject: who, as the collection calls them. action: what they do.

    name: of the take among those of its subject, and of its clip; None: the action.
    start, duration: of the part to use, s; None: as long as the clip. gender: where the collection tells it;
    None: the file may. licence: of the recording. osim: the model that an OpenSim motion belongs to.
    """

    path: Path
    subject: str
    action: str
    name: str | None = None
    start: float = 0.0
    duration: float | None = None
    gender: Gender | None = None
    licence: str | None = None
    osim: Path | None = None
