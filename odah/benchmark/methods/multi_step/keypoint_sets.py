"""Sets of 2D keypoints, and where on the generic full-body model each keypoint sits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from odah.errors import InputError
from odah.osim.full_body import full_body_model
from odah.osim.model import Marker

_TABLE = Path(__file__).with_name("keypoint_sets.yaml")
_SIDES = {"R": ("r", 1.0), "L": ("l", -1.0)}
ANATOMICAL = "anatomical"
"""The set of the model's own markers: what a detector of bony landmarks would see. No detector reads it."""


@dataclass(frozen=True)
class KeypointSet:
    """Named points on bodies of the generic model.

    markers: in the order of the columns of all arrays. weights: of them. indices: each one's number in a
    detector's answer of `count` points.
    """

    name: str
    markers: tuple[Marker, ...]
    weights: Mapping[str, float]
    indices: tuple[int, ...]
    count: int

    @property
    def names(self) -> tuple[str, ...]:
        """Of the points."""
        return tuple(marker.name for marker in self.markers)


@cache
def keypoint_set(name: str) -> KeypointSet:
    """A set of `keypoint_sets.yaml` by its name, or "anatomical".

    Raises:
        InputError: no such set.
    """
    if name == ANATOMICAL:
        markers = full_body_model().markers
        weights = {marker.name: 1.0 for marker in markers}
        return KeypointSet(name, markers, weights, tuple(range(len(markers))), len(markers))
    table = _table()
    if name not in table["sets"]:
        raise InputError("keypoints", repr(name), f"one of {', '.join((*table['sets'], ANATOMICAL))}")
    rows, points = table["sets"][name], _points()
    chosen = [points[point] for point in rows["points"].values()]
    return KeypointSet(
        name,
        tuple(marker for marker, _ in chosen),
        {marker.name: weight for marker, weight in chosen},
        tuple(rows["points"]),
        rows["count"],
    )


@cache
def _table() -> dict[str, Any]:
    return yaml.safe_load(_TABLE.read_text(encoding="utf-8"))


@cache
def _points() -> dict[str, tuple[Marker, float]]:
    """All points and their weights by name."""
    table = _table()
    points = {name: _point(name, row, row["body"], 1.0) for name, row in table["central"].items()}
    for name, row in table["mirrored"].items():
        for letter, (suffix, sign) in _SIDES.items():
            body = row["body"] if row["body"] == "torso" else f"{row['body']}_{suffix}"
            points[letter + name] = _point(letter + name, row, body, sign)
    return points


def _point(name: str, row: Mapping[str, Any], body: str, sign: float) -> tuple[Marker, float]:
    offset = np.array(row["offset"], dtype=float) * [1.0, 1.0, sign]
    return Marker(name, body, offset), float(row["weight"])
