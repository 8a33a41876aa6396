"""A config as far as it says what a dataset holds, wherever it is made, and in what two of them differ."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import Any

from odah.config import GenerateConfig

CHANGES_NO_CLIP = {
    "render": frozenset(
        ("threads", "device", "allow_software_gl", "workers", "workers_per_gpu", "timeout", "start_timeout",
         "retries", "clips_per_worker")
    ),
}  # fmt: skip
"""Settings, by section, of how clips are made and not of what is in them."""
_PATHS = {
    "": ("body", "registration"),
    "motion": ("root",),
    "cameras": ("calibration",),
    "clothing": ("pictures", "garments"),
}
"""By section, settings that name files or folders; recordings have theirs besides."""
_PATHS_OF_RECORDING = ("path", "osim")


def portable(config: GenerateConfig) -> dict[str, Any]:
    """The config as `dataset.json` keeps it: without what suits one machine only.

    Left out are the settings of `CHANGES_NO_CLIP` and the folders above files whose paths say where they lie
    on this machine; relative paths stay. Tuples are lists, as in the file.
    """
    settings = json.loads(config.model_dump_json())
    for section, names in CHANGES_NO_CLIP.items():
        settings[section] = {key: value for key, value in settings[section].items() if key not in names}
    return _with_paths(settings, _portable_path)


def changed_fields(begun: Any, settings: Mapping[str, Any]) -> list[str]:
    """Dotted names of the fields in which two portable configs differ, but for the dataset's name and the
    folders of files: what files hold is told by their hashes."""
    if not isinstance(begun, dict):
        return ["all fields"]
    before, after = ({**_with_paths(old, _file_name), "name": None} for old in (begun, settings))
    for each in (before, after):
        if isinstance(each.get("motion"), dict):
            each["motion"] = {**each["motion"], "root": None}
    return sorted(_differences(before, after))


def _differences(before: Mapping[str, Any], after: Mapping[str, Any], prefix: str = "") -> list[str]:
    found: list[str] = []
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            found += _differences(old, new, f"{prefix}{key}.")
        elif old != new:
            found.append(f"{prefix}{key}")
    return found


def _with_paths(settings: Mapping[str, Any], change: Callable[[str], str | None]) -> dict[str, Any]:
    """The settings with every path changed."""
    changed = dict(settings)
    for section, names in _PATHS.items():
        place = changed if not section else changed.get(section)
        if isinstance(place, dict):
            kept = {name: _each(place[name], change) for name in names if name in place}
            changed = {**changed, **kept} if not section else {**changed, section: {**place, **kept}}
    motion = changed.get("motion")
    if isinstance(motion, dict) and isinstance(motion.get("recordings"), list):
        recordings = [_recording(recording, change) for recording in motion["recordings"]]
        changed["motion"] = {**motion, "recordings": recordings}
    return changed


def _recording(recording: Any, change: Callable[[str], str | None]) -> Any:
    if not isinstance(recording, dict):
        return recording
    return recording | {
        name: _each(recording[name], change) for name in _PATHS_OF_RECORDING if name in recording
    }


def _each(value: Any, change: Callable[[str], str | None]) -> Any:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_each(entry, change) for entry in value]
    return change(value) if isinstance(value, str) else value


def _file_name(path: str) -> str:
    return _pure(path).name


def _portable_path(path: str) -> str:
    pure = _pure(path)
    is_elsewhere = pure.is_absolute() or path.startswith("~") or ".." in pure.parts
    return pure.name if is_elsewhere else pure.as_posix()


def _pure(path: str) -> PurePath:
    windows = PureWindowsPath(path)
    return windows if windows.drive or "\\" in path else PurePosixPath(path)
