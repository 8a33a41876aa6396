"""Where garments end on a body: scalar fields, positive where there is cloth, zero at the hems."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from odah.clothing.rest_body import RestBody, along_limb
from odah.errors import InputError

_STRAP = 0.04
"""Least width of what is left on the shoulder of a vest, m."""
_ABOVE_CROTCH = 0.015
"""m; lower, a hem would become two."""


@dataclass(frozen=True)
class UpperPattern:
    """A shirt.

    sleeve: end of the sleeve; 0 at the shoulder joint, 1 at the elbow, 2 at the wrist.
    hem: lower end; 0 at the hip joint, 1 at the knee. tail: m that it is cut higher at the sides.
    neck_margin: m between neck and collar. neck_drop: m that the collar hangs lower in front.
    ease: distance from the skin, m, where the cloth rests and at the hem and sleeve ends.
    has_collar: a turned-down collar, and a placket with buttons down the front.
    """

    sleeve: float
    hem: float
    neck_margin: float = 0.014
    neck_drop: float = 0.03
    ease: tuple[float, float] = (0.006, 0.024)
    tail: float = 0.0
    has_collar: bool = False


@dataclass(frozen=True)
class LowerPattern:
    """Trousers of any length. leg: 0 at the hip joint, 1 at the knee, 2 at the ankle; ease as above."""

    leg: float
    ease: tuple[float, float] = (0.005, 0.028)

    @property
    def breaks_on_shoe(self) -> bool:
        """Whether the legs are long enough to lie on the shoes in a fold."""
        return self.leg > 2


Pattern = UpperPattern | LowerPattern

UPPERS: dict[str, UpperPattern] = {
    "tshirt": UpperPattern(sleeve=0.62, hem=0.10),
    "vest": UpperPattern(sleeve=-0.16, hem=0.08, neck_margin=0.03, neck_drop=0.06, ease=(0.005, 0.016)),
    "long_sleeve": UpperPattern(sleeve=1.93, hem=0.12, ease=(0.006, 0.014)),
    "shirt": UpperPattern(
        sleeve=0.80, hem=0.17, neck_margin=0.006, neck_drop=0.022, ease=(0.007, 0.022), tail=0.03,
        has_collar=True,
    ),
}  # fmt: skip
LOWERS: dict[str, LowerPattern] = {
    "shorts": LowerPattern(leg=0.52, ease=(0.005, 0.024)),
    "knee_length": LowerPattern(leg=0.96),
    "trousers": LowerPattern(leg=2.06, ease=(0.006, 0.024)),
    "leggings": LowerPattern(leg=1.84, ease=(0.003, 0.003)),
}


def garment_pattern(kind: str) -> Pattern:
    """The pattern called `kind`.

    Raises:
        InputError: no garment is called that.
    """
    known = {**UPPERS, **LOWERS}
    if kind not in known:
        raise InputError("garment", repr(kind), f"one of {', '.join(known)}")
    return known[kind]


def _neck_field(rest: RestBody, pattern: UpperPattern) -> np.ndarray:
    """Distance-like field outside an upright capsule around the neck, pushed forward by the drop."""
    neck = rest.joint("neck")
    on_neck = rest.weight_of("neck") > 0.6
    half_width = np.abs(rest.vertices[on_neck, 0]).max()
    shoulder, elbow, wrist = (rest.joint(f"left_{n}")[0] for n in ("shoulder", "elbow", "wrist"))
    widest = along_limb(shoulder, elbow, wrist, pattern.sleeve) - _STRAP
    radius = min(half_width + pattern.neck_margin, widest)
    dx, dy, dz = (rest.vertices - neck - [0.0, 0.02, 0.25 * radius]).T
    below = np.minimum(dy + 0.3 * pattern.neck_drop, 0) * radius / (radius + pattern.neck_drop)
    distance = np.sqrt(dx**2 + below**2 + (dz / 1.12) ** 2)
    return distance - radius


def _upper_field(rest: RestBody, pattern: UpperPattern) -> np.ndarray:
    x, y, _ = rest.vertices.T
    shoulder, elbow, wrist = (rest.joint(f"left_{n}")[0] for n in ("shoulder", "elbow", "wrist"))
    sleeve = along_limb(shoulder, elbow, wrist, pattern.sleeve) - np.abs(x)
    if pattern.sleeve < 0.2:  # sleeveless: below the armpit the side panels stay
        armpit = rest.joint("left_shoulder")[1] - 0.36 * (elbow - shoulder)
        sleeve = np.maximum(sleeve, armpit - y)
    hip, knee, ankle = (rest.joint(f"left_{n}")[1] for n in ("hip", "knee", "ankle"))
    at_side = np.clip(np.abs(x) / np.abs(rest.vertices[rest.leg_weight("left") > 0.5, 0]).max(), 0, 1)
    lowest = max(along_limb(hip, knee, ankle, pattern.hem), crotch_height(rest) + _ABOVE_CROTCH)
    hem = y - lowest - pattern.tail * at_side**3
    field = np.minimum(np.minimum(sleeve, hem), _neck_field(rest, pattern))
    return np.where(rest.head_weight > 0.4, -0.05, field)


def crotch_height(rest: RestBody) -> float:
    """Height of the lowest point between the legs, m."""
    return float(rest.vertices[np.abs(rest.vertices[:, 0]) < 0.01, 1].min())


def waist_height(rest: RestBody) -> float:
    """Height of a waistband, m: at the lowest spine joint, but above the hips by a fifth of the trunk."""
    hip, neck = rest.joint("left_hip")[1], rest.joint("neck")[1]
    return float(hip + 0.22 * (neck - hip))


def _lower_field(rest: RestBody, pattern: LowerPattern) -> np.ndarray:
    y = rest.vertices[:, 1]
    hip, knee, ankle = (rest.joint(f"left_{n}")[1] for n in ("hip", "knee", "ankle"))
    field = np.minimum(waist_height(rest) - y, y - along_limb(hip, knee, ankle, pattern.leg))
    is_arm = rest.arm_weight("left") + rest.arm_weight("right") > 0.5
    return np.where(is_arm, -0.05, field)


def cloth_field(rest: RestBody, pattern: Pattern) -> np.ndarray:
    """(N,) field at the body's vertices, m: about the distance to the nearest hem, positive under cloth."""
    if isinstance(pattern, UpperPattern):
        return _upper_field(rest, pattern)
    return _lower_field(rest, pattern)
