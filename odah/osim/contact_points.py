"""Where a skeleton can touch the floor: points on the sole, knee, instep and palm of a scaled model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from odah.osim.model import Marker, Model

_FOOT_LENGTH = 0.1788
"""m; subtalar to toe joint in Rajagopal et al. 2016, along the foot."""
_HEEL_HEIGHT = 0.04195
"""m; ankle joint above the origin of calcn in the same model."""
_TIBIA_LENGTH = 0.4
_HAND_OFFSET = (0.015, -0.110, 0.0)

# Offsets on the right side of the generic model, m. The sole lies 5 mm under the origin of calcn: in measured
# gait, scaled with this model, that origin is 0 to 8 mm above the floor while the heel stands.
_SOLE: tuple[tuple[str, str, tuple[float, float, float]], ...] = (
    ("heel", "calcn", (-0.020, -0.005, 0.000)),
    ("ball", "calcn", (0.185, -0.005, -0.028)),
    ("ball", "calcn", (0.150, -0.005, 0.046)),
    ("toe", "toes", (0.060, -0.003, 0.000)),
    ("instep", "toes", (0.055, 0.014, 0.000)),
)
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
    foot_scale = np.array([length, height, length]) * outward
    shank = abs(_joint_offset(model, f"ankle_{side}")[1]) / _TIBIA_LENGTH
    return [
        *(
            ContactPoint(f"{part}_{side}", f"{body}_{side}", np.array(offset) * foot_scale)
            for part, body, offset in _SOLE
        ),
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
