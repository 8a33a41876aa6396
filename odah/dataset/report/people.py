"""Who is in the dataset: height, body mass index, age, sex and skin of each person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from odah.dataset.report.facts import ClipFacts, number

SKIN_GROUPS: tuple[tuple[str, float], ...] = (
    ("very light", 55.0), ("light", 41.0), ("intermediate", 28.0), ("tan", 10.0), ("brown", -30.0),
    ("dark", -90.0),
)  # fmt: skip
"""Lower bounds in degrees of the individual typology angle (Del Bino and Bernerd 2013)."""


@dataclass(frozen=True)
class PersonFacts:
    """height, m, and mass, kg, of the body's mesh. age: years. skin: sRGB 0-255. None where not told."""

    name: str
    gender: str
    age: float | None
    height: float | None
    mass: float | None
    skin: tuple[int, int, int] | None

    @property
    def bmi(self) -> float | None:
        """kg/m^2"""
        return self.mass / self.height**2 if self.mass and self.height else None

    @property
    def skin_angle(self) -> float | None:
        """Individual typology angle of the skin, degrees; high is light."""
        if self.skin is None:
            return None
        lab = cv2.cvtColor(np.array([[self.skin]], np.float32) / 255, cv2.COLOR_RGB2LAB)[0, 0]
        return float(np.degrees(np.arctan2(lab[0] - 50, lab[2])))


def people_in(clips: Iterable[ClipFacts]) -> list[PersonFacts]:
    """Everyone in the clips, in name order, as the clips' records tell."""
    records = {clip.person: clip.record for clip in clips}
    return [_person(name, record) for name, record in sorted(records.items())]


def _person(name: str, record: Mapping[str, Any]) -> PersonFacts:
    body, look = record.get("body"), record.get("appearance")
    body = body if isinstance(body, dict) else {}
    skin = look.get("skin_color") if isinstance(look, dict) else None
    is_color = isinstance(skin, list) and len(skin) == 3 and all(number(level) is not None for level in skin)
    return PersonFacts(
        name=name,
        gender=str(body.get("gender", "not told")),
        age=number(body.get("age")),
        height=number(body.get("height")),
        mass=number(body.get("mass")),
        skin=(int(skin[0]), int(skin[1]), int(skin[2])) if skin and is_color else None,
    )


def skin_groups(people: Sequence[PersonFacts]) -> dict[str, list[PersonFacts]]:
    """People by the group of their skin tone, the lightest first; empty if nobody's skin is known."""
    known = [(angle, person) for person in people if (angle := person.skin_angle) is not None]
    groups: dict[str, list[PersonFacts]] = {name: [] for name, _ in SKIN_GROUPS if known}
    for angle, person in sorted(known, key=lambda pair: -pair[0]):
        groups[next((name for name, least in SKIN_GROUPS if angle > least), "dark")].append(person)
    return groups
