"""A motion as it looks in a mirror: right and left are swapped in the plane z = 0.

The full-body model is its own mirror image, so the mirrored motion is a motion of the model, too; of a person
whose right side has the left side's scales.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from jaxtyping import Float
from torch import Tensor

from odah.names import OPENSIM_BODIES, OPENSIM_COORDINATES

TURNED_OVER: tuple[str, ...] = (
    *("pelvis_list", "pelvis_rotation", "pelvis_tz"),
    *("lumbar_bending", "lumbar_rotation"),
)
"""Coordinates of the middle that change their sign; those of the sides keep it and swap places."""

_SIDE = re.compile(r"_([rl])(?=_|$)")


def mirrored_name(name: str) -> str:
    """`knee_angle_l_beta` of `knee_angle_r_beta`; the same name where there is no pair."""
    return _SIDE.sub(lambda match: "_l" if match[1] == "r" else "_r", name)


def mirrored_coordinates(coordinates: Float[Tensor, "*B C"]) -> Float[Tensor, "*B C"]:
    """Of the model's 39 coordinates, rad and m."""
    signs = [-1.0 if name in TURNED_OVER else 1.0 for name in OPENSIM_COORDINATES]
    return coordinates[..., _places(OPENSIM_COORDINATES)] * coordinates.new_tensor(signs)


def mirrored_scales(scales: Float[Tensor, "*B K 3"]) -> Float[Tensor, "*B K 3"]:
    """Of the model's 22 bodies."""
    return scales[..., _places(OPENSIM_BODIES), :]


def mirrored_points(points: Float[Tensor, "*B P 3"], names: Sequence[str]) -> Float[Tensor, "*B P 3"]:
    """Points with names, such as joints or mass centres; z changes its sign."""
    return points[..., _places(tuple(names)), :] * points.new_tensor([1.0, 1.0, -1.0])


@cache
def _places(names: tuple[str, ...]) -> list[int]:
    """Where each name's namesake of the other side stands."""
    return [names.index(mirrored_name(name)) for name in names]
