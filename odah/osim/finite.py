"""The last look before kinematics are written: every number is finite, or its place is said."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from odah.errors import OdahError
from odah.motion.types import MarkerTrajectories
from odah.osim.kinematics import Kinematics
from odah.osim.model import Model

_MAYBE_NAN = re.compile(r"<([\w.:-]+)>([^<>]*(?:nan|NaN)[^<>]*)</")  # a tag and its text


def check_finite(kinematics: Kinematics, markers: MarkerTrajectories) -> None:
    """Refuse kinematics that would put a NaN into a file; markers: the model's, in each frame.

    Raises:
        OdahError: the model's part, or the coordinate or marker and its frame, whose value is not finite; or
        the body whose scale factors are not positive.
    """
    source = kinematics.source.path
    for place in _places_not_finite(kinematics.model, kinematics.model_xml):
        raise OdahError(f"{source}: the scaled model's {place} is not a finite number")
    for body, factors in zip(kinematics.model.body_names, kinematics.scale_factors, strict=True):
        if not (np.isfinite(factors).all() and (factors > 0).all()):
            raise OdahError(f"{source}: the scale factors of {body} came out as {factors.tolist()}")
    names = kinematics.model.coordinate_names
    for frame, c in np.argwhere(~np.isfinite(kinematics.coordinates)):
        value = kinematics.coordinates[frame, c]
        raise OdahError(f"{source}: the coordinate {names[c]} came out as {value} in frame {frame + 1}")
    for frame, m in np.argwhere(~np.isfinite(markers.positions).all(axis=-1)):
        raise OdahError(f"{source}: the model's marker {markers.names[m]} has no place in frame {frame + 1}")


def _places_not_finite(model: Model, xml: str | None) -> Iterator[str]:
    for body in model.bodies:
        if not np.isfinite([body.mass, *body.com, *body.inertia]).all():
            yield f"body {body.name}"
    for joint in model.joints:
        if not (np.isfinite(joint.T_parent).all() and np.isfinite(joint.T_child).all()):
            yield f"joint {joint.name}"
    for marker in model.markers:
        if not np.isfinite(marker.offset).all():
            yield f"marker {marker.name}"
    for tag, text in _MAYBE_NAN.findall(xml or ""):
        if _holds_nan(text):
            yield f"<{tag}>"


def _holds_nan(text: str) -> bool:
    """Whether text is numbers of which one is NaN (infinity is a value that OpenSim writes)."""
    try:
        return bool(np.isnan([float(word) for word in text.split()]).any())
    except ValueError:
        return False
