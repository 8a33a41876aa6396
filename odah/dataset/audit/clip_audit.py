"""One clip through all checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from odah.dataset.audit import camera_checks as cameras
from odah.dataset.audit import file_checks as files
from odah.dataset.audit import label_checks as labels
from odah.dataset.audit import picture_checks as pictures
from odah.dataset.audit import skeleton_checks as skeleton
from odah.dataset.audit.context import Context, Failure
from odah.dataset.index_columns import index_columns, index_row
from odah.dataset.reader import Clip, Dataset
from odah.errors import OdahError

NUM_LOOKS = 3
"""Frames of which a clip's label pictures are looked at where it is not looked at wholly."""


@dataclass(frozen=True)
class Check:
    """needs: checks without which this one would only repeat what they say."""

    function: Callable[[Context], None]
    needs: tuple[str, ...] = ("labels",)


CHECKS: dict[str, Check] = {
    "record": Check(files.check_record_file, needs=()),
    "files": Check(files.check_files, needs=("record",)),
    "labels": Check(labels.check_arrays, needs=("record",)),
    "time": Check(labels.check_time),
    "frames": Check(files.check_containers),
    "model": Check(skeleton.check_model),
    "motion": Check(skeleton.check_motion, needs=("labels", "model")),
    "markers": Check(skeleton.check_markers),
    "opensim": Check(skeleton.check_opensim, needs=("labels", "model", "motion")),
    "body": Check(labels.check_body),
    "ranges": Check(labels.check_ranges),
    "cameras": Check(cameras.check_cameras),
    "reprojection": Check(cameras.check_reprojection, needs=("labels", "cameras")),
    "visibility": Check(labels.check_visibility),
    "sides": Check(cameras.check_sides),
    "budget": Check(labels.check_budget, needs=("record",)),
    "masks": Check(pictures.check_masks, needs=("labels", "frames")),
    "parts": Check(pictures.check_parts, needs=("labels", "frames")),
    "depth": Check(pictures.check_depth, needs=("labels", "frames")),
    "normals": Check(pictures.check_normals, needs=("labels", "frames")),
    "videos": Check(pictures.check_videos, needs=("labels", "frames")),
}


@dataclass(frozen=True)
class ClipAudit:
    """What was found of one clip.

    failures: by check. notes: what is odd but no failure. row: what the index should say of it, empty if the
    record cannot be read. is_whole: every picture was looked at.
    """

    clip_id: str
    failures: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    row: dict[str, Any] = field(default_factory=dict)
    is_whole: bool = True

    @property
    def is_valid(self) -> bool:
        return not self.failures


def audit_clip(clip: Clip, dataset: Dataset, num_looks: int | None = None, seed: int = 0) -> ClipAudit:
    """Run every check; one that fails does not stop the others. num_looks, seed: see `Context`."""
    context = Context(clip, dataset, num_looks, seed)
    failures: dict[str, str] = {}
    missed: set[str] = set()
    for name, check in CHECKS.items():
        if missed.intersection(check.needs):
            missed.add(name)
        elif (why := _failure(check, context)) is not None:
            failures[name] = why
            missed.add(name)
    is_known = "record" not in missed
    return ClipAudit(
        clip.clip_id,
        failures,
        tuple(_notes(context, "labels" not in missed)) if is_known else (),
        _row(context) if is_known else {},
        context.is_whole,
    )


def _failure(check: Check, context: Context) -> str | None:
    try:
        with np.errstate(all="ignore"):  # nonsense in, nonsense out: what compares with it says so
            check.function(context)
    except (Failure, OdahError) as failure:
        text = " ".join(str(failure).split())
        return text.replace(f"{context.clip.folder}/", "").replace(f"{context.dataset.paths.root}/", "")
    except Exception as error:  # noqa: BLE001  whatever a damaged file makes a library raise
        text = " ".join(f"{type(error).__name__}: {error}".split())
        return f"the clip is damaged in a way that stops the check ({text:.200})"
    return None


def _row(context: Context) -> dict[str, Any]:
    try:
        return index_row(
            context.clip.record, context.clip.folder / "clip.json", index_columns(context.dataset.info)
        )
    except OdahError:  # which the audit of the record tells
        return {}


def _notes(context: Context, has_labels: bool) -> list[str]:
    notes = []
    if strange := files.unknown_files(context):
        notes.append(f"files that belong to no clip: {', '.join(strange[:5])}")
    if has_labels and (share := labels.share_upside_down(context)) > 0.5:
        notes.append(f"the trunk is below the ankles in {share:.0%} of frames")
    return notes
