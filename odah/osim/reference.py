"""OpenSim itself as the judge: where it puts what hangs on a written model in a written motion."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from odah.errors import OdahError
from odah.osim.tools import import_opensim

Kind = Literal["joint", "body", "marker"]


def places_with_opensim(
    model_path: Path, mot_path: Path, names: Mapping[Kind, Sequence[str]]
) -> dict[Kind, np.ndarray]:
    """By kind (T, N, 3) places in ground, m, computed by the OpenSim library, which reads both files: origins
    of the joints' child frames, centres of mass of the bodies, markers.

    Raises:
        OdahError: OpenSim does not load a file or lacks a name.
    """
    opensim = import_opensim()
    try:
        model = opensim.Model(str(model_path))
        state = model.initSystem()
        names_read, rows = _coordinates(opensim, model, mot_path)
        places: dict[Kind, list[Callable[[Any], Any]]] = {
            kind: [_PLACES[kind](model, name) for name in names[kind]] for kind in names
        }
        coordinates = [model.getCoordinateSet().get(name) for name in names_read]
        for coordinate in coordinates:
            coordinate.setLocked(state, False)
    except RuntimeError as error:
        raise OdahError(
            f"{model_path} with {mot_path.name}: OpenSim says {str(error).strip().splitlines()[0]}"
        ) from error
    found: dict[Kind, np.ndarray] = {kind: np.empty((len(rows), len(names[kind]), 3)) for kind in names}
    for frame, values in enumerate(rows):
        for coordinate, value in zip(coordinates, values, strict=True):
            # Couplers are not enforced anew: the file must hold coupled coordinates that agree with them.
            coordinate.setValue(state, value, False)
        model.realizePosition(state)
        for kind, functions in places.items():
            for n, function in enumerate(functions):
                place = function(state)
                found[kind][frame, n] = place.get(0), place.get(1), place.get(2)
    return found


def _coordinates(opensim: Any, model: Any, path: Path) -> tuple[list[str], list[list[float]]]:
    """Names and rows of a motion file's coordinates, rad and m, as OpenSim understands them."""
    storage = opensim.Storage(str(path))
    if storage.isInDegrees():
        model.getSimbodyEngine().convertDegreesToRadians(storage)
    labels = storage.getColumnLabels()
    known = {coordinate.getName() for coordinate in model.getCoordinateSet()}
    columns = [(k, labels.get(k)) for k in range(1, labels.getSize()) if labels.get(k) in known]
    rows = []
    for frame in range(storage.getSize()):
        data = storage.getStateVector(frame).getData()
        rows.append([data.get(k - 1) for k, _ in columns])
    return [name for _, name in columns], rows


def _joint(model: Any, name: str) -> Callable[[Any], Any]:
    return model.getJointSet().get(name).getChildFrame().getPositionInGround


def _body(model: Any, name: str) -> Callable[[Any], Any]:
    body = model.getBodySet().get(name)
    centre = body.getMassCenter()
    return lambda state: body.findStationLocationInGround(state, centre)


def _marker(model: Any, name: str) -> Callable[[Any], Any]:
    return model.getMarkerSet().get(name).getLocationInGround


_PLACES: dict[Kind, Callable[[Any, str], Callable[[Any], Any]]] = {
    "joint": _joint,
    "body": _body,
    "marker": _marker,
}
