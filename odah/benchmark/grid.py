"""Every method on every recording, each answer computed once and kept.

OUT/<dataset>/<recording>/<view>+<view>/<method>/    the method's own files (.osim, .mot, ...)
                                        cell.json    what it is of, how it went, how long it took, on what
                                        motion.npz   the answer

A cell whose key is that of now is not computed again, unless it failed. The key is a digest of the method's
facts and of what the recording is made of; another version of odah alone does not change it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from odah import __version__
from odah.benchmark.method import Method
from odah.benchmark.recording import Motion, Recording
from odah.errors import OdahError
from odah.files import DAMAGED_ARRAYS, atomic_folder
from odah.workers import num_cores

_RECORD, _MOTION = "cell.json", "motion.npz"
_ARRAYS = ("times", "coordinates", "joints")
_MISHAPS = (ValueError, ArithmeticError, LookupError, RuntimeError, OSError, np.linalg.LinAlgError, cv2.error)
"""What a method may end in on an odd recording, and the rest of a long grid should not."""
_LIBRARIES = ("numpy", "scipy", "torch", "opencv-python-headless")
_NAMES = ("coordinate_names", "joint_names", "body_names")


@dataclass(frozen=True, eq=False)
class Cell:
    """A method's answer about a recording. motion: None where it failed, `failure` says why.

    record: as in cell.json. is_new: computed now.
    """

    recording: Recording
    views: tuple[str, ...]
    method: str
    motion: Motion | None
    record: Mapping[str, Any]
    is_new: bool

    @property
    def failure(self) -> str | None:
        """One sentence."""
        return self.record["failure"]


def run_cell(method: Method, recording: Recording, views: Sequence[str], out: Path) -> Cell:
    """The kept answer, or a new one.

    Raises:
        InputError: the truth of the recording, which its key needs, cannot be read.
    """
    folder = out / recording.dataset / recording.name / "+".join(views) / method.name
    key = _digest([_plain(method.facts), _made_of(recording, views)])
    kept = _kept(folder, key)
    if kept is not None:
        return Cell(recording, tuple(views), method.name, kept[0], kept[1], is_new=False)
    record: dict[str, Any] = {
        "key": key, "method": _plain(method.facts), "versions": versions(), "machine": machine(),
        "failure": None, "notes": [],
    }  # fmt: skip
    motion = None
    with atomic_folder(folder) as temporary:
        begun = time.monotonic()
        try:
            motion = method.estimate(recording, views, temporary)
            _check_frames(motion, recording, method.name)
        except OdahError as error:
            record["failure"] = str(error)
        except _MISHAPS as error:
            logging.getLogger(__name__).exception("%s, %s", recording.name, method.name)
            record["failure"] = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        record["seconds"] = round(time.monotonic() - begun, 3)
        if record["failure"] is None and motion is not None:
            record["notes"] = list(motion.notes)
            motion = replace(motion, model=None, notes=())  # as a kept one is
            _write_motion(temporary / _MOTION, motion)
        else:
            motion = None
        (temporary / _RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return Cell(recording, tuple(views), method.name, motion, record, is_new=True)


def run_grid(
    methods: Sequence[Method],
    recordings: Sequence[tuple[Recording, tuple[str, ...]]],
    out: Path,
    tell: Callable[[int, int], None] | None = None,
    *,
    left_out: Callable[[OdahError], None],
) -> list[Cell]:
    """All cells, recording by recording; recordings come with the views that are used.

    left_out: is told why a recording has no truth to judge by, and may raise; the others go on.
    """
    cells = []
    total = len(methods) * len(recordings)
    for recording, views in recordings:
        try:
            _ = recording.truth
        except OdahError as error:
            left_out(error)
            total -= len(methods)
            continue
        for method in methods:
            cells.append(run_cell(method, recording, views, out))
            if tell is not None:
                tell(len(cells), total)
    return cells


def machine() -> dict[str, Any]:
    """The hardware that a run time is of."""
    return {
        "system": platform.system(), "processor": platform.processor() or platform.machine(),
        "cores": num_cores(), "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }  # fmt: skip


def versions() -> dict[str, str]:
    """Of odah, Python and the libraries that numbers come from."""
    found = {"odah": __version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _kept(folder: Path, key: str) -> tuple[Motion, dict[str, Any]] | None:
    try:
        record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
        if record["key"] != key or record["failure"] is not None:
            return None
        return _read_motion(folder / _MOTION), record
    except (OSError, ValueError, KeyError, TypeError, *DAMAGED_ARRAYS):
        return None


def _write_motion(path: Path, motion: Motion) -> None:
    arrays = {name: getattr(motion, name) for name in _ARRAYS}
    arrays |= {name: np.array(getattr(motion, name), dtype=str) for name in _NAMES}
    if motion.scale_factors is not None:
        arrays["scale_factors"] = motion.scale_factors
    np.savez(path, **arrays)


def _read_motion(path: Path) -> Motion:
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    told: dict[str, Any] = {name: tuple(arrays.pop(name).tolist()) for name in _NAMES}
    return Motion(**told, **arrays)


def _check_frames(motion: Motion, recording: Recording, method: str) -> None:
    if len(motion.coordinates) != recording.num_frames or len(motion.joints) != recording.num_frames:
        raise ValueError(f"{method}: {len(motion.coordinates)} frames of {recording.num_frames}")


def _made_of(recording: Recording, views: Sequence[str]) -> list[Any]:
    """What an answer may depend on; of files their size and time of change."""
    told: list[Any] = [recording.subject, recording.action, recording.rate, recording.num_frames]
    told += [recording.height, recording.mass]
    told.append(recording.T_world_ground.tolist())
    for name in views:
        view = recording.views[name]
        camera = view.camera
        told += [name, camera.K.tolist(), camera.T_world_cam.tolist(), list(camera.distortion)]
        told += [camera.width, camera.height, view.frames.tolist()]
        told += [None if view.crops is None else view.crops.tolist()]
        for file in (view.video, view.mask):
            there = file is not None and file.is_file()
            told.append([file.name, file.stat().st_size, file.stat().st_mtime_ns] if file and there else None)
    truth = recording.truth
    for array in (truth.coordinates, truth.joints, truth.scale_factors):
        told.append(None if array is None else hashlib.sha256(array.tobytes()).hexdigest())
    return told


def _digest(told: Any) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON has them, so that a fact that is no plain value shows at once."""
    return json.loads(json.dumps(dict(facts), sort_keys=True))
