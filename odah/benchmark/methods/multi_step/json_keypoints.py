"""Keypoints from OpenPose's JSON files, which Pose2Sim writes too: one folder a view, one file a frame."""

from __future__ import annotations

import hashlib
import string
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from odah.benchmark.methods.multi_step.json_frame import numbered_files, read_people
from odah.benchmark.methods.multi_step.keypoint_sets import KeypointSet, keypoint_set
from odah.benchmark.methods.multi_step.keypoints import Keypoints, out_of_crops
from odah.benchmark.recording import Recording, View
from odah.errors import InputError
from odah.estimator.predict.videos import examine
from odah.wording import some_of

_FIELDS = ("recording", "subject", "action", "view")
_MOST_OUTSIDE = 0.05
"""Of the keypoints; detectors put some a little beyond the picture's edges."""
_EDGE = 0.05
"""Of the picture's size: how far."""


@dataclass(frozen=True)
class JsonKeypoints:
    """ROOT/<pattern>/<name>_<frame>[_keypoints].json, frames of the view's video counted from 0.

    pattern: the folder of a view, with {recording}, {subject}, {action} and {view}. Pixels are those of the
    view's video. All people of a file are read; who of them it is, all views decide (`people`).
    """

    root: Path
    pattern: str = "{recording}/{view}"
    set_name: str = "halpe_26"
    place_deviation: float = 0.02

    def __post_init__(self) -> None:
        try:
            fields = {name for _, name, _, _ in string.Formatter().parse(self.pattern) if name is not None}
        except ValueError as error:
            raise InputError("keypoints, pattern", f"{self.pattern!r} ({error})", "a path") from None
        if unknown := fields - set(_FIELDS):
            expected = ", ".join(f"{{{name}}}" for name in _FIELDS)
            raise InputError("keypoints, pattern", f"{{{some_of(sorted(unknown))}}}", f"some of {expected}")

    @property
    def keypoint_set(self) -> KeypointSet:
        """See `KeypointSource`."""
        return keypoint_set(self.set_name)

    @property
    def facts(self) -> Mapping[str, Any]:
        """See `KeypointSource`; the digest of all files' names, sizes and times of change."""
        files = sorted(self.root.rglob("*.json"))
        told = [(str(f.relative_to(self.root)), f.stat().st_size, f.stat().st_mtime_ns) for f in files]
        digest = hashlib.sha256(repr(told).encode()).hexdigest()[:16]
        return {"source": "json", "set": self.set_name, "pattern": self.pattern, "files": digest}

    def keypoints(self, recording: Recording, view: str) -> Keypoints:
        """See `KeypointSource`; a frame without a file has nobody in it, and is counted in the notes.

        Raises:
            InputError: no such folder, none of the frames, a damaged file, or pixels of another picture.
        """
        values = {"recording": recording.name, "subject": recording.subject, "action": recording.action}
        folder = self.root / self.pattern.format(view=view, **values)
        files, strangers = numbered_files(folder)
        shown = recording.views[view]
        wanted = shown.frames.tolist()
        missing = [number for number in wanted if number not in files]
        if len(missing) == len(wanted):
            found = f"files of frames {min(files)} to {max(files)}"
            raise InputError(folder, found, f"some of frames {min(wanted)} to {max(wanted)}")
        points = self.keypoint_set
        nobody = np.zeros((0, points.count, 3))
        frames = [read_people(files[n], points.count) if n in files else nobody for n in wanted]
        people = _stacked(frames)[:, :, list(points.indices)]
        notes = [f"{len(missing)} of {len(wanted)} frames have no file"] if missing else []
        notes += [f"not read, for their names tell no frame: {some_of(strangers)}"] if strangers else []
        return _keypoints(people, shown, folder, tuple(notes))


def _stacked(frames: list[Float[np.ndarray, "_ count 3"]]) -> Float[np.ndarray, "T N count 3"]:
    """As many people in every frame, those who are not there without confidence."""
    most = max(1, *(len(people) for people in frames))
    stacked = np.zeros((len(frames), most, *frames[0].shape[1:]))
    for t, people in enumerate(frames):
        stacked[t, : len(people)] = people
    return stacked


def _keypoints(
    people: Float[np.ndarray, "T N M 3"], view: View, folder: Path, notes: tuple[str, ...]
) -> Keypoints:
    """In pixels of the full picture."""
    pixels, confidence = people[..., :2], people[..., 2]
    is_there = confidence > 0
    size = (view.camera.width, view.camera.height)
    if view.crops is not None:
        video = examine(view.video)
        size = (video.width, video.height)
    edge = _EDGE * np.array(size)
    is_outside = ((pixels < -edge) | (pixels > size + edge)).any(-1) & is_there
    if is_outside.sum() > _MOST_OUTSIDE * is_there.sum():
        x, y = pixels[is_there].max(axis=0)
        raise InputError(
            folder, f"keypoints up to pixel {x:.0f}, {y:.0f}", f"pictures of {size[0]} x {size[1]}"
        )
    if view.crops is not None:
        pixels = out_of_crops(pixels, view.crops.astype(float), size[0])
    return Keypoints(np.where(is_there[..., None], pixels, np.nan), confidence, notes)
