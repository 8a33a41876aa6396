"""Marker sets the package knows: which marker of a recording sits where on the full-body model.

Each is a YAML table in `marker_sets/`: markers with place and weight, and the distances that scale bodies.
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


@dataclass(frozen=True)
class MarkerRule:
    """How one marker is used.

    place: on the unscaled model; None where the model has the marker itself. weight: in inverse kinematics.
    movable: (3,) bool, the body's axes along which its place is learned from the trial. Bony landmarks stay:
        a free place would swallow what the scale of the bone and the joint angle should explain.
    """

    name: str
    weight: float
    movable: np.ndarray
    place: Marker | None


@dataclass(frozen=True)
class Measurement:
    """Pairs of markers whose mean distance scales bodies along axes (bool (3,) by body).

    trust: how far the factor follows the measurement (1) and not the whole body's (0). is_long_bone: counts
    for the whole body's. is_bending: measured in the frames in which it is longest, because it spans the
    spine, whose curling the model's one lumbar joint cannot follow.
    """

    name: str
    pairs: tuple[tuple[str, str], ...]
    scales: Mapping[str, np.ndarray]
    trust: float
    is_long_bone: bool
    is_bending: bool


@dataclass(frozen=True)
class MarkerSet:
    """Rules by marker name, and the measurements between those markers."""

    name: str
    rules: Mapping[str, MarkerRule]
    measurements: tuple[Measurement, ...]

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
        raise InputError(
            where,
            f"{', '.join(sorted(wanted)[:5])}, ... of which the model {model.name!r} knows {len(shared)}",
            f"at least three markers such as {', '.join(list(best.places(model))[:5])}, or a scale set-up",
        )
    return best


def read_marker_set(path: str | Path) -> MarkerSet:
    """A marker set from a YAML table in the form of those in `marker_sets/`.

    Raises:
        InputError: no such table, or a measurement between markers that the table lacks.
    """
    try:
        table = yaml.safe_load(read_text(path, "a marker set (YAML)"))
        rules = [_rule(name, fields, fields.get("body")) for name, fields in table["central"].items()]
        for name, fields in table["mirrored"].items():
            rules += [_mirrored_rule(side, name, fields) for side in _SIDES]
        measurements = tuple(_measurement(fields) for fields in table["measurements"])
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(path, f"{type(error).__name__}: {error}", "a marker set (YAML)") from None
    by_name = {rule.name: rule for rule in rules}
    for measurement in measurements:
        for marker in (name for pair in measurement.pairs for name in pair):
            if marker not in by_name:
                raise InputError(
                    f"{path}, {measurement.name}", f"the marker {marker!r}", "a marker of the set"
                )
    return MarkerSet(Path(path).stem, by_name, measurements)


def _mirrored_rule(side: str, name: str, fields: Mapping[str, Any]) -> MarkerRule:
    suffix, sign = _SIDES[side]
    body = fields.get("body")
    if body not in (None, "pelvis", "torso"):
        body = f"{body}_{suffix}"
    return _rule(side + name, fields, body, np.array([1.0, 1.0, sign]))


def _rule(
    name: str, fields: Mapping[str, Any], body: str | None, mirror: np.ndarray | None = None
) -> MarkerRule:
    place = None
    if body is not None:
        offset = np.array(fields["offset"], dtype=float)
        place = Marker(name, body, offset if mirror is None else offset * mirror)
    return MarkerRule(name, float(fields["weight"]), _axes(fields.get("movable", "")), place)


def _measurement(fields: Mapping[str, Any]) -> Measurement:
    return Measurement(
        name=fields["name"],
        pairs=tuple((first, second) for first, second in fields["pairs"]),
        scales={body: _axes(axes) for body, axes in fields["scales"].items()},
        trust=float(fields.get("trust", 1.0)),
        is_long_bone=bool(fields.get("is_long_bone", False)),
        is_bending=bool(fields.get("is_bending", False)),
    )


def _axes(text: str) -> np.ndarray:
    """(3,) bool from e.g. "XZ"."""
    if not set(text) <= set(_AXES):
        raise ValueError(f"axes {text!r}, expected some of {_AXES}")
    return np.array([axis in text for axis in _AXES])
