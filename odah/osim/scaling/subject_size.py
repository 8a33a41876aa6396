"""A person's size against the model's, before any pose is known."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import torch
from jaxtyping import Float

from odah.errors import InputError
from odah.osim.fk import ForwardKinematics
from odah.osim.model import Model

_SHORT = 0.08  # m; nearer markers tell where they are worn, not how large the person is
_PLAUSIBLE = (0.3, 3.0)


def size_by_distances(model: Model, positions: Float[np.ndarray, "t M 3"]) -> float:
    """Median of measured over modelled distances of markers that no or one joint keeps apart.

    positions: in the order of the model's markers, NaN where unseen.
    """
    rest = ForwardKinematics(model)(torch.from_numpy(model.default_coordinates)).markers.numpy()
    parents = {joint.child: joint.parent for joint in model.joints}
    ratios = []
    for i, j in combinations(range(len(rest)), 2):
        bodies = model.markers[i].body, model.markers[j].body
        length = np.linalg.norm(rest[i] - rest[j])
        is_near = bodies[0] == bodies[1] or parents[bodies[0]] == bodies[1] or parents[bodies[1]] == bodies[0]
        if is_near and length > _SHORT:
            ratios.append(np.linalg.norm(positions[:, i] - positions[:, j], axis=-1) / length)
    values = np.concatenate(ratios) if ratios else np.ones(1)
    seen = np.isfinite(values)
    return float(np.median(values[seen])) if seen.any() else 1.0


def check_size(where: str, size: float) -> None:
    """Refuse what is not a person's size.

    Raises:
        InputError: no person differs so much from an adult model.
    """
    if not _PLAUSIBLE[0] <= size <= _PLAUSIBLE[1]:
        raise InputError(
            where,
            f"a person {size:.3g} times the model's size",
            f"{_PLAUSIBLE[0]:g} to {_PLAUSIBLE[1]:g} times (are lengths in the unit stated?)",
        )
