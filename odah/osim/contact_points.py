"""Where a skeleton can touch the floor: points on the sole, knee, instep and palm of a scaled model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from odah.osim.model import Marker, Model

_FOOT_LENGTH = 0.1788
"""m; subtalar to toe joint in Rajagopal et al. 2016, along the foot."""
_HEEL_HEIGHT = 0.04195
"""m; ankle joint above the origin of calcn in the same model."""
_FLATTEST, _HIGHEST = 0.85, 1.15
"""Heights of a foot over its length that the sole below was measured on; a scaling that makes a foot half as
high again, because nothing told its height, does not put the sole so much lower."""
_TIBIA_LENGTH = 0.4
_HAND_OFFSET = (0.015, -0.110, 0.0)

# The visible sole, right side, m: offset = length * first + height * second, both factors 1 on the generic
# model. Least squares over the shoes of 12 random adults of the open body, standing, each in its own scaled
# model; the greatest residual of any coordinate is 2 mm. Both factors are needed: a heel that reaches far
# below the origin of calcn comes with an ankle that is high for the length of the foot. Heel and toe lie
# where the rounded edge of the sole begins, so that a pitched foot rolls over them. The ball turns with the
# toes, on the line about which the sole bends, and lies 2 to 3 mm lower than measured at its rims, because
# the sole bulges between them.
_SOLE: tuple[tuple[str, str, tuple[float, float, float], tuple[float, float, float]], ...] = (
    ("heel", "calcn", (-0.0964, 0.0856, -0.0907), (0.0767, -0.1013, 0.0566)),
    ("heel", "calcn", (-0.0964, 0.0992, -0.1027), (0.0767, -0.1164, 0.0907)),
    ("ball", "toes", (0.0100, -0.0447, -0.0113), (0.0000, 0.0180, -0.0465)),
    ("ball", "toes", (-0.0150, 0.0170, 0.0307), (0.0000, -0.0486, 0.0189)),
    ("toe", "toes", (0.0556, -0.0562, -0.0748), (0.0253, 0.0288, 0.0466)),
)
_INSTEP_OFFSET = (0.055, 0.014, 0.0)
_KNEE_OFFSET = (0.050, -0.045, 0.0)


@dataclass(frozen=True, eq=False)
class ContactPoint:
    """A point of the part `part` of the body, e.g. `ball_r`: offset (3,) m in the frame of `body`."""

    part: str
    body: str
    offset: np.ndarray


def _joint_offset(model: Model, name: str) -> np.ndarray:
    return next(joint.T_parent[:3, 3] for joint in model.joints if joint.name == name)


def _points_of_side(model: Model, side: str) -> list[ContactPoint]:
    outward = np.array([1.0, 1.0, 1.0 if side == "r" else -1.0])
    length = _joint_offset(model, f"mtp_{side}")[0] / _FOOT_LENGTH
    height = abs(_joint_offset(model, f"subtalar_{side}")[1]) / _HEEL_HEIGHT
    height = float(np.clip(height, _FLATTEST * length, _HIGHEST * length))
    shank = abs(_joint_offset(model, f"ankle_{side}")[1]) / _TIBIA_LENGTH
    instep_scale = np.array([length, height, length])
    return [
        *(
            ContactPoint(
                f"{part}_{side}",
                f"{body}_{side}",
                (length * np.array(by_length) + height * np.array(by_height)) * outward,
            )
            for part, body, by_length, by_height in _SOLE
        ),
        ContactPoint(f"instep_{side}", f"toes_{side}", np.array(_INSTEP_OFFSET) * instep_scale * outward),
        ContactPoint(f"knee_{side}", f"tibia_{side}", np.array(_KNEE_OFFSET) * shank * outward),
        ContactPoint(f"hand_{side}", f"hand_{side}", np.array(_HAND_OFFSET) * outward),
    ]


def contact_points(model: Model) -> tuple[ContactPoint, ...]:
    """Points of both sides, right first, placed by the model's foot and shank lengths."""
    return tuple(point for side in "rl" for point in _points_of_side(model, side))


def with_contact_markers(model: Model) -> Model:
    """The same skeleton whose markers are its contact points, in the order of `contact_points`."""
    points = contact_points(model)
    return model.with_markers(
        tuple(Marker(f"{point.part}_{i}", point.body, point.offset) for i, point in enumerate(points))
    )
