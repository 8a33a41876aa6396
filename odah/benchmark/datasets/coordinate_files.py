"""OpenSim coordinates from files that others wrote: other names for them, and units other than stated."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from odah.benchmark.datasets.findings import Findings
from odah.errors import InputError
from odah.motion.types import CoordinateTrajectory
from odah.names import OPENSIM_COORDINATES
from odah.osim.model import Model
from odah.osim.storage import Storage, coordinate_columns, coordinates_in, read_storage

_FEW = 4
"""Rotational columns from which on their values tell a unit."""
_FARTHEST = 100.0
"""m; nobody walks as far from the laboratory's origin."""
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_SIDES = {"r": "r", "right": "r", "l": "l", "left": "l"}


def matched_names(given: Collection[str], wanted: Collection[str]) -> dict[str, str]:
    """By name in a file the coordinate it is: itself, or the one of the same words, whatever their case and
    wherever their side stands, so that `RightHipFlexion` is `hip_flexion_r`.

    Words are never replaced by others: a model that calls a coordinate otherwise may mean another angle.
    """
    matched = {name: name for name in given if name in wanted}
    by_words = {_words(name): name for name in wanted if name not in matched}
    for name in given:
        coordinate = by_words.get(_words(name))
        if name not in matched and coordinate is not None and coordinate not in matched.values():
            matched[name] = coordinate
    return matched


def _words(name: str) -> tuple[str, ...]:
    words = [word.lower() for word in _WORD.findall(name)]
    sides = [_SIDES[word] for word in words if word in _SIDES]
    return (*(word for word in words if word not in _SIDES), *sides)


def read_coordinate_file(path: str | Path, model: Model, findings: Findings) -> CoordinateTrajectory:
    """The model's coordinates in a `.mot` or `.sto` file, rad and m, in the model's order.

    Angles do not jump by whole turns. Noted are columns with other names, what they were taken for, columns
    that are no coordinate, and coordinates that the file lacks. Values whose range is not that of the unit
    stated are taken in the other one, and noted.

    Raises:
        InputError: no such table, none of the model's coordinates, lengths that are not m; a unit other than
            stated, where nothing is to be doubted.
    """
    table = read_storage(path)
    columns = coordinate_columns(path, table.columns)
    matched = matched_names(columns, model.coordinate_names)
    renamed = {name: coordinate for name, coordinate in matched.items() if name != coordinate}
    if renamed:
        told = ", ".join(f"{name} as {coordinate}" for name, coordinate in renamed.items())
        findings.note(f"{path}: columns taken as coordinates of other names: {told}")
    names = {columns[name]: coordinate for name, coordinate in matched.items()}
    table = replace(table, columns=tuple(names.get(k, name) for k, name in enumerate(table.columns)))
    table = _in_true_unit(path, table, model, findings)
    trajectory = coordinates_in(path, table, model)
    for note in trajectory.notes:
        findings.note(f"{path}: {note}")
    turns = [coordinate.motion_type == "rotational" for coordinate in model.coordinates]
    values = np.where(turns, np.unwrap(trajectory.values, axis=0), trajectory.values)
    return replace(trajectory, values=values)


def told_coordinates(path: str | Path, model: Model) -> frozenset[str]:
    """Which of the model's coordinates a file tells, by any name, or a coupler follows from those.

    Raises:
        InputError: no such table.
    """
    columns = coordinate_columns(path, read_storage(path).columns)
    told = set(matched_names(columns, model.coordinate_names).values())
    told |= {c.dependent for c in model.couplers if c.is_enforced and set(c.independent) <= told}
    return frozenset(told)


def note_other_coordinates(path: str | Path, names: Collection[str], findings: Findings) -> None:
    """Note which coordinates of a model are not the full-body model's, and which of those it lacks."""
    foreign = [name for name in names if name not in OPENSIM_COORDINATES]
    lacking = [name for name in OPENSIM_COORDINATES if name not in names]
    if foreign:
        findings.note(f"{path}: coordinates that the full-body model does not have: {', '.join(foreign)}")
    if lacking:
        findings.note(f"{path}: lacks these coordinates of the full-body model: {', '.join(lacking)}")


def _in_true_unit(path: str | Path, table: Storage, model: Model, findings: Findings) -> Storage:
    """The table with `in_degrees` as its values say.

    In radians no joint turns by more than a turn, and in degrees nobody keeps all joints within 2 pi of zero.
    One column is passed over in both cases: people turn round several times.
    """
    reach = _reach(table, model)
    lengths = [
        reach[c.name] for c in model.coordinates if c.motion_type == "translational" and c.name in reach
    ]
    if lengths and max(lengths) > _FARTHEST:
        raise InputError(f"{path}: translations", f"{max(lengths):.4g}", "m, not farther than 100 m away")
    angles = sorted(
        reach[c.name] for c in model.coordinates if c.motion_type == "rotational" and c.name in reach
    )
    if len(angles) < _FEW:
        return table
    largest = angles[-2]
    if table.in_degrees == (largest > 2 * np.pi) or largest == 0:
        return table
    true, stated = ("radians", "degrees") if table.in_degrees else ("degrees", "radians")
    found = f"angles of at most {largest:.3g}, which are {true}"
    findings.doubt(str(path), found, f"{stated}, as its header says", f"taken as {true}")
    return replace(table, in_degrees=not table.in_degrees)


def _reach(table: Storage, model: Model) -> Mapping[str, float]:
    """By column the largest absolute value."""
    columns = {name: k for k, name in enumerate(table.columns) if name in model.coordinate_names}
    return {name: float(np.abs(table.values[:, k]).max()) for name, k in columns.items()}
