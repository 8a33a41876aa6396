"""Toes that give way to the floor while a foot rolls over its ball.

No usual marker tells how toes bend, so a solved skeleton keeps them straight, and at push-off they would be
centimetres below the floor.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from scipy.ndimage import minimum_filter1d, uniform_filter1d
from torch import Tensor

from odah.osim.contact_points import contact_points, with_contact_markers
from odah.osim.fk import ForwardKinematics
from odah.osim.kinematics import Kinematics

_MAX_DEPTH = 0.002
"""m; how deep toes may sink before they bend: a flat foot's are no higher than its ball."""
_BENDING_TIME = 0.04
"""s; over which they start to bend, twice."""
_MEASURED = np.deg2rad(0.5)
"""Toes that moved by more were measured."""


def bend_toes(kinematics: Kinematics) -> Kinematics:
    """The motion of a full-body model with toes that stay on the floor, y = 0 of ground.

    They are bent up (`mtp_angle` below 0) where they else would be lower than floor, heel and ball: not in
    a foot that stands flat or is wholly too low. Toes that were measured stay as they are.
    """
    columns = [kinematics.model.coordinate_names.index(f"mtp_angle_{side}") for side in "rl"]
    if np.ptp(kinematics.coordinates[:, columns], axis=0).max() > _MEASURED:
        return kinematics
    straight = kinematics.coordinates.copy()
    straight[:, columns] = 0.0
    values = straight.copy()
    lowest = np.minimum(kinematics.model.coordinate_ranges[columns, 0], 0.0)
    paths = _toe_paths(replace(kinematics, coordinates=straight), columns)
    for k, column in enumerate(columns):
        values[:, column] = _toe_angles(paths[k], kinematics.rate, lowest[k])
    if np.abs(values[:, columns]).max() < _MEASURED:
        return kinematics
    return replace(
        kinematics,
        coordinates=values,
        notes=(*kinematics.notes, "toes (mtp_angle) bent to stay above the floor, not measured"),
    )


def _toe_paths(kinematics: Kinematics, columns: list[int]) -> Float[Tensor, "2 3 T"]:
    """For each side a, b, c of the height a + b cos(angle) + c sin(angle) of the tip of the toes, m, above
    what else carries the foot."""
    model = with_contact_markers(kinematics.model)
    fk, values = ForwardKinematics(model), torch.as_tensor(kinematics.coordinates)
    parts = [point.part for point in contact_points(model)]
    turned = [values.clone() for _ in range(3)]
    for pose, angle in zip(turned, (0.0, np.pi / 2, np.pi), strict=True):
        pose[:, columns] = angle
    with torch.no_grad():
        flat, quarter, half = (fk(pose).markers[..., 1] for pose in turned)
    paths = []
    for side in "rl":
        toe = parts.index(f"toe_{side}")
        carriers = [i for i, part in enumerate(parts) if part in (f"heel_{side}", f"ball_{side}")]
        support = flat[:, carriers].amin(dim=1).clamp_max(0.0)
        middle = (flat[:, toe] + half[:, toe]) / 2
        paths.append(torch.stack([middle - support, flat[:, toe] - middle, quarter[:, toe] - middle]))
    return torch.stack(paths)


def _toe_angles(path: Float[Tensor, "3 T"], rate: float, lowest: float) -> np.ndarray:
    """(T,) rad, between `lowest` and 0: the least bend that keeps the tip up, without jerks."""
    offset, cosine, sine = path.numpy()
    reach, highest = np.hypot(cosine, sine), np.arctan2(sine, cosine)
    # offset + reach cos(angle - highest) is not below 0 up to this angle; where it always is, at its highest.
    needed = highest + np.arccos(np.clip(-(offset + _MAX_DEPTH) / reach, -1.0, 1.0))
    needed = np.clip(needed, lowest, 0.0)
    # The mean over a window of the most needed in an equal one around is never less than is needed now.
    window = 2 * round(_BENDING_TIME * rate / 2) + 1
    most = minimum_filter1d(needed, 2 * window - 1, mode="nearest")
    return uniform_filter1d(uniform_filter1d(most, window, mode="nearest"), window, mode="nearest")
