"""Put a MakeHuman garment on an open body of any shape, in the T-pose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from odah.clothing.makehuman.base_mesh import base_mesh
from odah.clothing.makehuman.garment import MakeHumanGarment
from odah.clothing.rest_body import RestBody
from odah.clothing.surface import Surface, smoothing_matrix
from odah.errors import InputError

if TYPE_CHECKING:
    from odah.body.body_model import BodyModel

_UNIT = 0.1
"""MakeHuman's own unit is the decimetre."""
_SOLE = 0.004
"""How far soles reach under the feet, m, as those of the package's own shoes do."""
_SOLE_HEIGHT = 0.03
"""What lies higher over the floor is no sole, m."""


def check_wearable(garments: Sequence[MakeHumanGarment], body: BodyModel) -> None:
    """Raises InputError: a body that is not the open one, two of one name, or for one place."""
    is_open = body.name.startswith("open") and len(body.v_template) == base_mesh().num_skin_vertices
    taken: dict[str, MakeHumanGarment] = {}
    for garment in garments:
        if not is_open:
            found = f"a garment bound to MakeHuman's base mesh, which body {body.name} does not carry"
            raise InputError(garment.path, found, "the open body")
        for place in (garment.layer_name, *(garment.covers & {"shoes", "hair"})):
            if place in taken:
                raise InputError(
                    garment.path, f"{place} once more, as in {taken[place].path}", "one of a kind"
                )
            taken[place] = garment


def fitted(garment: MakeHumanGarment, rest: RestBody) -> Surface:
    """The garment in the T-pose of this body, with skinning weights.

    Offsets from the base mesh, given in MakeHuman's A-pose, turn with the limb they are on.
    """
    binding, mesh = garment.binding, base_mesh()
    base = mesh.vertices(rest.vertices)
    bound = np.einsum("gk,gkc->gc", binding.share, base[binding.index])
    turns = nearest_rotations(np.einsum("gj,jab->gab", garment.weights, mesh.to_t_pose))
    vertices = bound + np.einsum("gab,gb->ga", turns, binding.offset * _scales(garment, base))
    return Surface(vertices, garment.faces, _smooth_weights(garment))


def _scales(garment: MakeHumanGarment, base: np.ndarray) -> np.ndarray:
    """(3,) length of a unit of the offsets along each axis of the A-pose, m."""
    binding, mesh = garment.binding, base_mesh()
    scales = np.full(3, _UNIT)
    for axis in np.flatnonzero(np.isfinite(binding.reference)):
        ends = binding.scale_ends[axis]
        turn = nearest_rotations(np.einsum("j,jab->ab", mesh.weights[ends].mean(0), mesh.to_t_pose)[None])[0]
        difference = turn.T @ (base[ends[0]] - base[ends[1]])
        scales[axis] = abs(difference[axis]) / binding.reference[axis]
    return scales


def nearest_rotations(matrices: np.ndarray) -> np.ndarray:
    """(N, 3, 3) rotations nearest to blends of rotations (Frobenius norm)."""
    turned = np.linalg.svd(matrices)
    return turned.U @ turned.Vh


def _smooth_weights(garment: MakeHumanGarment) -> np.ndarray:
    weights = garment.weights
    mean = smoothing_matrix(garment.faces, len(weights))
    is_used = np.asarray(mean.sum(1)).ravel() > 0
    for _ in range(4):
        weights = np.where(is_used[:, None], 0.5 * weights + 0.5 * (mean @ weights), weights)
    return weights / weights.sum(1, keepdims=True)


def thin_soled(shoes: Surface, rest: RestBody) -> Surface:
    """Soles drawn to where they may reach under the feet, so that people stand on the floor, not in or over
    it; the more the lower a vertex is."""
    vertices = shoes.vertices.copy()
    floor, bottom = rest.vertices[:, 1].min(), vertices[:, 1].min()
    top = floor + max(floor - bottom, _SOLE_HEIGHT)
    is_low = vertices[:, 1] < top
    vertices[is_low, 1] = top - (top - vertices[is_low, 1]) * (top - floor + _SOLE) / (top - bottom)
    return replace(shoes, vertices=vertices)
