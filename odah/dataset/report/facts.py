"""What the page needs to know of a clip: little enough to keep a thousand of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from odah.dataset.clip import Clip
from odah.dataset.report.angles import AngleCounts, count_angles
from odah.dataset.report.cameras import CameraUse, camera_uses
from odah.errors import InputError, OdahError

_POSES = 60
"""Of a clip, for the picture of the poses; neighbouring frames differ little."""
_CAMERA_FRAMES = 4
_RECORD_FIELDS: dict[str, type | tuple[type, ...]] = {
    "subject": str, "action": str, "split": str, "num_frames": int, "rate": (int, float), "source": dict,
    "render": dict, "flags": list, "notes": list, "error_budget": dict,
}  # fmt: skip


@dataclass(frozen=True)
class Unreadable:
    """A clip or person that the page cannot show, and why."""

    name: str
    why: str


@dataclass(frozen=True)
class ClipFacts:
    """Numbers of one clip. record: `clip.json` without its scene. poses: (P, C) coordinates, rad, at frames
    spread over the clip."""

    clip_id: str
    record: dict[str, Any]
    angles: AngleCounts
    poses: np.ndarray
    cameras: tuple[CameraUse, ...]

    @property
    def seconds(self) -> float:
        return self.record["num_frames"] / self.record["rate"]

    @property
    def person(self) -> str:
        """The name of their folder under `subjects/`."""
        return self.record.get("person", self.record["subject"])

    def residual(self, key: str) -> float | None:
        """A number of the error budget, if it is one."""
        return number(self.record["error_budget"].get(key))


def number(value: Any) -> float | None:
    """What a record holds, if it is a finite number."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
    return float(value) if is_number else None


def read_facts(clip: Clip) -> ClipFacts | Unreadable:
    """The facts of a clip, or what is wrong with it."""
    try:
        return _read(clip)
    except OdahError as error:
        return Unreadable(clip.clip_id, str(error))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        return Unreadable(clip.clip_id, f"clip.json or labels.npz is not of this dataset ({error})")


def _read(clip: Clip) -> ClipFacts:
    info = clip.info
    record = {name: value for name, value in clip.record.items() if name not in ("scene", "sha256")}
    _check_record(record, f"{clip.folder / 'clip.json'}")
    labels = clip.labels
    values = labels["coordinates"]
    if values.shape[1] != len(info["coordinate_names"]) or not len(values):
        raise InputError(
            f"{clip.folder / 'labels.npz'}: coordinates",
            f"shape {values.shape}",
            f"frames of {len(info['coordinate_names'])} values",
        )
    if not np.isfinite(values).all():
        raise InputError(
            f"{clip.folder / 'labels.npz'}: coordinates", "values that are not finite", "numbers"
        )
    return ClipFacts(
        clip_id=clip.clip_id,
        record=record,
        angles=count_angles(values, np.array(info["coordinate_ranges"])),
        poses=values[spread(len(values), _POSES)],
        cameras=camera_uses(labels, info["joint_names"], info["views"], spread(len(values), _CAMERA_FRAMES)),
    )


def _check_record(record: Mapping[str, Any], where: str) -> None:
    """What the page is made of is there, and is what it should be."""
    for name, kind in _RECORD_FIELDS.items():
        value = record.get(name)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise InputError(f"{where}: {name}", repr(value), "a value, for it is required")
    for name in ("flags", "notes"):
        if not all(isinstance(sentence, str) for sentence in record[name]):
            raise InputError(f"{where}: {name}", repr(record[name]), "sentences")
    for name in ("num_frames", "rate"):
        if not 0 < record[name] < np.inf:
            raise InputError(f"{where}: {name}", repr(record[name]), "a positive number")
    if not isinstance(record.get("person", ""), str):
        raise InputError(f"{where}: person", repr(record["person"]), "a name")


def spread(length: int, count: int) -> np.ndarray:
    """At most `count` places spread evenly over `length`, in the middle of equal parts."""
    count = min(count, length)
    return ((np.arange(count) + 0.5) * length / count).astype(int)
