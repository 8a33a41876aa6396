"""Whose an OpenSim result is: the folder that bears the person's name, and what is told of them there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from odah.motion.types import Gender

_STRUCTURE = re.compile(
    r"opensimdata|opensim|osim_results|results|output|kinematics|ik|models?|mocap|video|hrnet|openpose.*|\d+-cameras",
    re.IGNORECASE,
)
"""Folders that OpenCap and AddBiomechanics put between a person and their files."""
_TOLD_IN = ("sessionMetadata.yaml", "_subject.json")
_KEYS = ("gender_mf", "sex", "gender")
_GENDERS: dict[str, Gender] = {"m": "male", "male": "male", "f": "female", "female": "female"}


def subject_folder(folder: Path, root: Path) -> Path:
    """The folder at or above one, not above the root, whose name is not just a part of the layout."""
    while folder != root and _STRUCTURE.fullmatch(folder.name):
        folder = folder.parent
    return folder


def person_name(folder: Path) -> str:
    """What the folder is called, or the nearest one above it whose name is not just a part of the layout."""
    folder = folder.resolve()
    named = (place.name for place in (folder, *folder.parents) if not _STRUCTURE.fullmatch(place.name))
    return next(named, "") or folder.name


def gender_told(folder: Path) -> Gender | None:
    """Of the person whose folder it is, from OpenCap's `sessionMetadata.yaml` or AddBiomechanics'
    `_subject.json`; None where there is none, or it does not say."""
    for name in _TOLD_IN:
        told = _mapping(folder / name)
        for key in _KEYS:
            gender = _GENDERS.get(str(told.get(key, "")).strip().lower())
            if gender is not None:
                return gender
    return None


def _mapping(path: Path) -> dict[Any, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        read = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}
