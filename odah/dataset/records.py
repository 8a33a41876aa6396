"""Reading the JSON records of a dataset: `dataset.json` and each clip's `clip.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from odah import __version__
from odah.dataset.schema import INFO_KEYS, SCHEMA_VERSION, DatasetPaths
from odah.errors import InputError


def read_info(paths: DatasetPaths) -> dict[str, Any]:
    """`dataset.json`.

    Raises:
        InputError: not JSON, or of another schema version.
    """
    try:
        info = json.loads(paths.info.read_text())
        version = info["schema_version"]
        missing = [key for key in INFO_KEYS if key not in info]
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, RecursionError):
        raise InputError(paths.info, "no valid dataset description", "JSON with schema_version") from None
    if version != SCHEMA_VERSION:
        raise _of_another_version(paths.info, info)
    if missing:
        raise InputError(f"{paths.info}: {missing[0]}", "nothing", "a value, for it is required")
    return info


def _of_another_version(path: Path, info: dict[str, Any]) -> InputError:
    version, maker = info["schema_version"], f"{info.get('odah_version', 'unknown')!s:.20}"
    where, expected = f"{path}: schema_version", f"{SCHEMA_VERSION}"
    if not isinstance(version, int):
        return InputError(where, f"{version!r:.60}", expected)
    if version > SCHEMA_VERSION:
        found = f"{version}, made by a newer odah ({maker})"
        return InputError(where, found, f"{expected}; this is odah {__version__}: upgrade odah")
    found = f"{version}, made by an older odah ({maker})"
    return InputError(where, found, f"{expected}; make the dataset again, or use the odah that made it")


def read_record(path: Path) -> dict[str, Any]:
    """A `clip.json`.

    Raises:
        InputError: missing or damaged.
    """
    try:
        record = json.loads(path.read_text())
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise InputError(path, "no readable record", "a clip.json") from None
    if not isinstance(record, dict):
        raise InputError(path, "no readable record", "a clip.json")
    return record
