"""The stool under someone who sits: a motion without one would show a person who rests on air."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from odah.clothing import MeshLayer
from odah.names import SMPLX_INDEX
from odah.scene.rooms.furniture import stool
from odah.scene.surfaces import sample_surface
from odah.scene.types import Furniture

_LOOKS = ("light wood", "dark wood", "white", "black", "leatherette")
_SEAT_RADIUS = 0.16
"""m around the middle of the seat, where the body rests on it."""
_YIELD = 0.01
"""m that flesh gives."""
_REST = tuple(SMPLX_INDEX[name] for name in ("pelvis", "left_hip", "right_hip"))


def stool_under(
    layers: Sequence[MeshLayer], seat: np.ndarray, heading: np.ndarray, rng: np.random.Generator
) -> Furniture:
    """A stool as high as what is drawn of buttocks and thighs comes down to it.

    seat: (3,) middle of its top by the skeleton, world, m, which counts where nothing is drawn above it.
    heading: (2,) direction the person faces.
    """
    centre, heights = seat[:2], [np.zeros(0)]
    for layer in layers:
        if layer.owners is None:
            continue
        points = layer.vertices[:, np.isin(layer.owners, _REST)]
        near = np.linalg.norm(points[..., :2] - centre, axis=-1) < _SEAT_RADIUS
        heights.append(points[..., 2][near])
    lowest = float(np.concatenate(heights).min(initial=np.inf))
    lowest = lowest if np.isfinite(lowest) else float(seat[2])
    yaw = float(np.arctan2(heading[1], heading[0]))
    place = (float(centre[0]), float(centre[1]))
    return stool(place, float(max(lowest, 0.1) + _YIELD), yaw, sample_surface(rng, _LOOKS))
