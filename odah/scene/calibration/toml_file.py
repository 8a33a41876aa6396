"""Calibration files of Pose2Sim and Caliscope."""

from __future__ import annotations

import tomllib
from pathlib import Path

from odah.errors import InputError
from odah.scene.calibration.records import FIELDS, Records, name_of


def read_toml(path: Path, text: str) -> Records:
    """The cameras of a TOML file.

    Raises:
        InputError: damaged, or of another structure.
    """
    try:
        document = tomllib.loads(text)
    except ValueError as error:
        raise InputError(path, f"{error}", "valid TOML") from None
    tables = {key: table for key, table in document.items() if isinstance(table, dict)}
    for key, table in list(tables.items()):  # [cameras.0] as well as [cam_0]
        tables |= {f"{key}_{inner}": value for inner, value in table.items() if isinstance(value, dict)}
    keys = {name for names in FIELDS.values() for name in names if len(name) > 1}
    return [
        (name_of(table, key), table)
        for key, table in tables.items()
        if keys & table.keys() and table.get("ignore") is not True
    ]
