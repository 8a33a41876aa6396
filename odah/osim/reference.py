"""OpenSim itself as the judge: where it puts the joints of a written model in a written motion."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from odah.errors import OdahError
from odah.osim.parse import read_model
from odah.osim.storage import read_coordinates
from odah.osim.tools import import_opensim


def joints_with_opensim(model_path: Path, mot_path: Path, joint_names: Sequence[str]) -> np.ndarray:
    """(T, J, 3) origins of the joints' child frames in ground, m, computed by the OpenSim library.

    Raises:
        InputError: a file cannot be read. OdahError: OpenSim does not load the model or lacks a joint.
    """
    opensim = import_opensim()
    trajectory = read_coordinates(mot_path, read_model(model_path))
    try:
        model = opensim.Model(str(model_path))
        state = model.initSystem()
        joints = [model.getJointSet().get(name) for name in joint_names]
    except RuntimeError as error:
        raise OdahError(f"{model_path}: OpenSim says {str(error).strip().splitlines()[0]}") from error
    coordinates = [model.getCoordinateSet().get(name) for name in trajectory.names]
    places = np.empty((len(trajectory.values), len(joints), 3))
    for frame, values in enumerate(trajectory.values):
        _set_coordinates(coordinates, state, values)
        model.realizePosition(state)
        for j, joint in enumerate(joints):
            place = joint.getChildFrame().getPositionInGround(state)
            places[frame, j] = place.get(0), place.get(1), place.get(2)
    return places


def _set_coordinates(coordinates: list[Any], state: Any, values: np.ndarray) -> None:
    """Couplers are not enforced anew: the file must hold coupled coordinates that agree with them."""
    for coordinate, value in zip(coordinates, values, strict=True):
        coordinate.setLocked(state, False)
        coordinate.setValue(state, float(value), False)
