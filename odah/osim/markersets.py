"""Marker sets the package knows: which marker of a recording sits where on the full-body model.

Each is a YAML table in `marker_sets/`: markers with place and weight, and the bodies that scale alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from odah.errors import InputError
from odah.files import read_text
from odah.osim.model import Marker, Model

_FOLDER = Path(__file__).parent / "marker_sets"
_SIDES = {"R": ("r", 1.0), "L": ("l", -1.0)}
_AXES = "XYZ"
_CENTRAL_BODIES = ("pelvis", "torso")


@dataclass(frozen=True)
class MarkerRule:
    """How one marker is used.

    place: on the unscaled model; None where the model has the marker itself. weight: in inverse kinematics.
    movable: (3,) bool, the body's axes along which it may be worn anywhere. Bony landmarks may not: a free
        place would swallow what the scale of the bone and the joint angle should explain.
    fixed: (3,) bool, the axes along which its place says what the body's neutral orientation is.
    """

    name: str
    weight: float
    movable: np.ndarray
    fixed: np.ndarray
    place: Marker | None


@dataclass(frozen=True)
class MarkerSet:
    """Rules by marker name; segments: by body, the name it shares with those that scale alike."""

    name: str
    rules: Mapping[str, MarkerRule]
    segments: Mapping[str, str]

    @property
    def weights(self) -> dict[str, float]:
        return {name: rule.weight for name, rule in self.rules.items()}

    def places(self, model: Model) -> dict[str, Marker]:
        """Each marker's place on `model`: the set's own, or the model's marker of that name."""
        own = {marker.name: marker for marker in model.markers}
        places = {rule.name: rule.place or own.get(rule.name) for rule in self.rules.values()}
        bodies = set(model.body_names)
        return {name: place for name, place in places.items() if place is not None and place.body in bodies}


@cache
def known_marker_sets() -> tuple[MarkerSet, ...]:
    """The sets that travel with the package."""
    return tuple(read_marker_set(path) for path in sorted(_FOLDER.glob("*.yaml")))


def choose_marker_set(names: Iterable[str], model: Model, where: str = "markers") -> MarkerSet:
    """The known set that shares most names with a recording and has places for them on `model`.

    where: the file and field that an error names.

    Raises:
        InputError: no set shares three names.
    """
    wanted = set(names)
    best = max(known_marker_sets(), key=lambda each: len(wanted & each.places(model).keys()))
    shared = wanted & best.places(model).keys()
    if len(shared) < 3:
        placed = ", ".join(list(best.places(model))[:5])
        raise InputError(
            where,
            f"{', '.join(sorted(wanted)[:5])}, ... of which the model {model.name!r} knows {len(shared)}",
            f"at least three markers such as {placed}, or a scale set-up"
            if placed
            else "a scale set-up, for that model has no places for the sets of markers known",
        )
    return best


def read_marker_set(path: str | Path) -> MarkerSet:
    """A marker set from a YAML table in the form of those in `marker_sets/`.

    Raises:
        InputError: no such table, or a body in two segments.
    """
    try:
        table = yaml.safe_load(read_text(path, "a marker set (YAML)"))
        rules = [_rule(name, fields, fields.get("body")) for name, fields in table["central"].items()]
        for name, fields in table["mirrored"].items():
            rules += [_mirrored_rule(side, name, fields) for side in _SIDES]
        bodies = [(_sided(body, s), segment) for segment, body in _listed(table["segments"]) for s in "rl"]
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(path, f"{type(error).__name__}: {error}", "a marker set (YAML)") from None
    segments: dict[str, str] = {}
    for body, segment in bodies:
        if segments.setdefault(body, segment) != segment:
            raise InputError(f"{path}, {segment}", f"{body} of {segments[body]} again", "each body once")
    return MarkerSet(Path(path).stem, {rule.name: rule for rule in rules}, segments)


def _mirrored_rule(side: str, name: str, fields: Mapping[str, Any]) -> MarkerRule:
    suffix, sign = _SIDES[side]
    body = fields.get("body")
    body = None if body is None else _sided(body, suffix)
    return _rule(side + name, fields, body, np.array([1.0, 1.0, sign]))


def _sided(body: str, suffix: str) -> str:
    return body if body in _CENTRAL_BODIES else f"{body}_{suffix}"


def _rule(
    name: str, fields: Mapping[str, Any], body: str | None, mirror: np.ndarray | None = None
) -> MarkerRule:
    place = None
    if body is not None:
        offset = np.array(fields["offset"], dtype=float)
        place = Marker(name, body, offset if mirror is None else offset * mirror)
    movable, fixed = (_axes(fields.get(field, "")) for field in ("movable", "fixed"))
    return MarkerRule(name, float(fields["weight"]), movable, fixed, place)


def _listed(segments: Mapping[str, list[str]]) -> list[tuple[str, str]]:
    """(segment, body) of all bodies listed."""
    for name, bodies in segments.items():
        if not isinstance(bodies, list):
            raise TypeError(f"segment {name!r} is {bodies!r}, expected a list of bodies")
    return [(name, body) for name, bodies in segments.items() for body in bodies]


def _axes(text: str) -> np.ndarray:
    """(3,) bool from e.g. "XZ"."""
    if not set(text) <= set(_AXES):
        raise ValueError(f"axes {text!r}, expected some of {_AXES}")
    return np.array([axis in text for axis in _AXES])
